"""Gathering the evidence of a target at its last test, and keeping it in the run's folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_plugins_report.evidence.attention import attention_of
from reid_plugins_report.evidence.cameras import cameras_of
from reid_plugins_report.evidence.curves import precision_at_recall
from reid_plugins_report.evidence.embeddings import embeddings_of
from reid_plugins_report.evidence.look_alikes import NearestNonmatches
from reid_plugins_report.evidence.pairs import listen
from reid_plugins_report.evidence.parts import Curves, Floats, Queries
from reid_plugins_report.evidence.rankings import RankingsOf, hardest
from reid_plugins_report.evidence.slices import slices_of
from reid_plugins_report.evidence.spread import SpreadOf
from reid_plugins_report.evidence.store import evidence_path, write_evidence
from reid_plugins_report.settings import ReportSettings, settings_of
from reidcore.data import ImageReading
from reidcore.errors import UserError
from reidcore.evaluation import (
    Labels,
    RankingResult,
    Relations,
    SameIdentity,
    conditions_line,
    match_ranks,
    without_own_files,
)
from reidcore.plugins import describe

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetTest

_log = logging.getLogger(f"reidcore.{__name__}")

LOOK_ALIKES = 12
_ROUNDING = 1e-9


def keep_evidence(engine: Engine, tested: TargetTest) -> None:
    """Write the evidence of a target's test into the run's folder, if it is wanted.

    A test is worth more than the page about it: what cannot be gathered is told and left out.
    """
    settings = settings_of(engine)
    if not settings.enabled:
        return
    path = evidence_path(Path(engine.plan.save_dir), tested.name)
    try:
        write_evidence(path, _facts(engine, tested), list(_parts(engine, tested, settings)))
    except Exception as error:
        _log.warning("! No evidence for a report of %s: %s", tested.name, describe(error))


def _facts(engine: Engine, tested: TargetTest) -> dict[str, Any]:
    plan = engine.plan
    return {
        "target": tested.name,
        "test_only": plan.test_only,
        "metric": plan.dist_metric,
        "rerank": "rerank" in tested.distances.conditions(),
        "unit": engine.data_facts.unit,
        "gallery": len(tested.gallery.table),
        "line": conditions_line("", tested.result.conditions, tested.result.ranking),
    }


def _parts(engine: Engine, tested: TargetTest, settings: ReportSettings) -> Iterator[Any]:
    """Yield the parts of the evidence; a part that fails is told of, and the others stay."""
    query, gallery = tested.query.table, tested.gallery.table
    result, plan = tested.result.ranking, engine.plan
    labels = Labels.from_samples(query, gallery)
    relations = _relations(tested, labels)
    shown = hardest(result.ap, query.pids, settings.queries)
    yield Queries(result.ap, _rank1(result), query.pids)
    yield Curves(result.cmc, _precision(tested, plan.ties))
    rankings = RankingsOf(shown, min(settings.topk, len(gallery)), plan.ties)
    yield from _of_pairs(tested, relations, rankings)
    reading = ImageReading.recorded(engine.data_facts.preprocessing or {})
    paths = [query.paths[int(row)] for row in shown] if settings.attention else []
    is_cosine = plan.dist_metric == "cosine"
    gathered: dict[str, Callable[[], Any]] = {
        "cameras": lambda: cameras_of(tested, labels, plan.ties),
        "slices": lambda: slices_of(query, gallery, relations, reading, settings.slice_images),
        "map": lambda: embeddings_of(
            tested.query, tested.gallery, settings.map_images, normalised=is_cosine
        ),
        "activation maps": lambda: attention_of(engine, tested.name, paths),
    }
    for what, gather in gathered.items():
        try:
            part = gather()
        except UserError as error:  # such as a model without feature maps: no mistake
            _log.info("The report of %s has no %s: %s", tested.name, what, error.what)
        except Exception as error:
            _log.warning("The report of %s lacks %s: %s", tested.name, what, describe(error))
        else:
            yield from () if part is None else (part,)


def _relations(tested: TargetTest, labels: Labels) -> Relations:
    """Return what the protocol matches.

    Of one that evaluates in a way of its own, and does not say, the same identity's images by
    other cameras are the matches.
    """
    return tested.matches or without_own_files(SameIdentity(labels), labels)


def _rank1(result: RankingResult) -> Floats:
    """Return the share of each query at rank 1, NaN where it has none of its own."""
    shares = result.contributions([1]).get("rank1", np.full(len(result.ap), np.nan))
    # Where draws leave queries out, what a query adds to the mean of the draws is no share.
    is_share = np.isnan(shares) | ((shares > -_ROUNDING) & (shares < 1 + _ROUNDING))
    return shares if is_share.all() else np.full(len(shares), np.nan)


def _precision(tested: TargetTest, ties: str) -> Floats:
    if tested.matches is None:
        return np.zeros(0)
    return precision_at_recall(match_ranks(tested.distances, tested.matches, ties))


def _of_pairs(tested: TargetTest, relations: Relations, rankings: RankingsOf) -> Iterator[Any]:
    """Yield the parts that all distances are looked at for, in one pass."""
    query, gallery = tested.query.table, tested.gallery.table
    spread, nearest = SpreadOf(), NearestNonmatches(len(query))
    listen(tested.distances, relations, [spread, nearest, rankings])
    yield spread.done()
    yield rankings.done(query, gallery, tested.result.ranking.ap)
    yield nearest.done(query, gallery, LOOK_ALIKES)
