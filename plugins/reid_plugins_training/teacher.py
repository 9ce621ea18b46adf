"""A trained network that another learns from: rebuilt from its checkpoint, frozen, in eval mode."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_training.classes import class_list
from reidcore.data import generators_kept
from reidcore.engine import Engine
from reidcore.errors import CheckpointError, UserError
from reidcore.inference import CheckpointMetadata, read_metadata
from reidcore.models import (
    Outputs,
    adapted,
    build_model,
    load_pretrained_weights,
    outputs_of,
    unwrap,
    wanted_columns,
)
from reidcore.plugins import Plugins

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")


class Teacher:
    """A frozen network on an engine's device, which sees the very images that the student sees.

    It stays in evaluation mode: its batch statistics neither depend on the batch nor change.

    Args:
        path: its checkpoint, which an engine of reidcore wrote.
        engine: trains the student.

    Attributes:
        feature_dim: the width of its features, where it says so.

    Raises:
        CheckpointError: if the file does not tell how its network was built.
    """

    def __init__(self, path: str | os.PathLike[str], engine: Engine) -> None:
        self.path = Path(path).expanduser()
        self._metadata = read_metadata(self.path)
        with generators_kept():  # a run that resumes builds it at another moment
            model = rebuild_model(self.path, self._metadata, engine.plugins)
        model.eval().requires_grad_(False)
        self._network = adapted(engine.accelerator.place(model))
        self._move = engine.accelerator.move
        own = engine.data_facts.preprocessing or {}
        self._pixels = _Pixels(own, self._metadata.preprocessing, engine.device)
        width = getattr(unwrap(model), "feature_dim", None)
        self.feature_dim = width if isinstance(width, int) else None
        _log.info("Teacher: %s from %s", self._metadata.model_name, self.path)

    @torch.no_grad()
    def __call__(self, batch: Mapping[str, Any]) -> Outputs:
        """Return its logits and features of a parsed batch, ``img (B, 3, h, w)``."""
        columns = {
            name: self._move(value) if isinstance(value, Tensor) else value
            for name, value in wanted_columns(self._network, batch).items()
        }
        return outputs_of(self._network, self._pixels(batch["img"]), **columns)

    def check_classes(self, engine: Engine) -> None:
        """Refuse a teacher whose classes are not those of the student.

        Raises:
            UserError: if it has other classes, or as many that stand for other identities.
        """
        classes, pids = self._metadata.model["num_classes"], engine.datamanager.num_train_pids
        recorded = self._metadata.hooks.get("training", {}).get("classes", "")
        own = class_list(engine)
        if classes == pids and not (recorded and own):
            _log.info("It is not known whether the teacher's classes are the same identities")
        elif classes != pids or recorded != own:
            other = f"{classes} classes" if classes != pids else "classes of other identities"
            raise UserError(
                f"the teacher {str(self.path)!r} has {other}, and the data {pids} identities: its "
                "logits say nothing about them",
                "Train it on the same sources, in the same order, or learn from its features "
                "alone: settings.training.distill.logits=0 settings.training.distill.relation=1.",
            )


def rebuild_model(path: Path, metadata: CheckpointMetadata, plugins: Plugins) -> nn.Module:
    """Build the network that a checkpoint of ours holds as it was trained, with its classifier.

    Args:
        path: the file.
        metadata: what it says.
        plugins: where the model is looked up.

    Returns:
        The network with its weights, on the CPU and in training mode.

    Raises:
        CheckpointError: if the file does not tell how its network was built, or cannot be loaded.
    """
    classes = metadata.model.get("num_classes")
    if not metadata.model_name or not classes:
        raise CheckpointError(
            f"{str(path)!r} does not tell how its network was built",
            "Give a checkpoint that an engine of reidcore wrote for a model by build_model.",
        )
    options = metadata.model_options(plugins)
    model = build_model(metadata.model_name, classes, pretrained=False, plugins=plugins, **options)
    load_pretrained_weights(model, path, plugins)
    return model


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Raises:
        CheckpointError: if it cannot be read.
    """
    try:
        with Path(path).expanduser().open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(
            f"the teacher {os.fspath(path)!r} cannot be read: {error.strerror}",
            "Give a checkpoint: settings.training.distill.teacher=FILE.",
        ) from error


class _Pixels:
    """Turns the student's images into those that the teacher was trained on.

    Args:
        own: how the student's images are made: ``height``, ``width``, ``norm_mean``, ``norm_std``.
        its: how the teacher's were; what neither says stays as it is.
        device: where the images are.
    """

    def __init__(
        self, own: Mapping[str, Any], its: Mapping[str, Any], device: torch.device
    ) -> None:
        self._size: tuple[int, int] | None = None
        self._affine: tuple[Tensor, Tensor] | None = None
        size = _size(its)
        if size is not None and size != _size(own):
            self._size = size
            _log.info("The teacher's images are resized to %dx%d, as in its training", *size)
        before, after = (_normalisation(each, device) for each in (own, its))
        if before and after and not all(map(torch.equal, before, after)):
            self._affine = before[1] / after[1], (before[0] - after[0]) / after[1]
            _log.info("The teacher's images are normalised as in its training")

    def __call__(self, images: Tensor) -> Tensor:
        """Return images (B, 3, h, w) in the teacher's size and normalisation."""
        if self._affine is not None:
            scale, shift = self._affine
            images = images * scale + shift
        if self._size is not None:
            # Torch 2.6 has no smooth reduction of sizes on MPS.
            is_smooth = images.device.type != "mps"
            images = F.interpolate(images, self._size, mode="bilinear", antialias=is_smooth)
        return images


def _size(preprocessing: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return height and width; None where one is not known."""
    height, width = preprocessing.get("height"), preprocessing.get("width")
    return (int(height), int(width)) if height and width else None


def _normalisation(
    preprocessing: Mapping[str, Any], device: torch.device
) -> tuple[Tensor, Tensor] | None:
    """Return mean and deviation, (1, C, 1, 1) each; None where one is not known."""
    mean, std = preprocessing.get("norm_mean"), preprocessing.get("norm_std")
    if not mean or not std:
        return None
    means, deviations = (torch.tensor(list(each), device=device) for each in (mean, std))
    return means.view(1, -1, 1, 1), deviations.view(1, -1, 1, 1)
