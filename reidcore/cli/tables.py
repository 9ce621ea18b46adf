"""Tables as the command line prints them: no borders, the first column of names in colour."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from reidcore.errors import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Column, Table


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


def number(heading: str) -> Column:
    """Return a column of numbers."""
    from rich.table import Column

    return Column(heading, justify="right", no_wrap=True)


def word(heading: str, style: str = "") -> Column:
    """Return a column of words that are never wrapped."""
    from rich.table import Column

    return Column(heading, style=style, no_wrap=True)
