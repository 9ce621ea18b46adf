"""What is wrong with the data, as the check found it: errors end the road, warnings are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reidcore.cli import echo
from reidcore.errors import DataError, counted
from reidcore.utils import read_json

_SHOWN = 3


def findings_in(check: Path) -> list[Mapping[str, Any]]:
    """Return what a check found, the worst first."""
    found: list[Mapping[str, Any]] = read_json(check)["findings"]
    return found


def judge(check: Path, source: Path) -> None:
    """Tell errors and warnings.

    Args:
        check: what ``reidcore data check --json`` wrote.
        source: the data, for the message.

    Raises:
        DataError: there are errors.
    """
    found = findings_in(check)
    for severity in ("error", "warning"):
        for finding in found:
            if finding["severity"] == severity:
                for line in _lines(finding):
                    echo(f"      {line}")
    notes = sum(finding["severity"] == "note" for finding in found)
    errors = [finding for finding in found if finding["severity"] == "error"]
    if notes:
        echo(f"      {counted(notes, 'note')} in {check}")
    if errors:
        first = errors[0]["message"]
        raise DataError(
            f"the data has {counted(len(errors), 'error')}: {first}",
            f"Mend {source} as is told above; the same command then goes on",
        )


def _lines(finding: Mapping[str, Any]) -> Sequence[str]:
    examples = finding["examples"][:_SHOWN]
    more = finding["count"] - len(examples)
    shown = ", ".join(examples) + (f" and {more:,} more" if examples and more > 0 else "")
    lines = [f"{finding['severity']}: {finding['message']}"]
    return [*lines, *(f"  {text}" for text in (shown, finding["advice"]) if text)]
