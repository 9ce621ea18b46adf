"""What identities and cameras are called where their numbers are not their names."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from reidcore.data.sample import JUNK_PID

_log = logging.getLogger(__name__)

WITHOUT_CAMERAS = {"train": 0, "query": 0, "gallery": 1}
"""Split -> camera, where cameras are not known: no image is left out of a ranking for its own."""

_WHOLE = re.compile(r"[+-]?[0-9]+(\.0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_JUNK = re.compile(r"-0*1(\.0*)?")
_SPACES = "Zs"  # of any width, as between the parts of a name
_MISSING = ("nan", "<na>")
_LONG = 32  # characters; no number of 64 bits has as many, leading zeros apart
_EXACT_DIGITS = 16  # with more of them a whole number that was a float need not be exact


@dataclass(frozen=True)
class LabelNames:
    """The names of identities and cameras; a number without a name is shown as it is.

    Attributes:
        pids: identity -> its name.
        camids: camera -> its name.
    """

    pids: Mapping[int, str] = field(default_factory=dict)
    camids: Mapping[int, str] = field(default_factory=dict)

    @staticmethod
    def of(samples: Any) -> LabelNames:
        """Return the names that a table has; none for other samples."""
        names = getattr(samples, "names", None)
        return names if isinstance(names, LabelNames) else NUMBERS

    def pid(self, pid: int) -> str:
        """Return what an identity is called."""
        return self.pids.get(int(pid)) or str(int(pid))

    def camid(self, camid: int) -> str:
        """Return what a camera is called."""
        return self.camids.get(int(camid)) or str(int(camid))

    def shifted(self, pids: int = 0, camids: int = 0) -> LabelNames:
        """Return the names of the same labels with constants added to them."""
        return LabelNames(
            {number + pids: name for number, name in self.pids.items()},
            {number + camids: name for number, name in self.camids.items()},
        )

    def filled(self, pids: Iterable[int] = (), camids: Iterable[int] = ()) -> LabelNames:
        """Return the names in which these labels, where they have none, are called as shown now.

        Args:
            pids: identities.
            camids: cameras.
        """
        return LabelNames(
            {int(pid): self.pid(pid) for pid in pids} | dict(self.pids),
            {int(camid): self.camid(camid) for camid in camids} | dict(self.camids),
        )

    def relabelled(self, pids: Iterable[int]) -> LabelNames:
        """Return the names where these identities are numbered from 0, in this order."""
        if not self.pids:
            return self
        return LabelNames({new: self.pid(old) for new, old in enumerate(pids)}, self.camids)

    @staticmethod
    def joined(several: Sequence[LabelNames]) -> LabelNames:
        """Return the names of all, of which the first one's win."""
        first, *others = several
        if all(other is first for other in others):
            return first
        pids: dict[int, str] = {}
        camids: dict[int, str] = {}
        for names in reversed(several):
            pids |= names.pids
            camids |= names.camids
        return LabelNames(pids, camids)


NUMBERS = LabelNames()
"""No names: labels are called by their numbers."""


class NumberedTexts(NamedTuple):
    """Numbers for the identities, or the cameras, of a whole dataset.

    Attributes:
        numbers: text -> number, 0 where it is wrong.
        names: number -> name; empty where the texts are numbers themselves.
        wrong: text -> why it is no label.
        odd: where numbers and names are mixed, a text that is no number.
    """

    numbers: dict[str, int]
    names: dict[int, str]
    wrong: dict[str, str]
    odd: str = ""

    @classmethod
    def of(cls, texts: Iterable[str], lowest: int | None = None) -> Self:
        """Read identities or cameras as numbers or, where any is no number, all of them as names.

        ``1.0``, as pandas writes a whole number, is 1, and ``007`` is 7. Names keep their text:
        among names, ``007`` and ``7`` are two, and ``-2`` is one. They are numbered in their order;
        ``-1`` stays `JUNK_PID`.

        Args:
            texts: all distinct texts of a dataset; spaces around them do not count.
            lowest: the lowest number that is allowed, if there is one; names have none.
        """
        stripped = {text: text.strip() for text in texts}
        wrong = {text: why for text, label in stripped.items() if (why := _no_label(label))}
        labels = {text: label for text, label in stripped.items() if text not in wrong}
        strangers = [text for text, label in labels.items() if not _is_number(label)]
        if strangers:
            names = sorted({label for label in labels.values() if not _JUNK.fullmatch(label)})
            places = {name: number for number, name in enumerate(names)}
            numbers = {text: places.get(label, JUNK_PID) for text, label in labels.items()}
            is_mixed = any(map(_is_number, names))
            return cls(
                dict.fromkeys(wrong, 0) | numbers,
                dict(enumerate(names)),
                wrong,
                strangers[0] if is_mixed else "",
            )
        numbers = {}
        for text, label in labels.items():
            try:
                numbers[text] = _whole_number(label, lowest)
            except ValueError as error:
                wrong[text] = str(error)
        return cls(dict.fromkeys(wrong, 0) | numbers, {}, wrong)

    @classmethod
    def unknown_cameras(cls, where: str) -> Self:
        """Return the names of `WITHOUT_CAMERAS`, and say what follows from it.

        Args:
            where: what does not say its cameras; empty where there are no queries to tell of.
        """
        if where:
            _log.warning(
                "%s: queries count as seen by one camera and the gallery by another, so no image "
                "of the query's own camera is left out",
                where,
            )
        return cls({}, dict.fromkeys(WITHOUT_CAMERAS.values(), "unknown"), {})

    def warn_of_mixture(self, where: str) -> None:
        """Say where they come from if numbers and names are mixed, which may be a mistake."""
        if self.odd:
            _log.warning(
                "%s: %r is no number, so that all of them are names ('7' and '007' are two)",
                where,
                self.odd,
            )


def _no_label(label: str) -> str:
    """Say why a text can be neither a number nor a name; nothing if it can."""
    if not label:
        return "is empty"
    if label.lower() in _MISSING:
        return "says that there is no value"
    shown = all(char.isprintable() or unicodedata.category(char) == _SPACES for char in label)
    return "" if shown else "holds a character that cannot be shown"


def _is_number(label: str) -> bool:
    """Say whether a text is a number; whole ones of more than 64 bits are names."""
    if not _NUMBER.fullmatch(label):
        return False
    if not _WHOLE.fullmatch(label) or "." in label:
        return True
    return len(label) < _LONG and -(2**63) <= int(label) < 2**63


def _whole_number(label: str, lowest: int | None) -> int:
    if not _WHOLE.fullmatch(label):
        raise ValueError("is no whole number")
    digits, point, _ = label.partition(".")
    if point and len(digits) > _EXACT_DIGITS:
        raise ValueError("has lost digits: write the column as text")
    number = int(digits)
    if lowest is not None and number < lowest:
        raise ValueError(f"is below {lowest}, which marks junk")
    return number
