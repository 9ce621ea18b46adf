"""Which column of a table is which, and what is said where one is missing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from reidcore.errors import DataError

MEANINGS = {
    "path": "the path of each image",
    "pid": "whom (or which vehicle) it shows",
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


def check_columns(header: Sequence[str], names: Mapping[str, str], table: Path) -> None:
    """Make sure that a table has its columns; that of the cameras may be absent.

    Args:
        header: the names in the first line.
        names: column -> its name in this table.
        table: the file, for the message.

    Raises:
        DataError: one is missing; the message says what it holds, and how to name another.
    """
    for role, name in names.items():
        if name in header or (role == name == "camid"):
            continue
        rest = [each for each in header if each not in names.values()]
        raise DataError(
            f"{str(table)!r} has no column {name!r}, which says {MEANINGS[role]}; its first line "
            f"names {', '.join(map(repr, header))}",
            _named_otherwise(role, name, rest),
        )


def usual_name(role: str, header: Sequence[str]) -> str:
    """Return the column of a header that is usually called so; empty without one."""
    usual = {role, *_USUAL[role].split()}
    return next((name for name in header if name.casefold() in usual), "")


def _named_otherwise(role: str, name: str, header: Sequence[str]) -> str:
    # A word that is merely alike, as plate is to split, says something else.
    alike = difflib.get_close_matches(name.casefold(), [*map(str.casefold, header)], 1, cutoff=0.8)
    found = usual_name(role, header) or next(
        (each for each in header if alike and each.casefold() == alike[0]), ""
    )
    if found:
        return f"If that is {found!r}, set csv.{role}={found}"
    if role == "split":
        return (
            "If another column says so, set csv.split=NAME. Where nothing does, "
            "split_identities and write_layout of reidcore.data make such a table"
        )
    return f"If another column says so, set csv.{role}=NAME"
