"""The features of all training images, computed once, and the batches that a stage learns from.

Shapes: N training images, B of a batch, P the width of CLIP's common space.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reid_plugins_transformers.clip.model import ClipReid
from reidcore.data import Dataset, Loading, SampleTable, loader_for_testing, view_of
from reidcore.engine import Engine, gather_objects, gather_rows, rank_and_world
from reidcore.errors import UserError, counted

_log = logging.getLogger(f"reidcore.{__name__}")


@dataclass(frozen=True)
class TrainingFeatures:
    """What the image tower says of the training images before it learns.

    Attributes:
        features: projected, ``(N, P)``, float32 on the CPU.
        pids: identities ``(N,)``.
        paths: of the images.
        skipped: path -> reason of each image that cannot be read.
    """

    features: Tensor
    pids: Tensor
    paths: Sequence[str]
    skipped: Mapping[str, str] = field(default_factory=dict)


class FeatureBatches:
    """Batches of features, of all images once an epoch: a loader in the place of one of images.

    An epoch's order depends on the seed and its number alone. Each of several processes is given
    whole batches.

    Args:
        images: what is known of the images.
        batch_size: number of images in a batch; the last one of an epoch may be smaller.
        seed: what the orders are drawn from.

    Attributes:
        skipped: path -> reason of each image that was left out.
    """

    def __init__(self, images: TrainingFeatures, batch_size: int, seed: int) -> None:
        self.images = images
        self.batch_size = batch_size
        self.seed = seed
        self.skipped = dict(images.skipped)
        self._epoch = self._skip = 0

    def set_epoch(self, epoch: int, skip: int = 0) -> None:
        """Let the next iteration be of an epoch.

        Args:
            epoch: its number, from 0.
            skip: how many of its batches to leave out.
        """
        self._epoch, self._skip = epoch, skip

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return -(-len(self.images.paths) // self.batch_size)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Yield batches: ``img`` holds features ``(B, P)``, beside ``pid`` and ``impath``.

        The first has the name of what the training loop moves to its device.
        """
        generator = np.random.default_rng([self.seed, self._epoch])
        order = generator.permutation(len(self.images.paths))
        skip, self._skip = self._skip, 0
        for start in range(skip * self.batch_size, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield {
                "img": self.images.features[rows],
                "pid": self.images.pids[rows],
                "impath": [self.images.paths[row] for row in rows],
            }


def describe_training_images(
    engine: Engine, network: ClipReid, batch_size: int
) -> TrainingFeatures:
    """Run the image tower on all training images, under the test transform.

    Of several processes each describes a part of them. Side information is left out, as it has not
    been learnt yet.

    Args:
        engine: has the images, and says where and in which precision to compute.
        network: on the engine's device; it is left in evaluation mode.
        batch_size: number of images that are described at once.

    Raises:
        UserError: if the data manager does not say what its training images are.
        DataError: if an image cannot be read, and such images are not left out.
    """
    dataset, loading = _images_to_describe(engine)
    loader = loader_for_testing(dataset, batch_size, loading)
    engine.accelerator.receive(loader)
    _log.info("Describing %s for the prompts", counted(len(dataset), "training image"))
    network.eval()
    features, pids, paths = [torch.empty(0, network.image_encoder.widths[2])], [], []
    with torch.no_grad(), loader.shared_out(*rank_and_world()):
        for batch in engine.interruption.stoppable(engine.progress(loader, "training images")):
            images = engine.accelerator.move(batch["img"])
            with engine.accelerator.autocast():
                projected = network.image_encoder(images).projected
            features.append(projected.float().cpu())
            pids += batch["pid"].tolist()
            paths += batch["impath"]
    skipped = {path: why for part in gather_objects(loader.skipped) for path, why in part.items()}
    return TrainingFeatures(
        gather_rows(torch.cat(features)),
        gather_rows(torch.tensor(pids, dtype=torch.int64)),
        [path for part in gather_objects(paths) for path in part],
        skipped,
    )


def _images_to_describe(engine: Engine) -> tuple[Dataset, Loading]:
    """Return the training images under the test transform, and how they are read."""
    datamanager: Any = engine.datamanager
    len(engine.train_loader)  # which says why, if there is nothing to learn from
    dataset = getattr(engine.train_loader, "dataset", None)
    if not isinstance(dataset, Dataset) or not hasattr(datamanager, "transform_te"):
        raise UserError(
            f"the data manager {type(datamanager).__name__} does not say how its training images "
            "look under the test transform, which the prompts of CLIP-ReID are learnt from",
            "Use an ImageDataManager, or loss.clipreid.prompt_epochs=0 with trained prompts.",
        )
    views = [
        view_of(part, "train", datamanager.transform_te, data=SampleTable.of(part.data))
        for part in getattr(dataset, "parts", (dataset,))
    ]
    loading = Loading(datamanager.options, seed=datamanager.seed, pin_memory=datamanager.use_gpu)
    return reduce(add, views), loading
