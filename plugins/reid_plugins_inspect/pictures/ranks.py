"""Pictures of ranked results: each query beside the gallery items nearest to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from reid_plugins_inspect.pictures.drawing import Entry, Layout, draw_sheet, draw_strip, placeholder
from reid_plugins_inspect.pictures.files import FileNames, save_picture, shown_path
from reid_plugins_inspect.pictures.nearest import nearest
from reidcore.data import VIEWER, ImageReading, Int64Array, LabelNames, read_image
from reidcore.errors import DataError, UnknownNameError, UserError, counted, did_you_mean
from reidcore.evaluation import (
    Distances,
    Labels,
    MatrixDistances,
    Relations,
    SameIdentity,
    check_shapes,
    without_own_files,
)
from reidcore.utils import PathLike, mkdir_if_missing

_log = logging.getLogger(f"reidcore.{__name__}")

SHEET_QUERIES = 12  # as many strips as one still takes in at a glance
SHEET_WIDTH = 64  # of a picture on the sheet, in pixels


def visualize_ranked_results(
    distmat: npt.ArrayLike | Tensor,
    dataset: tuple[Sequence[Any], Sequence[Any]],
    data_type: str = "image",
    width: int = 128,
    height: int = 256,
    save_dir: PathLike = "",
    topk: int = 10,
) -> None:
    """Draw the ranked results of a distance matrix, with Torchreid's arguments.

    Args:
        distmat: (Q, G) distances.
        dataset: ``(query, gallery)``, samples ``(path, pid, camid, ...)``.
        data_type: ``"image"``, or ``"video"``: of a tracklet the middle frame is drawn.
        width: of a picture, in pixels.
        height: of a picture, in pixels.
        save_dir: the folder for the pictures; made if it is missing.
        topk: how many gallery items to draw beside each query.

    Raises:
        UserError: if sizes differ, ``data_type`` is unknown, or the folder cannot be written.
    """
    kinds = ("image", "video")
    if data_type not in kinds:
        raise UnknownNameError(
            f"data_type is 'image' or 'video', not {data_type!r}", did_you_mean(data_type, kinds)
        )
    query, gallery = dataset
    draw_ranked_results(
        MatrixDistances(distmat), query, gallery, save_dir, topk, width=width, height=height
    )


def draw_ranked_results(
    distances: Distances,
    query: Sequence[Any],
    gallery: Sequence[Any],
    save_dir: PathLike,
    topk: int = 10,
    *,
    width: int = 128,
    height: int = 256,
    relations: Relations | None = None,
    reading: ImageReading = VIEWER,
) -> list[Path]:
    """Draw a strip for each query, and ``overview.jpg`` with some of them.

    A strip is ``<name of the query's file>.jpg``: the query, then the nearest gallery items with
    green (same identity) or red frames. Items that the protocol ignores are left out.

    Args:
        distances: (Q, G); only blocks of it are held at a time.
        query: Q samples ``(path, pid, camid, ...)``.
        gallery: G samples.
        save_dir: the folder for the pictures; made if it is missing.
        topk: how many gallery items to draw beside each query.
        width: of a picture, in pixels.
        height: of a picture, in pixels.
        relations: what matches and what is ignored; Market1501's rule by default, without the
            query's own file where samples are tables.
        reading: how images are read.

    Returns:
        The files written, the overview last.

    Raises:
        UserError: if sizes differ or the folder cannot be written.
    """
    labels = Labels.from_samples(query, gallery)
    check_shapes(distances, labels)
    if topk < 1 or width < 1 or height < 1:
        raise UserError("topk, width and height must be at least 1")
    folder = Path(save_dir)
    mkdir_if_missing(folder)
    layout = Layout(width, height, min(topk, len(gallery)))
    small = Layout(SHEET_WIDTH, max(1, round(SHEET_WIDTH * height / width)), layout.columns)
    on_sheet = set(np.linspace(0, len(query) - 1, min(SHEET_QUERIES, len(query))).astype(int))
    strips, written = [], []
    names = FileNames(taken=["overview"])
    name_of = [names.of(sample[0]) for sample in query]
    applied = relations or without_own_files(SameIdentity(labels), labels)
    for ranking in _rankings(distances, applied, layout.columns):
        entries = _entries(ranking, query, gallery, reading)
        written.append(folder / name_of[ranking.query])
        save_picture(draw_strip(entries[0], entries[1:], layout), written[-1])
        if ranking.query in on_sheet:
            strips.append(draw_strip(entries[0], entries[1:], small))
    written.append(folder / "overview.jpg")
    queries = counted(len(query), "query", "queries")
    title = f"Top {layout.columns} for {len(strips)} of {queries}"
    save_picture(draw_sheet(strips, title), written[-1])
    _log.info("Drew the top %d of %s in %s", layout.columns, queries, folder)
    return written


@dataclass(frozen=True, eq=False)
class _Ranking:
    query: int
    items: Int64Array  # nearest first
    distances: npt.NDArray[np.floating[Any]]
    matched: npt.NDArray[np.bool_]
    num_matches: int  # in the whole gallery


def _rankings(distances: Distances, relations: Relations, count: int) -> Iterator[_Ranking]:
    for start, rows in distances.blocks():
        related = relations.rows(start, start + len(rows))
        for index, row in enumerate(rows):
            span = slice(related.first[index], related.first[index + 1])
            items, match = related.items[span], related.match[span]
            chosen = nearest(row, count, items[~match])
            matched = np.isin(chosen, items[match])
            yield _Ranking(start + index, chosen, row[chosen], matched, int(match.sum()))


def _entries(
    ranking: _Ranking, query: Sequence[Any], gallery: Sequence[Any], reading: ImageReading
) -> list[Entry]:
    """Return the query and what was found, as pictures."""
    sample = query[ranking.query]
    entries = [
        Entry(
            _picture(sample, reading), _caption(sample, query), f"{ranking.num_matches} in gallery"
        )
    ]
    found = zip(ranking.items, ranking.distances, ranking.matched, strict=True)
    for rank, (item, distance, matched) in enumerate(found, start=1):
        sample = gallery[int(item)]
        detail = f"{distance:.3g}" if abs(distance) >= 100 else f"{distance:.3f}"
        picture = _picture(sample, reading)
        entries.append(Entry(picture, _caption(sample, gallery), detail, rank, bool(matched)))
    return entries


def _caption(sample: Sequence[Any], samples: Sequence[Any]) -> str:
    names = LabelNames.of(samples)
    return f"id {names.pid(sample[1])} · cam {names.camid(sample[2])}"


def _picture(sample: Sequence[Any], reading: ImageReading) -> Image.Image:
    try:
        return read_image(shown_path(sample[0]), reading)
    except DataError as error:
        _log.warning("%s", error)
        return placeholder("unreadable")
