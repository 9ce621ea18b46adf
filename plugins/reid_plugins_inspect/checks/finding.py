"""What a check has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

EXAMPLES = 5
"""How many examples a finding keeps."""

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        check: name of the check, for programs that read reports.
        severity: ``error`` (training or testing would fail, or its figures be wrong), ``warning``
            (worth a look) or ``note`` (good to know).
        message: what was found, in a sentence.
        count: how many there are of it.
        examples: the first few of them.
        advice: what to do about it.
    """

    check: str
    severity: str
    message: str
    count: int
    examples: tuple[str, ...] = ()
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"examples": list(self.examples)}


def first(examples: Sequence[str]) -> tuple[str, ...]:
    """Return the examples that a finding keeps."""
    return tuple(examples[:EXAMPLES])
