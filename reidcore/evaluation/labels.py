"""The identities and cameras of queries and gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, UnknownNameError, counted, did_you_mean, quoted

Int64 = npt.NDArray[np.int64]
Columns = Mapping[str, npt.ArrayLike]


class Labels:
    """Who is in each image and which camera saw them.

    Lists, arrays and tensors of whole numbers are taken and kept as int64.

    Args:
        q_pids: (Q,) identities of the queries.
        g_pids: (G,) identities of the gallery.
        q_camids: (Q,) cameras of the queries.
        g_camids: (G,) cameras of the gallery.
        q_columns: further columns of the queries, each of length Q, such as ``clothes``.
        g_columns: further columns of the gallery, each of length G.
        q_files: (Q,) whole numbers that tell the queries' files apart; None if nobody looked.
        g_files: (G,) those of the gallery, equal to a query's where they are one file on disk.

    Raises:
        DataError: if one is no list of 64-bit whole numbers, lengths differ, or a side is empty.
    """

    def __init__(
        self,
        q_pids: npt.ArrayLike,
        g_pids: npt.ArrayLike,
        q_camids: npt.ArrayLike,
        g_camids: npt.ArrayLike,
        q_columns: Columns | None = None,
        g_columns: Columns | None = None,
        q_files: npt.ArrayLike | None = None,
        g_files: npt.ArrayLike | None = None,
    ) -> None:
        self.q_pids, self.q_camids = _side("query", q_pids, q_camids)
        self.g_pids, self.g_camids = _side("gallery", g_pids, g_camids)
        self.q_columns = _columns("query", q_columns, len(self.q_pids))
        self.g_columns = _columns("gallery", g_columns, len(self.g_pids))
        self.q_files = _files("query", q_files, len(self.q_pids))
        self.g_files = _files("gallery", g_files, len(self.g_pids))

    @classmethod
    def from_samples(cls, query: Sequence[Any], gallery: Sequence[Any]) -> Labels:
        """Read the labels off two tables, or two lists of samples ``(path, pid, camid, ...)``.

        Of a table's samples the files are looked up on disk, once.
        """
        return cls(
            _column(query, "pids", 1),
            _column(gallery, "pids", 1),
            _column(query, "camids", 2),
            _column(gallery, "camids", 2),
            getattr(query, "columns", None),
            getattr(gallery, "columns", None),
            *(getattr(getattr(side, "paths", None), "file_ids", None) for side in (query, gallery)),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """``(Q, G)``."""
        return len(self.q_pids), len(self.g_pids)

    def column(self, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return a further column of both sides: (Q,) and (G,).

        Raises:
            UnknownNameError: naming the side that has no such column, and the columns it has.
        """
        for side, columns in (("query", self.q_columns), ("gallery", self.g_columns)):
            if name not in columns:
                known = ", ".join(columns) or "none beside pid and camid"
                near = did_you_mean(name, columns)
                raise UnknownNameError(
                    f"the {side} has no column {quoted(name)}; it has {known}",
                    near or "Give it in the table of the dataset, or by columns={name: (q, g)}.",
                )
        return self.q_columns[name], self.g_columns[name]

    def take(self, query_rows: Int64 | None = None, gallery_rows: Int64 | None = None) -> Labels:
        """Return the labels of some queries and gallery items, in that order.

        Args:
            query_rows: (Q',) which queries; None for all.
            gallery_rows: (G',) which gallery items; None for all.
        """
        query = slice(None) if query_rows is None else query_rows
        gallery = slice(None) if gallery_rows is None else gallery_rows
        return Labels(
            self.q_pids[query],
            self.g_pids[gallery],
            self.q_camids[query],
            self.g_camids[gallery],
            {name: values[query] for name, values in self.q_columns.items()},
            {name: values[gallery] for name, values in self.g_columns.items()},
            None if self.q_files is None else self.q_files[query],
            None if self.g_files is None else self.g_files[gallery],
        )


def _column(samples: Sequence[Any], name: str, place: int) -> Int64:
    """Return a table's own array, or gather it from samples one by one."""
    column: Int64 | None = getattr(samples, name, None)
    if column is not None:
        return column
    return np.array([sample[place] for sample in samples], dtype=np.int64)


def _side(side: str, pids: npt.ArrayLike, camids: npt.ArrayLike) -> tuple[Int64, Int64]:
    checked = _whole_numbers(f"{side} pids", pids), _whole_numbers(f"{side} camids", camids)
    if len(checked[0]) != len(checked[1]):
        people, cameras = counted(len(checked[0]), "pid"), counted(len(checked[1]), "camid")
        raise DataError(f"the {side} has {people} but {cameras}")
    if not len(checked[0]):
        raise DataError(f"the {side} is empty", "Evaluation needs queries and a gallery.")
    return checked


def _columns(side: str, columns: Columns | None, count: int) -> dict[str, npt.NDArray[Any]]:
    checked = {name: np.atleast_1d(_on_cpu(each)) for name, each in (columns or {}).items()}
    for name, values in checked.items():
        if len(values) != count:
            pids, found = counted(count, "pid"), counted(len(values), "value")
            raise DataError(f"the {side} has {pids}, and {found} in the column {quoted(name)}")
    return checked


def _files(side: str, files: npt.ArrayLike | None, count: int) -> Int64 | None:
    checked = None if files is None else _whole_numbers(f"{side} files", files)
    if checked is not None and len(checked) != count:
        raise DataError(
            f"the {side} has {counted(count, 'pid')} but {counted(len(checked), 'file')}"
        )
    return checked


def _whole_numbers(name: str, values: Any) -> Int64:
    array = _on_cpu(values)
    if array.ndim != 1:
        raise DataError(f"{name} must be a list of whole numbers, not of shape {array.shape}")
    with np.errstate(invalid="ignore"):  # NaN and what is too large differ after the conversion
        whole = array.astype(np.int64) if array.dtype.kind in "iufb" else None
    if whole is None or not np.array_equal(array, whole):
        hint = f"They are {array.dtype} now; each must fit into 64 bits."
        raise DataError(f"{name} must be whole numbers", hint)
    return whole


def _on_cpu(values: Any) -> npt.NDArray[Any]:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
