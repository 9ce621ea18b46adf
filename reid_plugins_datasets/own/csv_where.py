"""The rows of a table that a dataset reads: those whose column has one of some values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

from reid_plugins_datasets.own.csv_rows import Piece
from reidcore.data import leave_out
from reidcore.errors import DataError, did_you_mean

_SHOWN = 10


class Where:
    """A condition on the rows of a table.

    Args:
        condition: ``COLUMN=VALUE``, or with several values between commas.
        header: the names of the columns.
        table: the file, for messages.

    Raises:
        DataError: it is no condition, or there is no such column.
    """

    def __init__(self, condition: str, header: Sequence[str], table: Path) -> None:
        column, equals, values = condition.partition("=")
        self._column, self._table = column.strip(), table
        self._values = [value.strip() for value in values.split(",")]
        if not equals or not column.strip() or "" in self._values:
            raise DataError(
                f"csv.where={condition!r} is no condition on rows",
                "Write a column and the values that count, as in csv.where=class=car,van",
            )
        if self._column not in header:
            near = did_you_mean(self._column, header)
            raise DataError(
                f"{str(table)!r} has no column {self._column!r}, which csv.where names",
                f"{near} Its first line names {', '.join(map(repr, header))}".strip(),
            )

    def of(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """Yield pieces without the other rows, which are counted.

        Raises:
            DataError: no row has one of the values.
        """
        seen: dict[str, None] = {}
        others: list[str] = []
        for piece in pieces:
            texts = [text.strip() for text in piece.columns[self._column]]
            seen |= dict.fromkeys(texts)
            is_wanted = [text in self._values for text in texts]
            others += [
                f"line {line}" for line in compress(piece.lines, (not one for one in is_wanted))
            ]
            if any(is_wanted):
                yield piece.rows_where(is_wanted)
        for value in self._values:
            if value not in seen:
                raise DataError(
                    f"no row of {str(self._table)!r} has {value!r} in the column {self._column!r}",
                    did_you_mean(value, seen) or f"There are {', '.join(list(seen)[:_SHOWN])}",
                )
        why = f"{self._column} is not {' or '.join(self._values)}"
        leave_out(others, "rows", why, expected=True)
