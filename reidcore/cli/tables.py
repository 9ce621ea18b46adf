"""Tables as the command line prints them: no borders, the first column of names in colour."""

from __future__ import annotations

import sys
from functools import cache
from typing import IO, TYPE_CHECKING, Any, cast

from reidcore.errors import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Column, Table

_UNLIMITED = 10_000


def table(first: str, *columns: Column | str, title: str = "") -> Table:
    """Return an empty table of rich's, whose cells show text as it is, see `printable`.

    Args:
        first: heading of the first column, whose names are never cut.
        columns: headings of the others, or columns of rich's; see `number`.
        title: above it.
    """
    from rich.table import Column
    from rich.text import Text

    names = Column(first, style="cyan", overflow="fold")
    made = _plain_table()(names, *columns, box=None, pad_edge=False)
    made.title = Text(printable(title), style="bold") if title else None
    made.title_justify = "left"
    return made


@cache
def _plain_table() -> type[Table]:
    """Return rich's table with cells of plain text: ``[a]`` in a name is no markup."""
    from rich.table import Table
    from rich.text import Text

    class PlainTable(Table):
        def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
            plain = [Text(printable(cell)) if isinstance(cell, str) else cell for cell in cells]
            super().add_row(*plain, **options)

    return PlainTable


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
