"""A file's text as bytes of UTF-8, as ``ast`` counts columns, and edits to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")
_Node: TypeAlias = ast.stmt | ast.expr | ast.alias


@dataclass(frozen=True, order=True)
class Edit:
    """What stands between two offsets becomes a text.

    Attributes:
        start: offset of the first byte.
        end: offset behind the last.
        text: what stands there instead.
    """

    start: int
    end: int
    text: str


class Source:
    """The text of a file.

    Args:
        text: with the ends of lines that the file has.
    """

    def __init__(self, text: str) -> None:
        self.bytes = text.encode()
        self._lines = [match.start() for match in _LINE.finditer(self.bytes)]
        self.newline = "\r\n" if b"\r\n" in self.bytes else "\n"

    def span(self, node: _Node) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def text(self, start: int, end: int) -> str:
        """Return what stands between two offsets."""
        return self.bytes[start:end].decode()

    def before(self, offset: int) -> str:
        """Return what stands before an offset in its line."""
        return self.bytes[:offset].decode().rpartition("\n")[2].rpartition("\r")[2]

    def end_of_line(self, offset: int) -> int:
        """Return where the line of an offset ends, before its newline."""
        found = re.compile(rb"[\r\n]|$").search(self.bytes, offset)
        assert found is not None
        return found.start()

    def found(self, form: re.Pattern[str]) -> Iterator[tuple[int, str]]:
        """Yield what is of a form, the first of each line, with the line's number."""
        for number, line in enumerate(_LINE.findall(self.bytes), 1):
            if match := form.search(line.decode()):
                yield number, match[0]

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the text with edits that do not overlap."""
        pieces, done = [], 0
        for edit in sorted(edits):
            pieces += [self.bytes[done : edit.start], edit.text.encode()]
            done = edit.end
        return b"".join([*pieces, self.bytes[done:]]).decode()
