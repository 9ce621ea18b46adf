"""How messages quote values and count things: in few characters, whatever they are given."""

from __future__ import annotations

import os
import re
import reprlib
from collections.abc import Sequence
from typing import Any

_MOST = 200  # characters of a text that is quoted
_MOST_ITEMS = 8  # of a list, and _MOST_LEVELS of lists within one another
_MOST_LEVELS = 4
_MOST_BITS = 4096  # of a number whose digits are shown; Python refuses to write much longer ones
_LINE, _BEGINNING, _END = 2000, 1200, 600  # characters of a message's line, and what is kept of it


def quoted(value: object) -> str:
    """Return a value as Python writes it, for a message: whole if it is short, else its beginning.

    Asking takes no longer for a large value than for a small one, and raises nothing. A path is
    quoted as text, a tensor by its shape.
    """
    text = _QUOTING.repr(value)
    if len(text) > 2 * _MOST:
        text = f"{text[: 2 * _MOST]}..."
    is_cut = isinstance(value, list | tuple | dict | set | frozenset) and len(value) > _MOST_ITEMS
    return f"{text} ({len(value):,} items)" if is_cut else text  # type: ignore[arg-type]


def counted(number: int, one: str, many: str = "") -> str:
    """Return ``1 image`` or ``1,200 images``.

    Args:
        number: how many there are.
        one: what one of them is called.
        many: what several are called, if that does not end in s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def one_of(many: str) -> str:
    """Return the singular of what begins with a noun in the plural: ``image of identity -1``."""
    return re.sub(r"ies\b|s\b", lambda ending: "y" if ending[0] == "ies" else "", many, count=1)


def joined(words: Sequence[str], last: str = "and") -> str:
    """Return ``a``, ``a and b``, or ``a, b and c``."""
    *first, final = words
    return f" {last} ".join(filter(None, [", ".join(first), final]))


def shortened(text: str, most: int = _MOST) -> str:
    """Return a text for a message: whole if it is short, else its beginning."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def bounded(message: str) -> str:
    """Return a message; of a line that nobody would read to its end, the beginning and the end."""
    if len(message) <= _LINE:
        return message
    return "\n".join(map(_without_middle, message.split("\n")))


def _without_middle(line: str) -> str:
    if len(line) <= _LINE:
        return line
    left_out = len(line) - _BEGINNING - _END
    return f"{line[:_BEGINNING]}... ({left_out:,} characters) ...{line[-_END:]}"


class _Quoting(reprlib.Repr):
    """The standard library's bounded ``repr``; its methods are found by the names of types."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = _MOST_LEVELS
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = _MOST_ITEMS
        self.maxdeque = self.maxarray = self.maxdict = _MOST_ITEMS
        self.maxother = _MOST

    def repr_int(self, value: int, level: int) -> str:
        if value.bit_length() <= _MOST_BITS:
            return shortened(repr(value))
        return f"a number of some {value.bit_length() * 0.30103:,.0f} digits"

    def repr_str(self, value: str, level: int) -> str:
        return self._beginning(value)

    def repr_bytes(self, value: bytes, level: int) -> str:
        return self._beginning(value)

    def repr_dict(self, value: dict[Any, Any], level: int) -> str:
        if level <= 0 and value:
            return "{...}"
        shown = [
            f"{self.repr1(key, level - 1)}: {self.repr1(value[key], level - 1)}"
            for key, _ in zip(value, range(_MOST_ITEMS), strict=False)
        ]
        return f"{{{', '.join(shown)}{', ...' if len(value) > _MOST_ITEMS else ''}}}"

    def repr_instance(self, value: Any, level: int) -> str:
        if isinstance(value, os.PathLike):
            return self._beginning(os.fspath(value))
        if type(value).__name__ in ("Tensor", "Parameter", "ndarray"):
            return f"a {type(value).__name__.lower()} {tuple(value.shape)}"
        return super().repr_instance(value, level)

    def _beginning(self, value: Sequence[Any]) -> str:
        if len(value) <= _MOST:
            return repr(value)
        return f"{value[:_MOST]!r}... ({len(value):,} characters)"


_QUOTING = _Quoting()
