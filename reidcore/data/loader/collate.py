"""From the images of a batch, as they were read, to the batch that a model is given.

A batch takes one of two ways. Where a dataset is read past its ``__getitem__``, the process that
reads packs the images into one block of bytes (`Packer`), and the main process makes the batch of
them, on the device that the model is on (`Finisher`). Otherwise items are put together as any torch
loader does it (`collate`).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import default_collate, get_worker_info

from reidcore import errors
from reidcore.data.images.resize import Pixels
from reidcore.data.loader.workers import shared_memory_explained
from reidcore.data.sample import SamplePath
from reidcore.data.table import Int64Array, SampleTable
from reidcore.data.transforms.base import Params
from reidcore.data.transforms.split import SplitPipeline
from reidcore.errors import DataError, ExplainedError, PluginDefectError

_log = logging.getLogger(__name__)

Batch: TypeAlias = dict[str, Any]
"""``img`` (B, 3, height, width) float, a list of such batches where images have several views, or
clips (B, S, 3, height, width); ``pid``, ``camid``, ``dsetid`` (B,) int64; ``impath``, a list of B
paths, or of B tuples of a tracklet's paths; and ``skipped``, a list of (path, reason), only where
images were left out."""


class Paths(list[SamplePath]):
    """The paths of a batch, which a loader that pins memory hands on as they are.

    Left to torch, pinning visits every path, and torch 2.6 makes lists of tuples.
    """

    def pin_memory(self) -> Paths:
        """Return it."""
        return self


@dataclass(frozen=True)
class Skipped:
    """Stands for an image that could not be read and may be left out."""

    path: str
    reason: str


@dataclass(frozen=True)
class Failure:
    """Stands for an error of the user or of a plugin, on its way from a worker to the main process.

    A raised exception would arrive there wrapped in the worker's traceback.
    """

    kind: type[ExplainedError]
    what: str
    hint: str
    trace: str

    @classmethod
    def of(cls, error: ExplainedError) -> Failure:
        """Keep what survives pickling: the nearest error type of the core, and the words."""
        kind = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        is_defect = isinstance(error, PluginDefectError)
        trace = "".join(traceback.format_exception(error)) if is_defect else ""
        return cls(kind, error.what, error.hint, trace)

    def error(self) -> ExplainedError:
        """Return the error to raise; one of a plugin's has the traceback that it had, as a note."""
        error = self.kind(self.what, self.hint)
        if self.trace:
            error.add_note(self.trace)
        return error


Items: TypeAlias = list[dict[str, Any] | Skipped | Failure]


