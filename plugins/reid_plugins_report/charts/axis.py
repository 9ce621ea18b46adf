"""Scales: from values to places on a chart, with round numbers along them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Form = Callable[[float], str]

_MOST_TICKS = 6


def plain(value: float) -> str:
    """Return a number in as few digits as tell it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    """Return a share as per cent."""
    shown = 100 * value
    return f"{shown:.0f}" if math.isclose(shown, round(shown), abs_tol=1e-9) else f"{shown:.3g}"


@dataclass(frozen=True)
class Scale:
    """What an axis shows.

    Attributes:
        label: its name, with its unit.
        low: its lower end.
        high: its upper end, greater than the lower.
        is_log: logarithmic, from a positive lower end.
        form: how its values are written.
    """

    label: str
    low: float
    high: float
    is_log: bool = False
    form: Form = plain

    def share(self, value: float) -> float:
        """Return where a value lies, from 0 to 1; those beyond an end lie there."""
        low, high = self.low, self.high
        if self.is_log:
            value, low, high = math.log(max(value, low)), math.log(low), math.log(high)
        return min(max((value - low) / (high - low), 0.0), 1.0)

    def ticks(self) -> Sequence[float]:
        """Return round values in it, ascending."""
        if self.is_log:
            first, last = (
                math.ceil(math.log10(self.low) - 1e-9),
                math.floor(math.log10(self.high) + 1e-9),
            )
            return [10.0**power for power in range(first, last + 1)]
        step = _step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    @staticmethod
    def around(
        label: str, values: Sequence[float], form: Form = plain, floor: float | None = None
    ) -> Scale:
        """Return a scale whose ends are round numbers around values.

        Args:
            label: its name.
            values: at least one.
            form: how they are written.
            floor: where the scale begins whatever the values.
        """
        low, high = (min(values) if floor is None else floor), max(values)
        if high <= low:
            high = low + (abs(low) / 10 or 1.0)
        step = _step(high - low)
        return Scale(label, math.floor(low / step) * step, math.ceil(high / step) * step, form=form)


def _step(span: float) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that parts a span in few enough ticks."""
    power = 10.0 ** math.floor(math.log10(span / _MOST_TICKS))
    factors = (1, 2, 5, 10)
    return next(
        factor * power for factor in factors if factor * power * _MOST_TICKS >= span * 0.999
    )
