"""Lists that come with a dataset: text files of one sample a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from reid_plugins_datasets.reading.names import full_match, shown
from reidcore.errors import DataError, counted


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file, without the blanks around them and without empty lines.

    Raises:
        DataError: it cannot be read or has nothing in it.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"the list {str(path)!r} is no file", "Get it again")
    try:
        # Labels are ASCII; what else stands there may be in any encoding.
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"cannot read the list {str(path)!r}: {error.strerror}") from error
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    if not lines:
        raise DataError(f"the list {str(path)!r} is empty", "Get it again")
    return lines


def match_lines(
    lines: Sequence[str], pattern: re.Pattern[str], example: str, path: Path
) -> list[re.Match[str]]:
    """Match every line of a list, in its order.

    Args:
        lines: what `read_lines` gave.
        pattern: what a whole line looks like; its groups carry the labels.
        example: such a line.
        path: the list, for messages.

    Raises:
        DataError: lines have another form; it counts them and shows the first three.
    """
    matches = [match for line in lines if (match := full_match(pattern, line))]
    if len(matches) < len(lines):
        raise bad_lines(
            [line for line in lines if not full_match(pattern, line)],
            len(lines),
            path,
            f"Expected lines such as {example!r}",
        )
    return matches


def bad_lines(lines: Sequence[str], total: int, path: Path, hint: str) -> DataError:
    """Return the error that counts a list's wrong lines, and shows the first three."""
    what = f"{len(lines)} of {counted(total, 'line')} of {str(path)!r} are wrong: {shown(lines)}"
    return DataError(what, hint)
