"""Pictures of ranked results: each query beside the gallery items nearest to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from reid_plugins_inspect.pictures.drawing import Entry, Layout, draw_sheet, draw_strip, placeholder
from reid_plugins_inspect.pictures.files import FileNames, replace_drawn, save_picture, shown_path
from reid_plugins_inspect.pictures.nearest import nearest
from reidcore.data import VIEWER, ImageReading, Int64Array, LabelNames, read_image
from reidcore.errors import DataError, UnknownNameError, UserError, counted, did_you_mean
from reidcore.evaluation import (
    Distances,
    Labels,
    Market1501,
    MatrixDistances,
    RankingResult,
    Relations,
    SameIdentity,
    check_shapes,
    match_ranks,
    without_own_files,
)
from reidcore.utils import PathLike, mkdir_if_missing

_log = logging.getLogger(f"reidcore.{__name__}")

SHEET_QUERIES = 12  # as many strips as one still takes in at a glance
SHEET_WIDTH = 64  # of a picture on the sheet, in pixels

ORDERS = ("worst", "best", "random", "first")
_WHICH = {"worst": ", worst first", "best": ", best first", "random": ", drawn by lot", "first": ""}


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
    distances = MatrixDistances(distmat)
    written = draw_ranked_results(
        distances, query, gallery, save_dir, topk, width=width, height=height
    )
    drawn = counted(len(written) - 1, "query", "queries")
    _log.info("Drew the top %d of %s in %s", min(topk, len(gallery)), drawn, save_dir)


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
    queries: int | None = None,
    order: str = "first",
    ranking: RankingResult | None = None,
    target: str = "",
) -> list[Path]:
    """Draw a strip for each chosen query, and ``overview.jpg`` with some of them.

    A strip is ``<name of the query's file>.jpg``: the query with its average precision, then the
    nearest gallery items with green (same identity) or red frames. Items that the protocol ignores
    are left out. Where queries stand in the order of their precision, the name begins with the
    place in it.

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
        queries: how many queries are drawn; None for all.
        order: which: ``"worst"`` or ``"best"`` by average precision, ``"random"`` ones, always the
            same, or the ``"first"``.
        ranking: the figures of these distances; found here if None.
        target: name of the dataset, for the overview.

    Returns:
        The files written, the overview last.

    Raises:
        UserError: if sizes differ, there is no such order, or the folder cannot be written.
    """
    labels = Labels.from_samples(query, gallery)
    check_shapes(distances, labels)
    if topk < 1 or width < 1 or height < 1 or (queries is not None and queries < 1):
        raise UserError("topk, width, height and queries must be at least 1")
    if order not in ORDERS:
        raise UnknownNameError(f"no order is named {order!r}", did_you_mean(order, ORDERS))
    folder = Path(save_dir)
    mkdir_if_missing(folder)
    layout = Layout(width, height, min(topk, len(gallery)))
    small = Layout(SHEET_WIDTH, max(1, round(SHEET_WIDTH * height / width)), layout.columns)
    applied = relations or without_own_files(SameIdentity(labels), labels)
    ranking = ranking or _figures(distances, applied)
    chosen = _chosen(order, len(query) if queries is None else queries, len(query), ranking)
    names = FileNames(taken=["overview"])
    digits = len(str(len(chosen))) if order in ("worst", "best") else 0
    drawn = [names.of(query[row][0], place, digits) for place, row in enumerate(chosen, 1)]
    replace_drawn(folder, [*drawn, "overview.jpg"])
    written = [folder / name for name in (*drawn, "overview.jpg")]
    strips = {}
    on_sheet = np.linspace(0, len(chosen) - 1, min(SHEET_QUERIES, len(chosen))).astype(int)
    places = {row: place for place, row in enumerate(chosen)}
    for found in _rankings(distances, applied, layout.columns, set(chosen)):
        place = places[found.query]
        entries = _entries(found, query, gallery, reading)
        entries[0] = replace(entries[0], note=_note(ranking, found.query))
        save_picture(draw_strip(entries[0], entries[1:], layout), written[place])
        if place in on_sheet:
            strips[place] = draw_strip(entries[0], entries[1:], small)
    of_all = counted(len(query), "query", "queries")
    what = f"Top {layout.columns} for {len(strips)} of {of_all}{_WHICH[order]}"
    shown = [strips[place] for place in sorted(strips)]
    save_picture(draw_sheet(shown, *_titles(target, what, ranking)), written[-1])
    return written


def _figures(distances: Distances, relations: Relations) -> RankingResult | None:
    """Return the figures of each query, unless no query has a match."""
    try:
        return Market1501().reduce(match_ranks(distances, relations), max_rank=1)
    except DataError:
        return None


def _chosen(order: str, count: int, num_queries: int, ranking: RankingResult | None) -> list[int]:
    """Return the queries to draw, in the order in which they are shown.

    Queries without a match, which have no precision, are the last of the best and the worst.
    """
    rows = np.arange(num_queries)
    if order == "random":
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:count])
    elif order != "first" and ranking is not None:
        key = ranking.ap if order == "worst" else -ranking.ap  # NaN is sorted to the end
        rows = np.argsort(key, kind="stable")
    return [int(row) for row in rows[:count]]


def _note(ranking: RankingResult | None, row: int) -> str:
    """Return what a strip says about its query."""
    if ranking is None or not ranking.valid[row]:
        return "no match in the gallery"
    return f"AP {ranking.ap[row]:.1%} · first match at rank {ranking.first_rank[row]:,}"


def _titles(target: str, what: str, ranking: RankingResult | None) -> tuple[str, str]:
    """Return the title of the overview and the line below it."""
    figures = ""
    if ranking is not None:
        figures = f"mAP {ranking.mAP:.1%}, rank-1 {ranking.cmc_at(1):.1%}"
    head = f"{target}: {figures}" if target and figures else target or figures
    return (head, what) if head else (what, "")


@dataclass(frozen=True, eq=False)
class _Ranking:
    query: int
    items: Int64Array  # nearest first
    distances: npt.NDArray[np.floating[Any]]
    matched: npt.NDArray[np.bool_]
    num_matches: int  # in the whole gallery


def _rankings(
    distances: Distances, relations: Relations, count: int, wanted: set[int]
) -> Iterator[_Ranking]:
    """Yield the nearest items of the wanted queries, in the order of the distances."""
    last = max(wanted, default=-1)
    for start, rows in distances.blocks():
        if start > last:
            return
        for query in sorted(wanted & set(range(start, start + len(rows)))):
            row, related = rows[query - start], relations.rows(query, query + 1)
            chosen = nearest(row, count, related.items[~related.match])
            matched = np.isin(chosen, related.items[related.match])
            yield _Ranking(query, chosen, row[chosen], matched, int(related.match.sum()))


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
