"""What tells a folder that was drawn from any other: a file that says what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reidcore.errors import DataError, quoted
from reidcore.utils import read_json


def check_limits(settings: object, limits: Mapping[str, tuple[float, float]], title: str) -> None:
    """Refuse a setting that is out of its range.

    Args:
        settings: an object with an attribute for each limit.
        limits: the lowest and the highest value of each setting.
        title: what is made from the settings, for the message.

    Raises:
        DataError: naming the setting.
    """
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise DataError(
                f"the {title}'s {name} is {quoted(value)}",
                f"Choose a number from {low} to {high}.",
            )


def is_made(target: Path, marker: str, record: Mapping[str, Any], title: str) -> bool:
    """Say whether a folder was drawn with the same settings; refuse one that holds anything else.

    Args:
        target: the folder, which need not be there.
        marker: name of the file that says what it was made from.
        record: what that file holds where the settings are the same.
        title: what is drawn, such as ``synthetic dataset``.

    Raises:
        DataError: if it is a file, was made with other settings, or is not empty.
    """
    if not target.exists():
        return False
    if not target.is_dir():
        raise DataError(f"{str(target)!r} is a file", f"Name a folder for the {title}.")
    if (target / marker).is_file():
        if read_json(target / marker) == record:
            return True
        raise DataError(
            f"{str(target)!r} holds a {title} made with other settings",
            f"Name another folder, or remove this one; its settings are in {marker}.",
        )
    if any(target.iterdir()):
        raise DataError(
            f"{str(target)!r} is not empty and no {title}", "Name a new or an empty folder."
        )
    return False
