"""The number of a split, for datasets that are split several times."""

from __future__ import annotations

from reidcore.errors import DataError


def check_split_id(title: str, split_id: int, count: int) -> None:
    """Check that a dataset has a split of that number, base 0.

    Raises:
        DataError: it has not.
    """
    if isinstance(split_id, bool) or not isinstance(split_id, int) or not 0 <= split_id < count:
        raise DataError(
            f"{title} has no split {split_id!r}",
            f"Choose split_id from 0 to {count - 1}" if count > 1 else "It has split_id 0 alone",
        )
