"""What columns are called, here and by other frameworks, and which rows are queries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.own.csv_columns import usual_name
from reid_plugins_runs.feature_files.formats import Columns
from reidcore.data import leave_out
from reidcore.errors import DataError, counted, did_you_mean, quoted

SIDES = ("query", "gallery")
PREFIX = {"query": "q", "gallery": "g"}

_FEATURES = ("feature", "feat", "f", "embedding", "emb", "vector")
_SIDED = re.compile(r"(query|q|probe|gallery|g)_(.+)|(.+)_(query|q|probe|gallery|g)|([qg])(f)")
_NUMBERED = re.compile(r"(f|feat|feature|emb|embedding)_?(\d+)")
_SPLITS = {"query": "query", "q": "query", "probe": "query", "gallery": "gallery", "g": "gallery"}
_FLAGS = {"query": "is_query", "gallery": "is_gallery"}
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no", "")

Mask = npt.NDArray[np.bool_]


def by_side(columns: Columns, path: Path) -> dict[str, Columns]:
    """Part the columns of a file into those of queries and gallery, under the names of this tree.

    Those are ``feature``, ``pid``, ``camid``, ``path``, and for all others their own. A file has
    arrays of each side, as ``query_features`` and ``gallery_features``, or one table of which the
    column ``split``, or ``is_query`` and ``is_gallery``, tells the rows; ``row`` is their number.

    Args:
        columns: name in the file -> its values.
        path: the file, for messages.

    Raises:
        DataError: if it has neither, or no row of a side.
    """
    sided = {name: found for name in columns if (found := _side_of(name))}
    flags = {name.casefold() for name in columns} & {*_FLAGS.values()}
    if {side for side, _ in sided.values()} == {*SIDES} and not flags:
        return _of_arrays(columns, sided, path)
    columns = _with_numbered_features(columns, path)
    masks, tells = _masks(columns, path)
    table = {name: each for name, each in standard(columns, path).items() if name not in tells}
    _keep_whole(table, len(masks["query"]), tells[0], path)
    table["row"] = np.arange(len(masks["query"]))
    return {
        side: {name: values[mask] for name, values in table.items()} for side, mask in masks.items()
    }


def standard(columns: Mapping[str, npt.NDArray[np.generic]], path: Path) -> Columns:
    """Return columns under the names of this tree, whatever they are called elsewhere.

    Raises:
        DataError: if two of them are called the same, such as ``pid`` and ``pids``.
    """
    singular = _each_once(((_singular(name), name) for name in columns), path)
    names = {role: _role(role, singular) for role in ("path", "pid", "camid")}
    names["feature"] = next((name for name in _FEATURES if name in singular), "")
    roles = {singular[name]: role for role, name in names.items() if name}
    return {roles.get(name, name): values for name, values in columns.items()}


def lacking(path: Path, what: str, wanted: str, names: Iterable[str], hint: str) -> DataError:
    """Return the error of a file that lacks something, which names what it has."""
    there = [*names]
    near = did_you_mean(wanted, there)
    listed = ", ".join(map(repr, there[:12])) + (", ..." if len(there) > 12 else "")
    return DataError(f"{str(path)!r} has no {what}; it has {listed}", f"{near} {hint}".strip())


def _side_of(name: str) -> tuple[str, str] | None:
    """Return the side and the rest of a name such as ``q_pids``; None if it has no side."""
    found = _SIDED.fullmatch(name.casefold())
    if found is None or name.casefold() in _FLAGS.values():
        return None
    side, rest = next((found[a], found[b]) for a, b in ((1, 2), (4, 3), (5, 6)) if found[a])
    return _SPLITS[side], rest


def _of_arrays(
    columns: Columns, sided: Mapping[str, tuple[str, str]], path: Path
) -> dict[str, Columns]:
    _leave_out([name for name in columns if name not in sided], "of neither side")
    sides = {}
    for side in SIDES:
        named = _each_once(
            ((rest, name) for name, (other, rest) in sided.items() if other == side), path
        )
        sides[side] = standard({rest: columns[name] for rest, name in named.items()}, path)
    return sides


def _each_once(pairs: Iterable[tuple[str, str]], path: Path) -> dict[str, str]:
    """Return new name -> name in the file; refuse two in a file for one."""
    found: dict[str, str] = {}
    for name, given in pairs:
        if (other := found.setdefault(name, given)) != given:
            raise DataError(
                f"{str(path)!r} has both {quoted(other)} and {quoted(given)} for {quoted(name)}",
                "Keep the one that is meant.",
            )
    return found


def _role(role: str, names: Mapping[str, str]) -> str:
    return role if role in names else usual_name(role, [*names])


def _singular(name: str) -> str:
    plain = name.casefold()
    return plain[:-1] if plain.endswith("s") and len(plain) > 2 else plain


def _with_numbered_features(columns: Columns, path: Path) -> Columns:
    """Return columns in which those called f0, f1, ... are one matrix."""
    numbered = {
        int(found[2]): name for name in columns if (found := _NUMBERED.fullmatch(name.casefold()))
    }
    if "feature" in standard(columns, path) or not numbered:
        return columns
    first = min(numbered)
    if first > 1 or sorted(numbered) != [*range(first, first + len(numbered))]:
        missing = next(place for place in range(first, max(numbered)) if place not in numbered)
        raise DataError(
            f"{str(path)!r} has columns {numbered[first]!r} to {numbered[max(numbered)]!r}, "
            f"without number {missing}",
            "Number the columns of the features without a gap, from 0 or 1.",
        )
    wrong = [name for name in numbered.values() if columns[name].dtype.kind not in "iuf"]
    if wrong:
        raise DataError(f"the column {wrong[0]!r} of {str(path)!r} has cells that are no numbers")
    matrix = np.stack([columns[numbered[place]] for place in sorted(numbered)], axis=1)
    rest = {name: each for name, each in columns.items() if name not in numbered.values()}
    return {**rest, "feature": matrix}


def _masks(columns: Columns, path: Path) -> tuple[dict[str, Mask], list[str]]:
    """Return which rows of a table are queries and which the gallery, and the columns that tell.

    A row may be both.
    """
    plain = {name.casefold(): name for name in columns}
    tells = [plain[name] for name in (*_FLAGS.values(), _role("split", plain)) if name in plain]
    if {*_FLAGS.values()} <= plain.keys():
        masks = {side: _flags(columns[plain[flag]], flag, path) for side, flag in _FLAGS.items()}
    elif split := _role("split", plain):
        masks = _split_masks(columns[plain[split]], plain[split], path)
    else:
        raise lacking(
            path,
            "column that tells queries from gallery",
            "split",
            columns,
            "Add a column split with the words query and gallery, or give arrays of each side: "
            "query_features, gallery_features, q_pids, ...",
        )
    neither = np.flatnonzero(~(masks["query"] | masks["gallery"]))
    _leave_out([f"row {row}" for row in neither], "neither query nor gallery", "rows")
    return masks, tells


def _keep_whole(table: Columns, count: int, telling: str, path: Path) -> None:
    """Leave out what has not one value for each row; refuse it of a column that is needed."""
    for name in [name for name, values in table.items() if values.shape[:1] != (count,)]:
        if name in ("feature", "pid", "camid", "path"):
            raise DataError(
                f"{name!r} of {str(path)!r} is of shape {table[name].shape}, and {telling!r} "
                f"tells of {counted(count, 'row')}",
                "Each row needs one.",
            )
        _leave_out([name], f"of shape {table.pop(name).shape}, not one a row")


def _split_masks(values: npt.NDArray[np.generic], name: str, path: Path) -> dict[str, Mask]:
    words = np.char.lower(np.char.strip(values.astype(np.str_)))
    sides = np.array([_SPLITS.get(word, "") for word in words.tolist()])
    masks = {side: sides == side for side in SIDES}
    for side, mask in masks.items():
        if not mask.any():
            known = ", ".join(map(repr, np.unique(words)[:8].tolist()))
            raise DataError(
                f"no row of {str(path)!r} is of the {side}: its column {name!r} has {known}",
                "Its words are query and gallery; rows with others are left out.",
            )
    return masks


def _flags(values: npt.NDArray[np.generic], name: str, path: Path) -> Mask:
    words = np.char.lower(np.char.strip(values.astype(np.str_)))
    is_true = np.isin(words, _TRUE)
    other = words[~is_true & ~np.isin(words, _FALSE)]
    if len(other):
        raise DataError(
            f"the column {name!r} of {str(path)!r} has {quoted(str(other[0]))}",
            "Write true or false.",
        )
    if not is_true.any():
        raise DataError(f"the column {name!r} of {str(path)!r} is true of no row")
    return is_true


def _leave_out(names: list[str], why: str, what: str = "arrays") -> None:
    leave_out(names, what, why)
