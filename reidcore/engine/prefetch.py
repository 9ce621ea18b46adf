"""Batches completed on the GPU beside the step before them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Batch = Mapping[str, Any]


def beside_the_step(
    batches: Iterable[Batch], device: torch.device, move: Callable[[Tensor], Tensor]
) -> Iterator[Batch]:
    """Yield a loader's batches with their images on the device.

    On CUDA they are copied and completed (cast, normalised, augmented) in a stream of their own,
    while the device still computes the step before, whose stream they would wait in otherwise.
    Elsewhere the loader's batches are yielded as they are.

    Args:
        batches: the loader.
        device: where the step computes.
        move: moves a tensor there.
    """
    if device.type != "cuda":
        yield from batches
        return
    side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    coming = iter(batches)
    while True:
        with torch.cuda.stream(side):
            batch = next(coming, None)
            if batch is None:
                return
            batch = {**batch, "img": _moved(batch["img"], move)}
        step = torch.cuda.current_stream(device)
        step.wait_stream(side)
        for images in batch["img"] if isinstance(batch["img"], list) else [batch["img"]]:
            # The allocator must not hand out the memory again before the step has used it.
            images.record_stream(step)
        yield batch


def _moved(images: Tensor | list[Tensor], move: Callable[[Tensor], Tensor]) -> Any:
    """Move the images of a batch, or each of its views."""
    return [move(each) for each in images] if isinstance(images, list) else move(images)
