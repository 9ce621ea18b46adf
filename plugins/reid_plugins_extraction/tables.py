"""The table of features as a file, npz or parquet, written part by part at constant memory."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reidcore.errors import UserError
from reidcore.utils import atomic_write

Columns = dict[str, npt.NDArray[Any]]

RECORD = "reidcore"
"""Under which key a file says which model its features are of, as JSON."""


class Table(NamedTuple):
    """N rows of features with their columns.

    Attributes:
        height: N.
        width: D.
        columns: (N, ...) each, but the features.
        features: yields them in their order, (n, D) float32.
        record: which model they are of, in plain values.
    """

    height: int
    width: int
    columns: Columns
    features: Callable[[], Iterator[npt.NDArray[np.float32]]]
    record: Mapping[str, Any]


def check_format(output: Path) -> None:
    """Refuse a name that ends as no format's file, and a format whose package is missing.

    Raises:
        UserError: if it is so.
    """
    if output.suffix not in _WRITERS:
        raise UserError(
            f"the output {str(output)!r} does not end in {' or '.join(_WRITERS)}",
            "Add the ending.",
        )
    if output.suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise UserError(
                f"{str(output)!r} is written by the package pyarrow",
                'Run: pip install "reidcore[parquet]"',
            ) from error


def write_table(output: Path, table: Table) -> None:
    """Write a file, which takes the place of an older one once it is complete."""
    with atomic_write(output) as file:
        _WRITERS[output.suffix](file, table)


def _write_npz(file: IO[bytes], table: Table) -> None:
    columns = {**table.columns, RECORD: np.array(json.dumps(table.record))}
    with zipfile.ZipFile(file, "w") as archive:
        with archive.open("features.npy", "w", force_zip64=True) as member:
            shape = {"descr": "<f4", "fortran_order": False, "shape": (table.height, table.width)}
            np.lib.format.write_array_header_2_0(member, shape)
            for features in table.features():
                member.write(np.ascontiguousarray(features, dtype="<f4").data)
        for name, values in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


def _write_parquet(file: IO[bytes], table: Table) -> None:
    import pyarrow
    from pyarrow import parquet

    start, writer = 0, None
    for features in table.features():
        stop = start + len(features)
        arrays = {name: values[start:stop] for name, values in table.columns.items()}
        batch = pyarrow.table(
            {
                name: _rows_of(values) if values.ndim == 2 else values.tolist()
                for name, values in {**arrays, "features": features}.items()
            }
        ).replace_schema_metadata({RECORD: json.dumps(table.record)})
        writer = writer or parquet.ParquetWriter(file, batch.schema)
        writer.write_table(batch)
        start = stop
    if writer is not None:
        writer.close()


def _rows_of(values: npt.NDArray[Any]) -> Any:
    """Return (n, D) numbers as n lists of one length."""
    import pyarrow

    flat = pyarrow.array(np.ascontiguousarray(values).reshape(-1))  # (n, D) -> (n * D,)
    return pyarrow.FixedSizeListArray.from_arrays(flat, values.shape[1])


_WRITERS: dict[str, Callable[[IO[bytes], Table], None]] = {
    ".npz": _write_npz,
    ".parquet": _write_parquet,
}
