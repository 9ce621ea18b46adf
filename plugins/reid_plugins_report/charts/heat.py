"""Tables whose cells are shaded by their value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reid_plugins_report.charts.axis import Form
from reid_plugins_report.page import Html, tag

SHADES = 8


def heat_table(
    rows: Sequence[str],
    columns: Sequence[str],
    values: npt.NDArray[np.floating],
    label: str,
    corner: str,
    notes: Sequence[Sequence[str]] = (),
    form: Form = lambda share: f"{100 * share:.1f}",
) -> Html:
    """Return a table whose shades go from the least value to the greatest.

    Args:
        rows: headings of the rows.
        columns: headings of the columns.
        values: (rows, columns), NaN for an empty cell.
        label: what it shows, for those who hear the page.
        corner: what rows and columns are.
        notes: (rows, columns) what a cell tells under the pointer.
        form: how values are written; shares as per cent by default.
    """
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    head = tag(
        "tr", tag("td", corner, class_="corner"), [_heading(name, "col") for name in columns]
    )
    body = []
    for place, name in enumerate(rows):
        cells = []
        for column, value in enumerate(values[place].tolist()):
            note = notes[place][column] if notes else None
            cells.append(_cell(value, low, high, form, note))
        body.append(tag("tr", _heading(name, "row"), cells))
    inner = tag("table", tag("thead", head), tag("tbody", body), class_="heat")
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=label)


def _heading(name: str, scope: str) -> Html:
    return tag("th", name, scope=scope)


def _cell(value: float, low: float, high: float, form: Form, note: str | None) -> Html:
    if np.isnan(value):
        return tag("td", "–", class_="none", title=note)  # noqa: RUF001
    share = (value - low) / (high - low) if high > low else 0.5
    return tag("td", form(value), class_=f"h{min(int(share * SHADES), SHADES - 1)}", title=note)
