"""The Python of a notebook: its code cells as one text, and the edits put back into them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reid_plugins_migrate.imports.source import Edit, Source

_MAGIC = re.compile(r"^([ \t]*)([%!?][^\r\n]*)", re.M)
_INDENTS = (1, 2, 4, None)  # of JSON; notebooks are written with the first


@dataclass
class Notebook:
    """A notebook.

    Attributes:
        content: its JSON.
        indent: by which that was written.
        end: what stands behind it.
    """

    content: dict[str, Any]
    indent: int | None
    end: str

    @classmethod
    def read(cls, text: str) -> Notebook:
        """Read a notebook's text.

        Raises:
            ValueError: if it is none.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
            raise ValueError("it has no cells")
        body = text.rstrip()
        same = (each for each in _INDENTS if _as_json(content, each) == body)
        return cls(content, next(same, 1), text[len(body) :])

    @property
    def python(self) -> str:
        """The code of all cells, a newline after each; what IPython alone reads is a pass."""
        return "".join(f"{_plain(source)}\n" for _, source in self._code())

    def with_edits(self, edits: Sequence[Edit]) -> str:
        """Return the notebook's text with edits to its code."""
        start = 0
        for cell, source in list(self._code()):
            end = start + len(_plain(source).encode())
            inside = [
                Edit(edit.start - start, edit.end - start, edit.text)
                for edit in edits
                if start <= edit.start and edit.end <= end
            ]
            if inside:
                edited = Source(source).edited(inside)
                is_list = isinstance(cell["source"], list)
                cell["source"] = edited.splitlines(keepends=True) if is_list else edited
            start = end + 1  # the newline after it
        return _as_json(self.content, self.indent) + self.end

    def _code(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the cells of Python, each with its text."""
        for cell in self.content["cells"]:
            if not isinstance(cell, dict) or cell.get("cell_type") != "code":
                continue
            given = cell.get("source", "")
            source = "".join(given) if isinstance(given, list) else str(given)
            if not source.lstrip().startswith("%%"):
                yield cell, source


def _plain(source: str) -> str:
    """Return a cell's text as Python of the same length, its magics as ``pass``."""

    def passing(match: re.Match[str]) -> str:
        length = len(match[2].encode())
        return match[1] + ("pass".ljust(length) if length >= 4 else "0".ljust(length))

    return _MAGIC.sub(passing, source)


def _as_json(content: dict[str, Any], indent: int | None) -> str:
    return json.dumps(content, indent=indent, ensure_ascii=False)
