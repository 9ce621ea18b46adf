"""The columns of a file of features, whatever its format."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_datasets.own.csv_rows import Faults, open_rows
from reid_plugins_runs.npz_damage import DAMAGE
from reidcore.errors import DataError, UserError, did_you_mean

Array = npt.NDArray[Any]
Columns = dict[str, Array]
"""Name -> an array, whose first axis is that of the items."""

_WHOLE = re.compile(r"[+-]?\d+")


def read_columns(path: Path) -> Columns:
    """Read the arrays of a file, or the columns of a table.

    Raises:
        DataError: if it is missing, damaged, or of another format than its name says.
        UserError: if nothing reads files of such a name, or a package is missing for it.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        near = did_you_mean(path.suffix.lower(), _READERS)
        raise UserError(
            f"{str(path)!r} has no ending of a file of features",
            near or f"Use {', '.join(_READERS)}.",
        )
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}", "Check the path.")
    try:
        columns = read(path)
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    if not columns:
        raise DataError(f"{str(path)!r} is empty", "It must hold features and their labels.")
    return columns


def _read_npz(path: Path) -> Columns:
    with path.open("rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
        except DAMAGE as error:
            raise _damaged(path, "npz", error) from error
        if isinstance(archive, np.ndarray):
            raise DataError(f"{str(path)!r} is a single array", "Give it the ending .npy.")
        return {name: _member(path, archive, name) for name in archive.files}


def _member(path: Path, archive: Any, name: str) -> Array:
    try:
        return _decoded(archive[name])
    except DAMAGE as error:
        if "allow_pickle" not in str(error):
            raise _damaged(path, "npz", error) from error
        raise DataError(
            f"{name!r} in {str(path)!r} holds Python objects, which are not unpickled",
            "Save it as numbers, or as text: numpy.asarray(values, dtype=str).",
        ) from error


def _read_npy(path: Path) -> Columns:
    try:
        with path.open("rb") as file:
            features = np.load(file, allow_pickle=False)
    except DAMAGE as error:
        raise _damaged(path, "npy", error) from error
    if not isinstance(features, np.ndarray):
        raise DataError(f"{str(path)!r} holds several arrays", "Give it the ending .npz.")
    return {"features": features}


def _read_csv(path: Path) -> Columns:
    faults = Faults(path)
    with open_rows(path, "", faults) as rows:
        pieces = list(rows.pieces)
    faults.check()
    if not pieces:
        return {}
    return {
        name: _typed([text.strip() for piece in pieces for text in piece.columns[name]])
        for name in rows.header
    }


def _typed(texts: Sequence[str]) -> Array:
    """Return texts as whole numbers, or as real ones, where all of them are such.

    What two texts say, such as 7 and 007, stays text, as do numbers beyond 64 bits.
    """
    words = np.array(texts, dtype=np.str_)
    if all(map(_WHOLE.fullmatch, texts)):
        try:
            whole = words.astype(np.int64)
        except OverflowError:
            return words
        return whole if len(np.unique(whole)) == len(set(texts)) else words
    try:
        return words.astype(np.float64)
    except ValueError:
        return words


def _read_parquet(path: Path) -> Columns:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            f"{str(path)!r} is read by the package pyarrow", 'Run: pip install "reidcore[parquet]"'
        ) from error
    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise _damaged(path, "parquet", error) from error
    return {name: _arrow_column(path, name, table[name]) for name in table.column_names}


def _arrow_column(path: Path, name: str, column: Any) -> Array:
    """Return a column of parquet: numbers, rows of numbers, or text, empty where nothing is."""
    from pyarrow import types

    kind = column.type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        found: Array = column.to_numpy()
        return found
    if not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return np.array(["" if cell is None else str(cell) for cell in column.to_pylist()])
    rows = column.combine_chunks()
    flat = rows.flatten()
    width, rest = divmod(len(flat), max(1, len(rows)))
    sizes = {width} if types.is_fixed_size_list(kind) else {*rows.value_lengths().to_pylist()}
    if rest or rows.null_count or sizes - {width}:
        raise DataError(
            f"the rows of {name!r} in {str(path)!r} differ in length",
            "Each must have as many numbers as the model's features.",
        )
    matrix: Array = flat.to_numpy(zero_copy_only=False).reshape(len(rows), width)
    return matrix


def _decoded(values: Array) -> Array:
    """Return bytes as text."""
    return (
        np.char.decode(values, "utf-8", "surrogateescape") if values.dtype.kind == "S" else values
    )


def _damaged(path: Path, kind: str, error: Exception) -> DataError:
    why = str(error).partition("\n")[0]
    if "pickle" in why:  # NumPy's word for whatever does not begin as one of its files
        why = "it does not begin as one"
    return DataError(f"{str(path)!r} is no {kind} file, or is damaged: {why}", "Write it again.")


_READERS: dict[str, Callable[[Path], Columns]] = {
    ".npz": _read_npz,
    ".npy": _read_npy,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
}
