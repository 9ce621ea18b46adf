"""What lies in a dataset and is not used: counted, told once with its first names, and recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reidcore._wording import one_of
from reidcore.errors import counted

_log = logging.getLogger(__name__)

_SHOWN = 3


@dataclass(frozen=True)
class LeftOut:
    """Things of one kind that a dataset does not use, for one reason.

    Attributes:
        what: their kind, as in ``images of identity -1``.
        why: the reason, where the kind does not say it.
        count: how many there are.
        names: the first three.
        total: among how many they were found; 0 where that says nothing.
        expected: whether the dataset's layout says so; otherwise it may be a mistake.
    """

    what: str
    why: str
    count: int
    names: tuple[str, ...]
    total: int = 0
    expected: bool = False

    @property
    def amount(self) -> str:
        """How many of what, in words: ``1 link``, or ``3 of 1,200 images``."""
        part = f"{self.count:,} of " if self.total else ""
        return part + counted(self.total or self.count, one_of(self.what), self.what)

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        # What the layout itself leaves out need not be looked for, and paths are long.
        names = [Path(name).name for name in self.names] if self.expected else self.names
        return f"{self.amount} left out{why}: {first_names(names, self.count)}"

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"names": list(self.names)}

    def joined(self, other: LeftOut) -> LeftOut:
        """Return both together, which are of one kind and reason."""
        return LeftOut(
            self.what,
            self.why,
            self.count + other.count,
            (*self.names, *other.names)[:_SHOWN],
            self.total + other.total,
            self.expected,
        )


_Kinds = dict[tuple[str, str, bool], LeftOut]
_noted: ContextVar[_Kinds | None] = ContextVar("reidcore_left_out", default=None)


def leave_out(
    names: Sequence[object], what: str, why: str = "", *, total: int = 0, expected: bool = False
) -> None:
    """Say that a dataset does not use what has these names; nothing happens if there are none.

    Whoever reads the dataset (`noting_left_out`) tells each kind in one line and records it;
    outside of that it is told at once.

    Args:
        names: of all of them, of which three are kept; a tracklet's name is its frames'.
        what: their kind in the plural, as in ``images of identity -1``.
        why: the reason, where the kind does not say it.
        total: among how many they were found.
        expected: whether the layout says so (told as information) or not (a warning).
    """
    if not len(names):
        return
    shown = tuple(str(name[0] if isinstance(name, tuple) else name) for name in names[:_SHOWN])
    found = LeftOut(what, why, len(names), shown, total, expected)
    kinds = _noted.get()
    if kinds is None:
        _tell(found)
        return
    key = (what, why, expected)
    kinds[key] = kinds[key].joined(found) if key in kinds else found


@contextmanager
def noting_left_out(title: str) -> Iterator[list[LeftOut]]:
    """Yield a list that has, after the block, what a dataset left out in it; tell it in lines.

    Args:
        title: the dataset, for the lines.
    """
    told: list[LeftOut] = []
    kinds: _Kinds = {}
    token = _noted.set(kinds)
    try:
        yield told
    finally:
        _noted.reset(token)
    told.extend(kinds.values())
    for found in told:
        _tell(found, f"{title}: ")


def first_names(names: Sequence[object], count: int) -> str:
    """Show the first three of ``count`` names, and how many more there are."""
    more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
    return ", ".join(repr(str(name)) for name in names[:_SHOWN]) + more


def _tell(found: LeftOut, title: str = "") -> None:
    _log.log(logging.INFO if found.expected else logging.WARNING, "%s%s", title, found)
