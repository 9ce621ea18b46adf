"""Tables of text: what stands in a cell is one line, and no markup."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from reidcore.errors import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text


def plain(text: str, style: str = "") -> Text:
    """Return text for a heading or a cell, in one line: ``[a]`` in a name is no markup."""
    from rich.text import Text

    return Text(printable(text, one_line=True), style=style)


@cache
def plain_table() -> type[Table]:
    """Return rich's table with cells of plain text."""
    from rich.table import Table

    class PlainTable(Table):
        def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
            texts = (plain(cell) if isinstance(cell, str) else cell for cell in cells)
            super().add_row(*texts, **options)

    return PlainTable
