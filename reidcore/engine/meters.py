"""Running averages of what a run shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

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
