"""Tables as the command line prints them: no borders, the first column of names in colour."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, cast

from reidcore._tables import plain, plain_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

_UNLIMITED = 10_000


def table(first: str, *columns: Column | str, title: str = "") -> Table:
    """Return an empty table of rich's, whose cells show text as it is, in one line.

    Args:
        first: heading of the first column, whose names are never cut.
        columns: headings of the others, or columns of rich's; see `number`.
        title: above it.
    """
    from rich.table import Column

    names = Column(first, style="cyan", overflow="fold")
    made = plain_table()(names, *columns, box=None, pad_edge=False)
    made.title = plain(title, "bold") if title else None
    made.title_justify = "left"
    return made


def console() -> Console:
    """Return a console of rich's for standard output, as wide as what a pipe or file gets needs."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=_UNLIMITED, file=cast("IO[str]", _Trimmed()))


class _Trimmed:
    """Standard output without the spaces that fill up the lines of a table."""

    def write(self, text: str) -> int:
        return sys.stdout.write("\n".join(line.rstrip(" ") for line in text.split("\n")))

    def flush(self) -> None:
        sys.stdout.flush()


def number(heading: str) -> Column:
    """Return a column of numbers."""
    from rich.table import Column

    return Column(heading, justify="right", no_wrap=True)


def word(heading: str, style: str = "") -> Column:
    """Return a column of words that are never wrapped."""
    from rich.table import Column

    return Column(heading, style=style, no_wrap=True)
