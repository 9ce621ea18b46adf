"""What may make queries hard: their pictures' size, light and blur, time, the table's columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from reid_plugins_report.evidence.labels import as_texts, shown_path
from reid_plugins_report.evidence.parts import Floats, Ints, Slices
from reidcore.data import ImageReading, SampleTable, read_pixels
from reidcore.errors import DataError
from reidcore.evaluation import Relations

PICTURE = ("box size", "brightness", "sharpness")
"""What is seen in a picture: pixels, mean grey level (0 to 255), variance of the Laplacian."""

TIME_GAP = "time gap"
TIMES = ("time", "timestamp", "frame")
"""Columns of time, numbers with -1 for unknown; the first that both sides have is used."""

WITHIN = "sequence"
"""The column of the recordings whose times count from the same moment, where a table has it."""

MOST_VALUES = 12  # different ones of a column that parts queries

_SAME_HEIGHT = 128  # of the pictures whose blur is compared


def slices_of(
    query: SampleTable,
    gallery: SampleTable,
    relations: Relations,
    reading: ImageReading,
    count: int,
) -> Slices:
    """Look at queries, evenly spread where there are more than ``count``.

    A picture that cannot be read has nothing known of it.
    """
    rows = np.unique(np.linspace(0, len(query) - 1, min(count, len(query))).astype(np.int64))
    columns: dict[str, Floats] = {}
    texts: dict[str, list[str]] = {}
    seen = np.array([_seen(shown_path(query.paths[int(row)]), reading) for row in rows])
    for place, name in enumerate(PICTURE):
        columns[name] = seen.reshape(len(rows), len(PICTURE))[:, place]
    for name, values, known in _known(query, rows):
        columns[name], texts[name] = values, known
    if (gaps := time_gaps(query, gallery, relations)) is not None:
        columns[TIME_GAP] = gaps[rows]
    table = [texts.get(name, []) for name in columns]
    filled = [as_texts(each + [""] * (MOST_VALUES - len(each))) for each in table]
    values = np.stack(list(columns.values()), axis=1)
    return Slices(rows, as_texts(list(columns)), values, np.stack(filled))


def time_gaps(query: SampleTable, gallery: SampleTable, relations: Relations) -> Floats | None:
    """Return how far each query's nearest match in time is, (Q,); NaN where it has none.

    None where no column tells times as numbers.
    """
    name = next((each for each in TIMES if each in query.columns and each in gallery.columns), None)
    if name is None:
        return None
    if any(side.columns[name].dtype.kind not in "iuf" for side in (query, gallery)):
        return None
    asked, given = (_known_values(side.columns[name]) for side in (query, gallery))
    parted = WITHIN in query.columns and WITHIN in gallery.columns
    gaps = np.full(len(query), np.inf)
    for start in range(0, len(query), 1024):
        related = relations.rows(start, min(start + 1024, len(query)))
        owner, items = related.owner[related.match], related.items[related.match]
        apart = np.abs(asked[start + owner] - given[items])
        if parted:
            same = query.columns[WITHIN][start + owner] == gallery.columns[WITHIN][items]
            apart[~same] = np.inf
        np.fmin.at(gaps, start + owner, apart)
    return np.where(np.isfinite(gaps), gaps, np.nan)


def sharpness(grey: Image.Image) -> float:
    """Return the variance of the Laplacian, low in a blurred picture.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000. Pictures are
    brought to one height first, since the same scene has more detail a pixel where it is smaller.
    """
    width = max(3, round(grey.width * _SAME_HEIGHT / grey.height))
    levels = np.asarray(grey.resize((width, _SAME_HEIGHT)), dtype=np.float32)
    inner = levels[1:-1, 1:-1]
    around = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:]
    return float((around - 4 * inner).var())


def _seen(path: str, reading: ImageReading) -> tuple[float, float, float]:
    """Return what is seen in a picture, in the order of `PICTURE`."""
    try:
        picture = Image.fromarray(read_pixels(path, reading=reading))
    except DataError:
        return (np.nan, np.nan, np.nan)
    grey = picture.convert("L")
    level = float(np.asarray(grey).mean())
    return (float(picture.width * picture.height), level, sharpness(grey))


def _known(table: SampleTable, rows: Ints) -> Iterator[tuple[str, Floats, list[str]]]:
    """Yield the columns that part queries into a few kinds: name, values, and texts of the values.

    Numbers are values themselves, and have no texts.
    """
    for name, column in table.columns.items():
        if name in TIMES or column.ndim != 1:
            continue
        texts: list[str] = []
        if column.dtype.kind in "biuf":
            values = _known_values(column[rows])
        elif column.dtype.kind == "U":
            different, places = np.unique(column[rows], return_inverse=True)
            values, texts = places.astype(np.float64), [text or "-" for text in different.tolist()]
        else:
            continue
        if 2 <= len(np.unique(values[~np.isnan(values)])) <= MOST_VALUES:
            yield name, values, texts


def _known_values(column: npt.NDArray[Any]) -> Floats:
    """Return a column as floats, NaN for the -1 that stands for what is not known."""
    values = column.astype(np.float64)
    return np.where(values == -1, np.nan, values)
