"""Evaluation protocols: which gallery items match, which are ignored, how queries are reduced."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from reidcore.errors import (
    DataError,
    PluginDefectError,
    UnknownNameError,
    UserError,
    counted,
    quoted,
)
from reidcore.evaluation.distances import Distances
from reidcore.evaluation.labels import Int64, Labels
from reidcore.evaluation.matches import (
    OwnFilesIgnored,
    Relations,
    SameIdentity,
    SameIdentityAnyCamera,
    without_own_files,
)
from reidcore.evaluation.ranking import MatchRanks, check_known, match_ranks
from reidcore.evaluation.result import AP_KINDS, RankingResult, reduce_ranks

_BLOCK, _PAIRS = 1024, 1 << 22  # queries, and related items, that are looked at together


@dataclass(frozen=True, eq=False)
class Pooled:
    """Features of groups of images, such as tracklets, each group with an image that stands for it.

    Args:
        query: (Q', D) features of the groups that are queries.
        gallery: (G', D) features of the groups that are the gallery.
        query_rows: (Q',) the query whose labels are the group's.
        gallery_rows: (G',) the gallery item whose labels are the group's.
    """

    query: Tensor
    gallery: Tensor
    query_rows: Int64
    gallery_rows: Int64

    def __post_init__(self) -> None:
        for side, rows in (("query", self.query_rows), ("gallery", self.gallery_rows)):
            shape = tuple(getattr(self, side).shape)
            if len(shape) != 2 or shape[0] != len(rows):
                groups = counted(len(rows), "group")
                raise PluginDefectError(f"a protocol pooled {side} features {shape} for {groups}")


class EvaluationProtocol(ABC):
    """The rules of a benchmark.

    Most protocols need `relations` alone. One that reduces queries in its own way overrides
    `reduce`; one that needs the distances themselves overrides `evaluate`, and asks
    `without_own_files` there if it means to keep a query from finding itself, as the others do.

    Attributes:
        ap: the kind of average precision, ``plain`` or ``trapezoid``; see `reduce_ranks`.
        unmatched: what becomes of queries without a match: ``skipped``, or ``zero``.
        junk: what a query ignores, in words, such as ``own camera``; empty if that is not said.
        needs: the columns of the tables, beside pid and camid, that both sides must have.
    """

    ap: str = "plain"
    unmatched: str = "skipped"
    junk: str = ""
    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def relations(self, labels: Labels) -> Relations:
        """Return which gallery items match each query and which it ignores."""

    def reduce(self, ranks: MatchRanks, max_rank: int) -> RankingResult:
        """Turn the ranks of the matches into figures."""
        return reduce_ranks(ranks, max_rank, self.ap, self.unmatched)

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are, in plain values; a subclass adds to ``super()``'s.

        ``draws`` says that it draws, how often; whatever else is shown by its name.
        """
        junk = {"junk": self.junk} if self.junk else {}
        return {"ap": self.ap, "unmatched": self.unmatched, **junk}

    def pool(self, query: Tensor, gallery: Tensor, labels: Labels) -> Pooled | None:
        """Make features of groups, before they are transformed and compared; None for no change.

        Args:
            query: (Q, D) features, as the model gave them.
            gallery: (G, D) features.
            labels: of the same images.
        """
        return None

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items.

        Args:
            distances: (Q, G).
            labels: of the same queries and gallery items.
            max_rank: how far the CMC goes.
            ties: see `reidcore.evaluation.ranking.match_ranks`.

        Raises:
            UserError: if shapes differ, a distance is NaN, or no query has a match.
        """
        check_shapes(distances, labels)
        relations = without_own_files(self.relations(labels), labels)
        return self._ranked(distances, relations, max_rank, ties)

    def _ranked(
        self, distances: Distances, relations: Relations, max_rank: int, ties: str
    ) -> RankingResult:
        """Rank by the distances, and say whose own files the relations left out."""
        result = self.reduce(match_ranks(distances, relations, ties), max_rank)
        if isinstance(relations, OwnFilesIgnored) and isinstance(result, RankingResult):
            return replace(result, own_files=relations.queries)
        return result


class Market1501(EvaluationProtocol):
    """Matches are the query's identity in other cameras; its own camera's are ignored.

    The protocol of Market1501 (Zheng et al., "Scalable Person Re-identification: A Benchmark",
    ICCV 2015) and of nearly every benchmark since.
    """

    junk = "own camera"

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's identity."""
        return SameIdentity(labels)


class AnyCamera(EvaluationProtocol):
    """Matches are the query's identity by any camera; nothing is ignored.

    For data of one camera, or of none that are known, where the Market1501 protocol would leave no
    match. A file that is query and gallery item at once is left out of its own ranking, as under
    every protocol, where labels say which file each image is (`Labels.from_samples` of tables);
    a copy of it under another inode is not (``reidcore data check`` finds copies).
    """

    junk = "none"

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's identity."""
        return SameIdentityAnyCamera(labels)


def with_ap(protocol: EvaluationProtocol, ap: str | None) -> EvaluationProtocol:
    """Return a protocol that computes this kind of AP; None leaves it its own.

    Raises:
        UserError: if there is no such kind, or the protocol does not take one.
    """
    if ap is None:
        return protocol
    check_known("ap", ap, AP_KINDS)
    if not hasattr(protocol, "ap"):
        raise UserError(
            f"the protocol {type(protocol).__name__} has a way of its own to compute AP",
            "Leave test.ap out, or derive the protocol from EvaluationProtocol.",
        )
    changed = copy.copy(protocol)
    changed.ap = ap
    return changed


def check_needs(protocol: EvaluationProtocol, labels: Labels) -> None:
    """Refuse labels without the columns that a protocol needs.

    Raises:
        UnknownNameError: naming the column, the side that lacks it, and what is there.
    """
    for name in getattr(protocol, "needs", ()):
        try:
            labels.column(name)
        except UnknownNameError as error:
            told = f"{type(protocol).__name__} needs the column {quoted(name)}: {error.what}"
            raise UnknownNameError(told, error.hint) from error


def pooled(
    protocol: EvaluationProtocol, query: Tensor, gallery: Tensor, labels: Labels
) -> Pooled | None:
    """Ask a protocol, which need not be derived from ours, for features of groups."""
    pool = getattr(protocol, "pool", None)
    return pool(query, gallery, labels) if pool is not None else None


def any_match(relations: Relations, labels: Labels) -> bool:
    """Say whether any query has a match."""
    queries, gallery = labels.shape
    rows = max(1, min(_BLOCK, _PAIRS // gallery))  # a rule may list a whole gallery as ignored
    starts = range(0, queries, rows)
    return any(relations.rows(at, min(at + rows, queries)).match.any() for at in starts)


def why_no_match(labels: Labels) -> str:
    """Say why no query may have a match, and which protocol fits."""
    if not np.isin(labels.q_pids, labels.g_pids).any():
        query, gallery = labels.q_pids[0], labels.g_pids[0]
        return (
            f"No identity is on both sides: the queries have such as {query}, the gallery such as "
            f"{gallery}. Number both alike."
        )
    if any_match(without_own_files(SameIdentity(labels), labels), labels):
        return "There are matches in other cameras, which the protocol's own rule leaves out."
    if not any_match(without_own_files(SameIdentityAnyCamera(labels), labels), labels):
        return "A query is no match for itself, under any name that its file has."
    return (
        "All matches are of the query's own camera: test with test.protocol=any_camera "
        "(AnyCamera()), which takes no notice of cameras."
    )


def check_shapes(distances: Distances, labels: Labels) -> None:
    """Refuse labels of other lengths than the distances.

    Raises:
        DataError: if the lengths differ.
    """
    if distances.shape != labels.shape:
        (queries, gallery), (q_labels, g_labels) = distances.shape, labels.shape
        raise DataError(
            f"distances are for {counted(queries, 'query', 'queries')} and "
            f"{counted(gallery, 'gallery item')}, "
            f"labels for {q_labels} and {g_labels}"
        )