@dataclass(frozen=True)
class PackedBatch:
    """The images of a batch before they are normalised.

    Attributes:
        images: (B, V, height, width, 3) uint8, V views or frames of each of B samples; in memory
            that processes share, if a worker made it and there was room.
        rows: (B,) rows of the dataset.
        params: For each transform that the batch applies, (B, V, P). Small arrays travel faster
            than tensors, each of which would be a block of shared memory.
        skipped: Path and reason of each image that was left out.
    """

    images: Tensor
    rows: Int64Array
    params: tuple[npt.NDArray[np.float64], ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        # An array is sent, which is slow; a tensor would be put into shared memory.
        is_shared = self.images.is_shared()  # type: ignore[no-untyped-call]
        images = self.images if is_shared else self.images.numpy()
        return {**vars(self), "images": images}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if not isinstance(state["images"], Tensor):
            _warn_of_little_shared_memory()
            state["images"] = torch.from_numpy(state["images"])
        vars(self).update(state)

    def pin_memory(self) -> PackedBatch:
        """Return it with its images in memory that a GPU copies from quickly."""
        return replace(self, images=self.images.pin_memory())


class Packer:
    """Puts the images of a batch side by side as they are read.

    Args:
        size: How many samples there may be.
        num_transforms: How many transforms the batch applies.
    """

    def __init__(self, size: int, num_transforms: int) -> None:
        self.size = size
        self.rows: list[int] = []
        self.params: list[list[list[Params]]] = [[] for _ in range(num_transforms)]
        self.skipped: list[tuple[str, str]] = []
        self._images = torch.empty(0, 1, 1, 1, 3, dtype=torch.uint8)

    def add(self, row: int, read: Sequence[tuple[Pixels, list[Params]]]) -> None:
        """Take in a sample.

        Args:
            row: Its row in the dataset.
            read: Its views or frames, each with what was drawn for the batch's transforms.

        Raises:
            DataError: Its images differ in shape from those before.
        """
        shape = (len(read), *read[0][0].shape)
        if not self.rows:
            self._images = _shared_bytes((self.size, *shape))
            self._array = self._images.numpy()
        expected = self._array.shape[1:]
        for view, (pixels, _) in enumerate(read):
            if pixels.shape != expected[1:] or len(read) != expected[0]:
                shapes = sorted({(len(read), *pixels.shape), expected})
                raise DataError(
                    f"images of one batch differ in shape: {shapes}",
                    "Use transforms that keep the size, and as many frames of each tracklet",
                )
            self._array[len(self.rows), view] = pixels
        for number, column in enumerate(self.params):
            column.append([params[number] for _, params in read])
        self.rows.append(row)

    def packed(self) -> PackedBatch:
        """Return the batch."""
        return PackedBatch(
            self._images[: len(self.rows)],
            np.array(self.rows, dtype=np.int64),
            tuple(np.array(column, dtype=np.float64) for column in self.params),
            tuple(self.skipped),
        )


class Finisher:
    """Completes packed batches: what is left of the transforms, and the labels.

    Args:
        pipeline: What is done to images, of which a part is done by now.
        table: The samples that the rows of a batch are rows of.
        holds_clips: Whether a sample is several frames, and not one image or views of it.
    """

    def __init__(self, pipeline: SplitPipeline, table: SampleTable, *, holds_clips: bool) -> None:
        self.pipeline = pipeline
        self.table = table
        self._holds_clips = holds_clips

    def __call__(self, packed: PackedBatch, device: torch.device) -> Batch:
        """Return the batch with its images on a device; ``skipped`` alone if it has none."""
        batch: Batch = {}
        if len(packed.rows):
            # Labels are looked up here rather than sent along.
            rows = packed.rows
            batch.update(_columns(self.table, rows))
            batch["img"] = self._arranged(packed, self._floats(packed, device))
            batch["pid"] = torch.from_numpy(self.table.pids[rows])
            batch["camid"] = torch.from_numpy(self.table.camids[rows])
            batch["dsetid"] = torch.from_numpy(self.table.dsetids[rows])
            batch["impath"] = [self.table.paths[row] for row in rows.tolist()]
        if packed.skipped:
            batch["skipped"] = list(packed.skipped)
        return batch

    def _floats(self, packed: PackedBatch, device: torch.device) -> Tensor:
        """Return all views of all samples, (N, 3, height, width): a view of each, then the next.

        Frames of clips stay together instead.
        """
        pixels = self._flat(packed.images).to(device, non_blocking=True)  # (N, h, w, 3)
        params = (self._flat(torch.from_numpy(drawn)) for drawn in packed.params)  # (N, P)
        if self.pipeline.on_batches:
            images = pixels.permute(0, 3, 1, 2)  # (N, h, w, 3) -> (N, 3, h, w)
            for step in self.pipeline.on_batches:
                images = step.checked_batch(images, next(params))
            pixels = images.permute(0, 2, 3, 1)  # (N, 3, h, w) -> (N, h, w, 3)
        floats = self.pipeline.normalise.on_batch(pixels)
        for step in self.pipeline.on_tensors:
            floats = step.checked_batch(floats, next(params))
        return floats

    def _flat(self, values: Tensor) -> Tensor:
        """Return values (B, V, ...) as (B * V, ...) for clips, and (V * B, ...) for views."""
        return (values if self._holds_clips else values.transpose(0, 1)).flatten(0, 1)

    def _arranged(self, packed: PackedBatch, images: Tensor) -> Tensor | list[Tensor]:
        samples, views = packed.images.shape[:2]
        if self._holds_clips:
            return images.view(samples, views, *images.shape[1:])  # (B * S, ...) -> (B, S, ...)
        return images if views == 1 else list(torch.split(images, samples))


def _columns(table: SampleTable, rows: Int64Array) -> Batch:
    """Return the further columns of some rows: tensors of numbers, and lists of other things."""
    values = {name: column[rows] for name, column in table.columns.items()}
    return {
        name: torch.from_numpy(each) if each.dtype.kind in "biuf" else each.tolist()
        for name, each in values.items()
    }


def collate(items: Items | PackedBatch | Failure) -> Batch | PackedBatch | Failure:
    """Make a batch of items, or hand on the first failure among them, or a batch already packed.

    A batch without a readable image has the key ``skipped`` alone. Items that do not go together
    (different keys, images of different sizes) are a failure too.
    """
    if isinstance(items, PackedBatch | Failure):
        return items
    failure = next((item for item in items if isinstance(item, Failure)), None)
    if failure is not None:
        return failure
    read = [item for item in items if isinstance(item, dict)]
    try:
        with shared_memory_explained():
            batch = _stacked(read) if read else {}
    except DataError as error:
        return Failure.of(error)
    skipped = [(item.path, item.reason) for item in items if isinstance(item, Skipped)]
    if skipped:
        batch["skipped"] = skipped
    return batch


def _stacked(items: Sequence[dict[str, Any]]) -> Batch:
    keys = items[0].keys()
    for item in items:
        if item.keys() != keys:
            raise DataError(
                f"items of one batch have different keys: {sorted(keys)} and {sorted(item)}",
                "Make the datasets' __getitem__ agree",
            )
    shapes = {tuple(item["img"].shape) for item in items if hasattr(item.get("img"), "shape")}
    if len(shapes) > 1:
        raise DataError(
            f"images of one batch differ in shape: {sorted(shapes)[:2]}",
            "Give the dataset a transform that resizes",
        )
    # Inside a worker this writes the images straight into shared memory.
    batch: Batch = {
        key: default_collate([item[key] for item in items]) for key in keys if key != "impath"
    }
    if get_worker_info() is not None:
        # The rest as well: the thread that sends it would wait for room without a word.
        for value in batch.values():
            if isinstance(value, Tensor):
                value.share_memory_()  # type: ignore[no-untyped-call]
    if "impath" in keys:
        batch["impath"] = Paths(item["impath"] for item in items)
    return batch


def _shared_bytes(shape: tuple[int, ...]) -> Tensor:
    """Return room for bytes, which a worker shares from the start rather than copies later."""
    if get_worker_info() is None:
        return torch.from_numpy(np.empty(shape, dtype=np.uint8))  # numpy asks for huge pages
    room = torch.empty(shape, dtype=torch.uint8)
    try:
        room.share_memory_()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        if "shared memory" not in str(error):
            raise
    return room  # which is sent, if it could not be shared


@cache
def _warn_of_little_shared_memory() -> None:
    """Warn once a process."""
    _log.warning(
        "Shared memory has no room for a batch: worker processes send their images, which is slower"
        ". Give /dev/shm more room (docker run --shm-size=8g, or --ipc=host)"
    )
