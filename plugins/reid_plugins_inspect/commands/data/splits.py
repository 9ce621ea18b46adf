"""The splits of a dataset as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reidcore.cli import number, table

if TYPE_CHECKING:
    from rich.table import Table


def splits_table(
    unit: str,
    counts: Mapping[str, Mapping[str, Any]],
    histograms: Mapping[str, Mapping[str, Any]],
    title: str = "",
) -> Table:
    """Return a row of numbers for each split.

    Args:
        unit: ``images`` or ``tracklets``.
        counts: split -> ``ids``, ``images`` and ``cameras``; None for what is not known.
        histograms: split -> ``min``, ``median`` and ``max`` images of an identity, where known.
        title: above the table.
    """
    headings = ("ids", unit, "cameras", f"{unit} of an identity")
    shown = table("split", *map(number, headings), title=title)
    for split, row in counts.items():
        spread = histograms.get(split)
        summary = (
            f"{spread['min']:,} to {spread['max']:,}, median {spread['median']:g}" if spread else ""
        )
        counted = [row[name] for name in ("ids", "images", "cameras")]
        shown.add_row(split, *("-" if n is None else f"{n:,}" for n in counted), summary)
    return shown
