"""Values that the options of datasets may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from reidcore.errors import DataError, did_you_mean, quoted

Meaning = TypeVar("Meaning")


def check_split_id(title: str, split_id: int, count: int) -> None:
    """Check that a dataset has a split of that number, base 0.

    Raises:
        DataError: it has not.
    """
    if isinstance(split_id, bool) or not isinstance(split_id, int) or not 0 <= split_id < count:
        raise DataError(
            f"{title} has no split {quoted(split_id)}",
            f"Choose split_id from 0 to {count - 1}" if count > 1 else "It has split_id 0 alone",
        )


def choose(title: str, option: str, value: object, meanings: Mapping[str, Meaning]) -> Meaning:
    """Return what the value of an option means.

    Args:
        title: name of the dataset, for messages.
        option: name of the option.
        value: what was given; a number counts as its digits.
        meanings: each allowed value with its meaning.

    Raises:
        DataError: the value is none of them.
    """
    try:
        return meanings[str(value)]
    except KeyError:
        raise DataError(
            f"{title} has no {option} {quoted(value)}",
            f"{did_you_mean(value, meanings)} Choose from {', '.join(meanings)}".lstrip(),
        ) from None
