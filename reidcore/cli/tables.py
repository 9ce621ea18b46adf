"""Tables as the command line prints them: no borders, the first column of names in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Column, Table


def table(first: str, *columns: Column | str, title: str = "") -> Table:
    """Return an empty table of rich's.

    Args:
        first: heading of the first column, whose names are never cut.
        columns: headings of the others, or columns of rich's; see `number`.
        title: above it.
    """
    from rich.table import Column, Table

    names = Column(first, style="cyan", overflow="fold")
    made = Table(names, *columns, box=None, pad_edge=False)
    made.title, made.title_justify, made.title_style = title or None, "left", "bold"
    return made


def number(heading: str) -> Column:
    """Return a column of numbers."""
    from rich.table import Column

    return Column(heading, justify="right", no_wrap=True)


def word(heading: str, style: str = "") -> Column:
    """Return a column of words that are never wrapped."""
    from rich.table import Column

    return Column(heading, style=style, no_wrap=True)
