"""Names and numbers of identities and cameras, as numbers that are the same on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reid_plugins_runs.feature_files.formats import Array, Columns
from reid_plugins_runs.feature_files.names import PREFIX
from reidcore.data import first_names
from reidcore.errors import DataError, counted, quoted

_LIMIT = 2.0**63
_EMPTY = "are missing"


def number_texts(sides: dict[str, Columns], path: Path) -> None:
    """Turn names of identities and cameras into numbers that are the same on both sides.

    Paths are numbered beside, as ``file``. Further columns stay text, which protocols may know.

    Args:
        sides: the columns of each side, which are changed.
        path: the file that has them, for messages.

    Raises:
        DataError: if an identity or a camera is missing or no whole number of 64 bits, or is text
            on one side alone.
    """
    for name in dict.fromkeys(name for found in sides.values() for name in found):
        there = [found for found in sides.values() if name in found]
        texts = [found for found in there if found[name].dtype.kind == "U"]
        if name == "camid" and len(there) == 1:
            side = next(side for side, found in sides.items() if name not in found)
            raise DataError(
                f"{str(path)!r} says the cameras of one side alone", f"Add {PREFIX[side]}_camids."
            )
        if name == "path" and len(texts) == 2 and all(found[name].all() for found in texts):
            for found, codes in zip(texts, _codes([found[name] for found in texts]), strict=True):
                found["file"] = codes
        elif name != "path" and texts and len(texts) < len(there):
            raise DataError(
                f"{name!r} of {str(path)!r} is text on one side and numbers on the other",
                "Write both alike.",
            )
        elif name in ("pid", "camid"):
            _check_each(sides, name, path)
            for found, codes in zip(texts, _codes([found[name] for found in texts]), strict=True):
                found[name] = codes


def _check_each(sides: dict[str, Columns], name: str, path: Path) -> None:
    """Refuse items without an identity or a camera, or with one that is no whole number."""
    for side, found in sides.items():
        values = found[name]
        is_bad, why = _faults(values)
        bad = np.flatnonzero(is_bad)
        if not len(bad):
            continue
        items = found.get("path", found.get("row", np.arange(len(values))))
        value = f" has {quoted(values[bad[0]].item())}" if why != _EMPTY else ""
        raise DataError(
            f"{len(bad):,} of {counted(len(values), name)} of the {side} of {str(path)!r} {why}: "
            f"{first_names(items[bad[:3]].tolist(), len(bad))}{value}",
            "Give each item one, or leave the item out."
            if why == _EMPTY
            else "Write whole numbers of 64 bits, or names as text.",
        )


def _faults(values: Array) -> tuple[npt.NDArray[np.bool_], str]:
    """Return which identities or cameras are none, and why."""
    kind = values.dtype.kind
    if kind == "U":
        return np.char.strip(values) == "", _EMPTY
    if kind == "f":
        with np.errstate(invalid="ignore"):
            whole = (np.floor(values) == values) & (np.abs(values) < _LIMIT)
        return ~whole, _EMPTY if np.isnan(values[~whole]).any() else "are no whole numbers"
    if kind == "u":
        return values > np.iinfo(np.int64).max, "are beyond 64 bits"
    return np.full(len(values), kind not in "ib"), f"are no whole numbers but {values.dtype}"


def _codes(texts: Sequence[Array]) -> list[npt.NDArray[np.int64]]:
    """Number distinct texts, those of all arrays together."""
    if not texts:
        return []
    _, codes = np.unique(np.concatenate(texts), return_inverse=True)
    return np.split(codes, np.cumsum([len(each) for each in texts])[:-1])
