"""Sections of a page, and the figures and tables that they are made of."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reid_plugins_report.page.html import Child, Html, tag
from reidcore.plugins import describe

_log = logging.getLogger(f"reidcore.{__name__}")


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading of its own.

    Attributes:
        title: the heading, in a few words.
        body: what stands below it.
        place: sections are shown in the order of their places; the bundled ones have 10, 20, ...
        lead: a sentence or two on how to read it, above the body.
    """

    title: str
    body: Html
    place: int = 500
    lead: str = ""


def failed(what: str, error: Exception) -> Section:
    """Return what stands on the page for sections that could not be made, and warn of it.

    Args:
        what: could not be made.
        error: why.
    """
    told = f"{what} failed: {describe(error)}"
    _log.warning("! %s", told, exc_info=error)
    return Section("Sections that failed", tag("p", told, class_="fault"), 999)


def figures(*shown: Html | None) -> Html:
    """Return figures side by side, as many in a row as there is room for."""
    return tag("div", *shown, class_="figures")


def figure(title: str, content: Child, note: Child = None, *, is_wide: bool = False) -> Html:
    """Return a chart or table under a title, with a remark below it.

    Args:
        title: what is shown.
        content: a chart of `reid_plugins_report.charts`, say.
        note: a sentence below it.
        is_wide: take the whole width of the page.
    """
    below = None if note is None else tag("p", note, class_="note")
    kind = "card wide" if is_wide else "card"
    return tag("figure", tag("figcaption", title), content, below, class_=kind)


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numbers: bool = True,
    label: str = "",
) -> Html:
    """Return a table that scrolls by itself where it is wider than the page.

    Args:
        headings: of the columns.
        rows: as many cells each; the first is the row's heading.
        numbers: whether the other cells are numbers, which stand on the right.
        label: what it is, for those who hear the page.
    """
    head = tag("tr", [tag("th", heading, scope="col") for heading in headings])
    body = [
        tag("tr", tag("th", first, scope="row"), [tag("td", cell) for cell in others])
        for first, *others in rows
    ]
    kind = "numbers" if numbers else "texts"
    inner = tag("table", tag("thead", head), tag("tbody", body), class_=kind)
    return tag(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=label or headings[0]
    )
