"""Images or video: how an engine reads batches of either.

A network sees images. A batch of clips ``(B, S, 3, h, w)``, S frames each, becomes one of B * S
images, and at test a clip's features are those of its frames, pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor

from reidcore.errors import UnknownNameError, did_you_mean, quoted

POOLINGS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "avg": lambda features: features.mean(dim=1),
    "max": lambda features: features.amax(dim=1),
}
"""Name -> what makes features ``(B, D)`` of those of the frames, ``(B, S, D)``."""

FRAMES_AT_ONCE = 512
"""How many frames the network is given at a time in a test, whatever a batch of clips holds."""


Columns: TypeAlias = Mapping[str, Any]
"""Columns of a batch by name: tensors ``(B,)``, or lists of B entries."""

Extract: TypeAlias = Callable[[Tensor, Columns], Tensor]
"""Gives the features ``(B, D)`` of images ``(B, 3, h, w)`` with these columns."""


class BatchLayout(Protocol):
    """How batches of some kind of data are read."""

    def per_image(self, batch: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
        """Return some columns of a batch, with an entry for each image."""
        ...

    def features(self, images: Tensor, labels: Columns, extract: Extract) -> Tensor:
        """Return the features ``(B, D)`` of B samples; ``extract`` gives those of images."""
        ...


class ImageBatches:
    """Reads images: a batch is as it is."""

    def per_image(self, batch: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
        """Return columns as they are; of images transformed K times, all views: K * B entries."""
        if not isinstance(batch["img"], list):
            return {key: batch[key] for key in columns}
        views = len(batch["img"])
        return {key: _tiled(key, batch[key], views) for key in columns}

    def features(self, images: Tensor, labels: Columns, extract: Extract) -> Tensor:
        """Return the features ``(B, D)`` of images ``(B, 3, h, w)``."""
        return extract(images, labels)


class ClipBatches(ImageBatches):
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
                f"no pooling_method {quoted(pooling_method)}",
                near or f"Use {' or '.join(POOLINGS)}",
            )
        self.pooling_method = pooling_method

    def per_image(self, batch: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
        """Return columns of B * S frames: each has the labels and the ``impath`` of its clip."""
        if not _holds_clips(batch["img"]):
            return {key: batch[key] for key in columns}
        frames = batch["img"].shape[1]
        return {key: _repeated(key, batch[key], frames) for key in columns}

    def features(self, images: Tensor, labels: Columns, extract: Extract) -> Tensor:
        """Return the pooled features ``(B, D)`` of clips ``(B, S, 3, h, w)``."""
        if not _holds_clips(images):
            return extract(images, labels)
        # (B, S, 3, h, w) -> (B * S, 3, h, w), a part at a time
        frames = images.flatten(0, 1)
        of_frames = {key: _repeated(key, each, images.shape[1]) for key, each in labels.items()}
        parts = [
            slice(start, start + FRAMES_AT_ONCE) for start in range(0, len(frames), FRAMES_AT_ONCE)
        ]
        features = torch.cat(
            [
                extract(frames[part], {key: _sliced(each, part) for key, each in of_frames.items()})
                for part in parts
            ]
        )
        # (B * S, D) -> (B, S, D) -> (B, D)
        return POOLINGS[self.pooling_method](features.reshape(*images.shape[:2], -1))


_IMAGES, _CLIPS = ImageBatches(), ClipBatches()


def layout_of(data_type: str) -> BatchLayout:
    """Return how batches of a data manager's ``data_type`` are read, always the same object."""
    return _CLIPS if data_type == "video" else _IMAGES


def _holds_clips(images: Any) -> bool:
    return isinstance(images, Tensor) and images.dim() == 5


def _tiled(key: str, value: Any, times: int) -> Any:
    """Repeat a batch's column as a whole: K views of (B, 3, h, w) become (K * B, 3, h, w)."""
    if key == "img":
        return torch.cat(value)
    return torch.cat([value] * times) if isinstance(value, Tensor) else list(value) * times


def _repeated(key: str, value: Any, times: int) -> Any:
    """Repeat each entry of a batch's column; what is no column stays as it is."""
    if key == "img":
        return value.flatten(0, 1)  # (B, S, 3, h, w) -> (B * S, 3, h, w)
    if isinstance(value, list) and key != "skipped":
        return [each for each in value for _ in range(times)]
    return value.repeat_interleave(times, dim=0) if isinstance(value, Tensor) else value


def _sliced(column: Any, part: slice) -> Any:
    return column[part] if isinstance(column, Tensor | list) else column
