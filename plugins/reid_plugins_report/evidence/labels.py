"""Rows of a table as texts: paths, identities and cameras."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reid_plugins_report.evidence.parts import Texts
from reidcore.data import LabelNames, SampleTable


class Rows(NamedTuple):
    """Some rows of a table.

    Attributes:
        path: (n,) of the image, or of a tracklet's middle frame.
        pid: (n,) what the identity is called.
        camid: (n,) what the camera is called.
    """

    path: Texts
    pid: Texts
    camid: Texts


def rows_of(table: SampleTable, rows: npt.NDArray[np.int64]) -> Rows:
    """Return rows of a table as texts."""
    names = LabelNames.of(table)
    taken = [table[int(row)] for row in rows]
    return Rows(
        as_texts([shown_path(sample.path) for sample in taken]),
        as_texts([names.pid(sample.pid) for sample in taken]),
        as_texts([names.camid(sample.camid) for sample in taken]),
    )


def shown_path(path: Any) -> str:
    """Return the path of an image, or of a tracklet's middle frame."""
    return path if isinstance(path, str) else str(path[len(path) // 2]) if path else ""


def as_texts(texts: list[str]) -> Texts:
    """Return texts as an array, be there any or not."""
    return np.array(texts, dtype=np.str_)
