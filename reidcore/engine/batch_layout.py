"""Images or video: how an engine reads batches of either.

A network sees images. A batch of clips ``(B, S, 3, h, w)``, S frames each, becomes one of B * S
images, and at test a clip's features are those of its frames, pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from reidcore.errors import UnknownNameError, did_you_mean

POOLINGS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "avg": lambda features: features.mean(dim=1),
    "max": lambda features: features.amax(dim=1),
}
"""Name -> what makes features ``(B, D)`` of those of the frames, ``(B, S, D)``."""

FRAMES_AT_ONCE = 512
"""How many frames the network is given at a time in a test, whatever a batch of clips holds."""


class Reading(Protocol):
    """How batches of some kind of data are read."""

    def per_image(self, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a batch with an entry for each image."""
        ...

    def features(self, images: Tensor, extract: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the features ``(B, D)`` of B samples; ``extract`` gives those of images."""
        ...


class Images:
    """Reads images: a batch is as it is."""

    def per_image(self, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the batch; where each image was transformed several times, all views of it."""
        if not isinstance(batch["img"], list):
            return batch
        views = len(batch["img"])
        tiled = {key: _tiled(value, views) for key, value in batch.items() if key != "img"}
        return {**tiled, "img": torch.cat(batch["img"])}

    def features(self, images: Tensor, extract: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the features ``(B, D)`` of images ``(B, 3, h, w)``."""
        return extract(images)


class Clips(Images):
    """Reads clips; images among them are read as images.

    Args:
        pooling_method: ``avg`` or ``max``, over the features of a clip's frames.

    Raises:
        UnknownNameError: if it is neither.
    """

    def __init__(self, pooling_method: str = "avg") -> None:
        if pooling_method not in POOLINGS:
            near = did_you_mean(pooling_method, POOLINGS)
            raise UnknownNameError(
                f"no pooling_method {pooling_method!r}", near or f"Use {' or '.join(POOLINGS)}"
            )
        self.pooling_method = pooling_method

    def per_image(self, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a batch of B * S frames: each has the labels and the ``impath`` of its clip."""
        if not _holds_clips(batch["img"]):
            return batch
        frames = batch["img"].shape[1]
        repeated = {key: _repeated(key, value, frames) for key, value in batch.items()}
        return {**repeated, "img": batch["img"].flatten(0, 1)}

    def features(self, images: Tensor, extract: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the pooled features ``(B, D)`` of clips ``(B, S, 3, h, w)``."""
        if not _holds_clips(images):
            return extract(images)
        parts = torch.split(images.flatten(0, 1), FRAMES_AT_ONCE)
        features = torch.cat([extract(part) for part in parts])
        return POOLINGS[self.pooling_method](features.reshape(*images.shape[:2], -1))


def reading_of(datamanager: Any) -> Reading:
    """Return how a data manager's batches are read, by its ``data_type``."""
    return Clips() if getattr(datamanager, "data_type", "") == "video" else Images()


def _holds_clips(images: Any) -> bool:
    return isinstance(images, Tensor) and images.dim() == 5


def _tiled(value: Any, times: int) -> Any:
    """Repeat a batch's column as a whole."""
    return torch.cat([value] * times) if isinstance(value, Tensor) else list(value) * times


def _repeated(key: str, value: Any, times: int) -> Any:
    """Repeat each entry of a batch's column; what is no column stays as it is."""
    if key == "impath":
        return [path for path in value for _ in range(times)]
    is_column = isinstance(value, Tensor) and key != "img"
    return value.repeat_interleave(times, dim=0) if is_column else value
