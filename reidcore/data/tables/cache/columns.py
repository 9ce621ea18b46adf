"""The tables of a dataset as named arrays, with paths below the data root, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.data.dataset import MODES
from reidcore.data.table import SampleTable
from reidcore.data.tables.paths import SEPARATORS, Frames, PathColumn
from reidcore.data.tables.strings import Strings

_PLAIN = "biufUS"
"""Kinds of numpy arrays that are their bytes."""


def as_arrays(
    tables: Sequence[SampleTable], root: Path
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]] | None:
    """Return what is needed to make the tables again, and their arrays.

    None if a file lies outside the root, or a column holds Python objects.
    """
    meaning: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    for mode, table in zip(MODES, tables, strict=True):
        paths = table.paths.compact()
        folder = _below(paths, root)
        if folder is None or any(
            column.dtype.kind not in _PLAIN for column in table.columns.values()
        ):
            return None
        meaning[mode] = {"folder": folder, "columns": sorted(table.columns)}
        arrays |= {f"{mode}.{name}": array for name, array in _arrays_of(table, paths).items()}
    return meaning, arrays


def as_tables(
    meaning: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], root: Path
) -> list[SampleTable]:
    """Return the tables, whose files lie below this root now."""
    tables = []
    for mode in MODES:
        own = {name.removeprefix(f"{mode}."): array for name, array in arrays.items()}
        paths = PathColumn(
            _above(root) + meaning[mode]["folder"],
            Strings(own["buffer"], own["starts"], own["lengths"]),
            Frames(own["firsts"], own["counts"]) if f"{mode}.firsts" in arrays else None,
        )
        pids = own["pids"]
        dsetids = own["dsetids"] if f"{mode}.dsetids" in arrays else np.zeros_like(pids)
        columns = {name: own[f"column.{name}"] for name in meaning[mode]["columns"]}
        tables.append(SampleTable(paths, pids, own["camids"], dsetids, columns))
    return tables


def _arrays_of(table: SampleTable, paths: PathColumn) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {
        "buffer": paths.names.buffer,
        "starts": paths.names.starts,
        "lengths": paths.names.lengths,
        "pids": table.pids,
        "camids": table.camids,
    }
    if table.dsetids.any():
        arrays["dsetids"] = table.dsetids
    if paths.frames is not None:
        arrays |= {"firsts": paths.frames.firsts, "counts": paths.frames.counts}
    return arrays | {f"column.{name}": column for name, column in table.columns.items()}


def _below(paths: PathColumn, root: Path) -> str | None:
    """Return the common folder below the root; None if it lies elsewhere."""
    above = _above(root)
    if not len(paths):
        return ""
    inside = paths.folder.startswith(above) and not Path(paths.folder[len(above) :]).is_absolute()
    return paths.folder[len(above) :] if inside else None


def _above(root: Path) -> str:
    """Return what readers write before the paths below a root; nothing before the folder here."""
    text = str(root)
    if text == ".":
        return ""
    return text if text.endswith(SEPARATORS) else text + SEPARATORS[0]
