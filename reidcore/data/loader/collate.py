"""From bytes to the batch that a model is given, on the device it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from reidcore.data.images.resize import compiled
from reidcore.data.loader.packed import PackedBatch
from reidcore.data.table import SampleTable
from reidcore.data.transforms.compose import ToNormalisedTensor

if TYPE_CHECKING:
    from reidcore.data.loader.batch_sampler import Batch
    from reidcore.data.loader.decode import Reader


class Finisher:
    """Completes packed batches: what is left of the transforms, and the labels.

    Args:
        reader: What read the images.
        table: The samples that the rows of a batch are rows of.
    """

    def __init__(self, reader: Reader, table: SampleTable) -> None:
        self.plan = reader.plan
        self.table = table
        self._holds_clips = reader.holds_clips

    def __call__(self, packed: PackedBatch, device: torch.device) -> Batch:
        """Return the batch with its images on a device; ``skipped`` alone if it has none."""
        batch: dict[str, Any] = {}
        if len(packed.rows):
            # Labels are looked up here rather than sent along.
            rows = packed.rows
            batch["img"] = self._arranged(packed, self._floats(packed, device))
            batch["pid"] = torch.from_numpy(self.table.pids[rows])
            batch["camid"] = torch.from_numpy(self.table.camids[rows])
            batch["dsetid"] = torch.from_numpy(self.table.dsetids[rows])
            batch["impath"] = [self.table.paths[row] for row in rows.tolist()]
        if packed.skipped:
            batch["skipped"] = list(packed.skipped)
        return batch

    def _floats(self, packed: PackedBatch, device: torch.device) -> Tensor:
        """Return all views of all samples, (B * V, 3, height, width)."""
        pixels = packed.images.flatten(0, 1).to(device, non_blocking=True)
        split, draws = len(self.plan.on_batches), [torch.from_numpy(d) for d in packed.drawn]
        if split:
            images = pixels.permute(0, 3, 1, 2)
            for step, drawn in zip(self.plan.on_batches, draws[:split], strict=True):
                images = step.on_batch(images, drawn)
            pixels = images.permute(0, 2, 3, 1)
        floats = normalised(pixels, self.plan.normalise)
        for step, drawn in zip(self.plan.on_tensors, draws[split:], strict=True):
            floats = step.on_batch(floats, drawn)
        return floats

    def _arranged(self, packed: PackedBatch, images: Tensor) -> Tensor | list[Tensor]:
        samples, views = packed.images.shape[:2]
        split = images.view(samples, views, *images.shape[1:])
        if self._holds_clips:
            return split
        return images if views == 1 else [view.contiguous() for view in split.unbind(1)]


def normalised(pixels: Tensor, normalise: ToNormalisedTensor) -> Tensor:
    """Return ``(values / 255 - mean) / std`` of bytes, on the device that they are on.

    Args:
        pixels: (B, height, width, 3) uint8.
        normalise: Holds mean and deviation.

    Returns:
        (B, 3, height, width) float32, contiguous.
    """
    kernel = compiled()
    if kernel is None or pixels.device.type != "cpu":
        mean, scale = (
            values.to(pixels.device, non_blocking=True)
            for values in (normalise.mean, normalise.scale)
        )
        planes = pixels.permute(0, 3, 1, 2)
        floats = planes.to(torch.float32, memory_format=torch.contiguous_format)
        return floats.sub_(mean).mul_(scale)
    count, height, width, _ = pixels.shape
    target = torch.empty(count, 3, height, width, dtype=torch.float32)
    kernel.planes(
        pixels.contiguous().view(count, height * width, 3).numpy(),
        _values(normalise).numpy(),
        target.view(count, 3, height * width).numpy(),
    )
    return target


def _values(normalise: ToNormalisedTensor) -> Tensor:
    """Return what each of the 256 bytes becomes in each channel, (3, 256)."""
    values = torch.arange(256, dtype=torch.float32).repeat(3, 1)
    return values.sub_(normalise.mean[:, :, 0]).mul_(normalise.scale[:, :, 0])
