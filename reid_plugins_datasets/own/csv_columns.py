"""Which column of a table is which, and what is said where one is missing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError

__all__ = ["check_columns", "names_in", "usual_name"]

MEANINGS = {
    "path": "the path of each image",
    "pid": "who or what it shows",
    "camid": "which camera saw it",
    "split": "train, query or gallery",
}
"""Column -> what it says."""

_USUAL = {
    "path": "file filename file_name filepath file_path image image_path img img_path impath",
    "pid": "id identity label person person_id personid vehicle vehicle_id vehicleid",
    "camid": "cam cam_id camera camera_id cameraid",
    "split": "fold part partition phase set subset",
}
"""Column -> what others call it."""


def names_in(header: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Return column -> its name in this table, where one is so but for capital letters.

    Args:
        header: the names in the first line.
        names: column -> the name that is sought; it is kept where there is none.
    """
    found = {}
    for role, name in names.items():
        alike = [each for each in header if each.casefold() == name.casefold()]
        found[role] = alike[0] if name not in header and len(alike) == 1 else name
    return found


def check_columns(header: Sequence[str], names: Mapping[str, str], table: Path) -> None:
    """Make sure that a table has its columns; that of the cameras may be absent.

    Args:
        header: the names in the first line.
        names: column -> its name in this table.
        table: the file, for the message.

    Raises:
        DataError: some are missing; the message says what they hold, and how to name others.
    """
    missing = [
        (role, name)
        for role, name in names.items()
        if name not in header and (role, name) != ("camid", "camid")
    ]
    if missing:
        rest = [each for each in header if each not in names.values()]
        alike = {role: _alike(role, name, rest) for role, name in missing}
        if names["camid"] not in header and (camera := usual_name("camid", rest)):
            alike["camid"] = camera  # which may be absent, but is not where others are renamed
        lacking = " and ".join(f"{name!r} ({MEANINGS[role]})" for role, name in missing)
        raise DataError(
            f"{str(table)!r} has no column {lacking}; its first line names "
            f"{', '.join(map(repr, header))}",
            _hint({role: alike[role] for role in names if role in alike}),
        )


def usual_name(role: str, header: Sequence[str]) -> str:
    """Return the column of a header that is usually called so; empty without one."""
    usual = {role, *_USUAL[role].split()}
    return next((name for name in header if name.casefold() in usual), "")


def typed(columns: Sequence[npt.NDArray[np.str_]]) -> list[npt.NDArray[Any]]:
    """Return text as whole numbers, or as numbers, if there is nothing else in any of them."""
    if any(np.char.count(column, "_").any() for column in columns):  # 1_2 is no 12
        return list(columns)
    for kind in (np.int64, np.float64):
        try:
            return [column.astype(kind) for column in columns]
        except (ValueError, OverflowError):
            continue
    return list(columns)


def _alike(role: str, name: str, header: Sequence[str]) -> str:
    """Return the column of a header that may be the one that is missing; empty without one."""
    # A word that is merely alike, as plate is to split, says something else.
    alike = difflib.get_close_matches(name.casefold(), [*map(str.casefold, header)], 1, cutoff=0.8)
    near = (each for each in header if alike and each.casefold() == alike[0])
    return usual_name(role, header) or next(near, "")


def _hint(found: Mapping[str, str]) -> str:
    """Say which options name the columns; those that were found, and the others by NAME."""
    options = " ".join(f"csv.{role}={name or 'NAME'}" for role, name in found.items())
    steps = [f"If other columns say so, set {options}"]
    if found.get("split") == "":
        steps.append(
            "Where nothing says the split, reidcore data split TABLE makes a column that does"
        )
    return ". ".join(steps)
