"""What a configuration may hold, whoever writes it: plain values of a bounded size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reidcore._validation import Place, dotted
from reidcore._wording import shortened
from reidcore.errors import ConfigError

MAX_FILE = 1 << 18  # characters
MAX_TEXT = 4096  # characters of one value: the longest path that systems take
MAX_KEY = 200
MAX_DEPTH = 32
MAX_VALUES = 10_000  # keys included, with every alias written out
MAX_NUMBER = 100  # characters of a number; more digits than these are no setting

# Control characters save tab and line ends, and what cannot be written as UTF-8.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def require_plain(place: Place, value: Any, origin: object = "") -> None:
    """Refuse a value that is too large or too deep, or holds what cannot be shown.

    Args:
        place: its key.
        value: the value; of lists and mappings everything inside, of other objects nothing.
        origin: where it was set, for the message.

    Raises:
        ConfigError: naming the key and the origin.
    """
    count = 0
    pending: list[tuple[Place, Any]] = [(place, value)]
    while pending:
        inner, found = pending.pop()
        count += 1
        fault = _fault_of_key(inner) or _fault(found)
        if count > MAX_VALUES:
            inner, fault = place, f"it holds more than {MAX_VALUES:,} values"
        if fault:
            text = f"{shortened(dotted(inner), 60)}: {fault}"
            raise ConfigError(f"{text} ({origin})" if str(origin) else text)
        if isinstance(found, Mapping):
            pending += [((*inner, str(key)), each) for key, each in found.items()]
        elif isinstance(found, list | tuple):
            pending += [((*inner, index), each) for index, each in enumerate(found)]


def _fault_of_key(place: Place) -> str:
    if len(place) > MAX_DEPTH:
        return f"it is nested more than {MAX_DEPTH} deep"
    name = str(place[-1])
    if len(name) > MAX_KEY:
        return f"its name has more than {MAX_KEY} characters"
    return f"its name {_unprintable(name)}" if _unprintable(name) else ""


def _fault(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return "the number does not fit into 64 bits"
    if not isinstance(value, str):
        return ""
    if len(value) > MAX_TEXT:
        return f"the text has {len(value):,} characters, and {MAX_TEXT:,} are the most"
    return f"the text {_unprintable(value)}" if _unprintable(value) else ""


def _unprintable(text: str) -> str:
    found = _UNPRINTABLE.search(text)
    return f"holds the character {found[0]!r}, which cannot be shown" if found else ""
