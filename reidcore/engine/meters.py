"""What a run shows of itself: running averages, and where it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor


class AverageMeter:
    """The last value, sum, count and average of a number.

    Values may be tensors: they are summed where they live and read only when they are shown,
    since reading waits for the device.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._last: float | Tensor = 0.0
        self._sum: float | Tensor = 0.0
        self.count = 0

    def update(self, val: float | Tensor, n: int = 1) -> None:
        """Take in ``val``, ``n`` times."""
        if isinstance(val, Tensor):
            val = val.detach().to(torch.float32 if val.device.type == "mps" else torch.float64)
        self._last = val
        self._sum = self._sum + val * n
        self.count += n

    @property
    def val(self) -> float:
        """The last value."""
        return float(self._last)

    @property
    def sum(self) -> float:
        """The sum of all values."""
        return float(self._sum)

    @property
    def avg(self) -> float:
        """The average of all values; 0 before the first."""
        return self.sum / self.count if self.count else 0.0

    def state_dict(self) -> dict[str, float]:
        """Return what the average is made of."""
        return {"sum": self.sum, "count": self.count}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from where another meter was."""
        self._sum, self.count = state["sum"], int(state["count"])


class MetricMeter:
    """An average for each of several named numbers.

    Args:
        delimiter: stands between the numbers when they are printed.
    """

    def __init__(self, delimiter: str = "  ") -> None:
        self.meters: dict[str, AverageMeter] = defaultdict(AverageMeter)
        self.delimiter = delimiter

    def update(self, input_dict: Mapping[str, float | Tensor] | None) -> None:
        """Take in a value for each name."""
        for name, value in (input_dict or {}).items():
            self.meters[name].update(value)

    def averages(self) -> dict[str, float]:
        """Return the average of each number."""
        return {name: meter.avg for name, meter in self.meters.items()}

    def __str__(self) -> str:
        return self.delimiter.join(
            f"{name} {meter.val:.4f} ({meter.avg:.4f})" for name, meter in self.meters.items()
        )


class EpochMeters:
    """What an epoch has shown so far.

    A checkpoint in its midst keeps them, so that averages are always those of the whole epoch.

    Attributes:
        figures: the averages of what steps reported.
        batch_seconds: how long a batch took.
        data_seconds: how long one was waited for.
        batches: how many the step was given.
        steps: how many of them it did not leave out.
    """

    def __init__(self) -> None:
        self.figures = MetricMeter()
        self.batch_seconds, self.data_seconds = AverageMeter(), AverageMeter()
        self.batches = self.steps = 0

    def update(self, figures: Mapping[str, float | Tensor] | None, seconds: float) -> None:
        """Take in a batch: what its step reported (None if left out), and how long it took."""
        self.batches += 1
        self.batch_seconds.update(seconds)
        if figures is not None:
            self.steps += 1
            self.figures.update(figures)

    def state_dict(self) -> dict[str, Any]:
        """Return everything in plain values."""
        return {
            "figures": {name: each.state_dict() for name, each in self.figures.meters.items()},
            "batch_seconds": self.batch_seconds.state_dict(),
            "data_seconds": self.data_seconds.state_dict(),
            "batches": self.batches,
            "steps": self.steps,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where other meters were."""
        for name, each in state["figures"].items():
            self.figures.meters[name].load_state_dict(each)
        self.batch_seconds.load_state_dict(state["batch_seconds"])
        self.data_seconds.load_state_dict(state["data_seconds"])
        self.batches, self.steps = state["batches"], state["steps"]


@dataclass(frozen=True)
class Position:
    """Where a run is; counts are of what is done.

    Attributes:
        epoch: the epoch under way, from 1.
        max_epoch: the last epoch.
        batch: batches done in it.
        num_batches: batches in an epoch.
        seconds_per_batch: how long one took on average in this epoch.
    """

    epoch: int
    max_epoch: int
    batch: int
    num_batches: int
    seconds_per_batch: float = 0.0

    @property
    def batches_left(self) -> int:
        """Batches still to do in the whole run."""
        return (self.max_epoch - self.epoch + 1) * self.num_batches - self.batch

    @property
    def eta(self) -> timedelta:
        """How long the rest of the training will take at this pace."""
        return timedelta(seconds=round(self.batches_left * self.seconds_per_batch))
