"""A terminal that remembers what stood on it."""

from __future__ import annotations

import io
from typing import Any

import pyte
import pytest
from rich.console import Console


class Terminal(io.TextIOBase):
    """A stream that a terminal emulator reads, with all lines that scrolled away.

    Args:
        columns: its width.
        rows: its height.
    """

    def __init__(self, columns: int, rows: int = 12) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
        self.stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        # A terminal driver puts the cursor to the line's begin after each newline.
        self.stream.feed(text.replace("\n", "\r\n"))
        return len(text)

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """Everything that stands on the terminal, from the first line on, without blank ends."""
        scrolled = ["".join(row[x].data for x in sorted(row)) for row in self.screen.history.top]
        shown = [line.rstrip() for line in [*scrolled, *self.screen.display]]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def console(self) -> Console:
        """Return a console that draws on it."""
        file: Any = self
        return Console(
            file=file,
            force_terminal=True,
            width=self.screen.columns,
            height=self.screen.lines,
            legacy_windows=False,
        )


@pytest.fixture
def make_terminal() -> type[Terminal]:
    return Terminal
