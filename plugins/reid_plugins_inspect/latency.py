"""How long a model takes, on the device at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from reidcore.errors import UserError

_WARM_UP = 3
_LEAST_RUNS = 5


@dataclass(frozen=True)
class Latency:
    """Times of one batch, in milliseconds.

    Attributes:
        batch: images at a time (B).
        p50: half of the runs took no longer.
        p95: 95 of 100 took no longer.
        images_per_second: at ``p50``.
        runs: how many were timed.
    """

    batch: int
    p50: float
    p95: float
    images_per_second: float
    runs: int


def measure_latency(
    model: nn.Module,
    size: tuple[int, int],
    batch: int,
    device: torch.device,
    runs: int = 50,
    seconds: float = 5.0,
) -> Latency:
    """Time a model's features for a batch that is on the device already.

    The device is waited for around every run; the first runs, in which it chooses its kernels, do
    not count.

    Args:
        model: the network; it is moved to the device and left there, in evaluation mode.
        size: height and width of the images.
        batch: images at a time (B).
        device: where it runs.
        runs: how many are timed,
        seconds: or fewer once so much time has passed, but five at least.

    Raises:
        UserError: if the batch does not fit into the device's memory.
    """
    network = model.eval().to(device).to(memory_format=torch.channels_last)
    images = torch.randn(batch, 3, *size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    wait = _waiting(device)
    taken: list[float] = []
    try:
        with torch.inference_mode():
            for _ in range(_WARM_UP):
                network(images)
            began = time.perf_counter()
            while len(taken) < runs and not _is_over(began, seconds, len(taken)):
                wait()
                start = time.perf_counter()
                network(images)
                wait()
                taken.append(time.perf_counter() - start)
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"a batch of {batch} does not fit into the memory of {device}", "Give smaller batches."
        ) from error
    p50, p95 = (float(1000 * each) for each in np.percentile(taken, (50, 95)))
    return Latency(batch, p50, p95, 1000 * batch / p50, len(taken))


def _is_over(began: float, seconds: float, done: int) -> bool:
    return done >= _LEAST_RUNS and time.perf_counter() - began > seconds


def _waiting(device: torch.device) -> Callable[[], None]:
    """Return what waits until a device has done all it was given."""
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    if device.type == "mps":
        return torch.mps.synchronize
    return lambda: None
