"""The network behind an extractor: built for a checkpoint, or opened from an exported file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidcore._files import PathLike
from reidcore.data.images.resize import Pixels
from reidcore.errors import DataError, UserError
from reidcore.inference.backend import Backend, ExportedModel, Takes
from reidcore.inference.checkpoint_metadata import CheckpointMetadata, read_metadata
from reidcore.inference.preprocessing import Preprocessing, choose_preprocessing
from reidcore.models import build_model, load_pretrained_weights
from reidcore.models.reid_model import usual_size
from reidcore.models.weights.trained import loaded_files, warn_of_other_use, warn_of_plugin_files
from reidcore.models.weights.untrained import untrained_weights
from reidcore.plugins import Plugins
from reidcore.registry import find

_log = logging.getLogger(__name__)


class ImagesAsked(NamedTuple):
    """What a caller says of the images that a network takes; None where the file is to tell.

    The attributes are those arguments of a `FeatureExtractor`.
    """

    image_size: int | Sequence[int] | None
    pixel_mean: Sequence[float] | None
    pixel_std: Sequence[float] | None
    pixel_norm: bool
    reading: str | None
    value_range: Sequence[float] | None


class Network(NamedTuple):
    """A network and its images.

    Attributes:
        model: in evaluation mode, on its device.
        name: the model's name, or the file's.
        preprocessing: what becomes of files and arrays.
        device: where images are given and features come.
        metadata: what the file says of itself.
        takes: in which form the network is given images.
    """

    model: nn.Module
    name: str
    preprocessing: Preprocessing
    device: torch.device
    metadata: Mapping[str, Any]
    takes: Takes = "normalised"

    @property
    def is_exported(self) -> bool:
        """Whether a backend runs it."""
        return isinstance(self.model, ExportedModel)

    @property
    def layout(self) -> torch.memory_format:
        """How images lie in memory: PyTorch's layers are faster on channels-last."""
        return torch.contiguous_format if self.is_exported else torch.channels_last

    def images_of(self, pixels: Sequence[Pixels]) -> Tensor:
        """Return images of the network's size, (h, w, 3) each, as it takes them, (B, 3, h, w)."""
        return self.preprocessing.batch(pixels, self.takes, self.device, self.layout)

    def placed(self, images: Tensor) -> Tensor:
        """Return images (B, 3, h, w) that are preprocessed already where and as they are taken.

        Raises:
            DataError: if the network takes bytes.
        """
        if self.takes == "bytes":
            raise DataError(
                f"{self.name!r} takes images as bytes, and these are preprocessed floats",
                "Give files or arrays: the file holds its preprocessing.",
            )
        return images.to(self.device, torch.float32, memory_format=self.layout)


def load_network(
    name: str, path: PathLike, asked: ImagesAsked, device: torch.device, plugins: Plugins
) -> Network:
    """Build a network for a checkpoint, or with published weights where there is no file.

    Raises:
        UserError: if the model is unknown, or an argument makes no sense.
        CheckpointError: if the weights cannot be loaded safely or belong to another model.
    """
    metadata = read_metadata(path) if path else CheckpointMetadata()
    warn_of_plugin_files(path, metadata.config, loaded_files(plugins))
    choose = partial(choose_preprocessing, metadata.preprocessing)
    wanted = choose(*asked)
    name = name or metadata.model_name
    model = _build(name, path, metadata, (wanted.height, wanted.width), plugins)
    if asked.image_size is None and not metadata.preprocessing:
        wanted = choose(*asked._replace(image_size=usual_size(model)))
    warn_of_other_use(model, wanted.record)
    if weights := untrained_weights(model):
        _log.warning("These are features of %s: give trained ones, model_path=FILE", weights)
    record = {
        "model": {**metadata.model, "name": name},
        "preprocessing": wanted.record,
        "test": dict(metadata.test),
        **metadata.hooks,
    }
    placed = model.eval().to(device).to(memory_format=torch.channels_last)
    return Network(placed, name, wanted, device, record)


def exported_network(backend: Backend, path: PathLike, asked: ImagesAsked) -> Network:
    """Make a network of what runs an exported file.

    Raises:
        UserError: if the file does not say how its images become pixels, and the caller neither;
            or it takes images of another size than the caller's.
    """
    recorded = backend.record.get("preprocessing") or {}
    size = asked.image_size or backend.image_size
    if not recorded:
        _check_told(asked._replace(image_size=size), backend.takes, path)
    preprocessing = choose_preprocessing(recorded, *asked._replace(image_size=size))
    taken = (preprocessing.height, preprocessing.width)
    if backend.image_size not in (None, taken):
        raise UserError(
            f"{str(path)!r} takes images of {'{}x{}'.format(*backend.image_size)} (height x width)"
            f" alone, and image_size is {'{}x{}'.format(*taken)}",
            "Leave image_size out, or export with 'reidcore export --size HxW'.",
        )
    name = str(backend.record.get("model", {}).get("name") or path)
    model = ExportedModel(backend).eval()
    on_cpu = torch.device("cpu")  # a backend's tensors, wherever it computes
    return Network(model, name, preprocessing, on_cpu, backend.record, backend.takes)


def log_size(network: Network) -> None:
    """Log which network it is and, of one that PyTorch runs, its parameters and operations."""
    from reidcore.plugins.bundled import compute_model_complexity

    _log.info("Model: %s", network.name)
    if not network.is_exported:
        size = (network.preprocessing.height, network.preprocessing.width)
        costs = compute_model_complexity(network.model, (1, 3, *size))
        _log.info("- params: {:,}\n- flops: {:,}".format(*costs))


def _check_told(asked: ImagesAsked, takes: Takes, path: PathLike) -> None:
    missing = [] if asked.image_size else ["image_size=(height, width)"]
    is_normalised = asked.pixel_mean is not None and asked.pixel_std is not None
    if takes == "normalised" and asked.pixel_norm and not is_normalised:
        missing.append("pixel_mean= and pixel_std= (or pixel_norm=False for values in 0..1)")
    if missing:
        raise UserError(
            f"{str(path)!r} does not say how images become what it takes",
            f"Give {' and '.join(missing)}, as in its training.",
        )


def _build(
    name: str,
    path: PathLike,
    metadata: CheckpointMetadata,
    image_size: tuple[int, int],
    plugins: Plugins,
) -> nn.Module:
    if not name:
        raise UserError(
            "no model is named" + (f", and {str(path)!r} does not tell it" if path else ""),
            "Give model_name; 'reidcore ls models' lists the names.",
        )
    is_recorded = metadata.model_name in find("models", name, plugins).names
    options = metadata.model_options(plugins) if is_recorded else {}
    # A model that learnt a position for each patch keeps the size it was trained at.
    options["image_size"] = options.get("image_size") or image_size
    model = build_model(name, num_classes=1, pretrained=not path, plugins=plugins, **options)
    if path:
        load_pretrained_weights(model, path, plugins, features_only=True)
    return model
