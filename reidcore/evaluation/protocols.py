"""Evaluation protocols: which gallery items match, which are ignored, how queries are reduced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from reidcore.errors import DataError, counted
from reidcore.evaluation.distances import Distances
from reidcore.evaluation.labels import Labels
from reidcore.evaluation.matches import (
    OwnFilesIgnored,
    Relations,
    SameIdentity,
    SameIdentityAnyCamera,
    without_own_files,
)
from reidcore.evaluation.ranking import MatchRanks, match_ranks
from reidcore.evaluation.result import RankingResult, reduce_ranks


class EvaluationProtocol(ABC):
    """The rules of a benchmark.

    Most protocols need `relations` alone. One that reduces queries in its own way overrides
    `reduce`; one that needs the distances themselves overrides `evaluate`, and asks
    `without_own_files` there if it means to keep a query from finding itself, as the others do.
    """

    @abstractmethod
    def relations(self, labels: Labels) -> Relations:
        """Return which gallery items match each query and which it ignores."""

    def reduce(self, ranks: MatchRanks, max_rank: int) -> RankingResult:
        """Turn the ranks of the matches into figures."""
        return reduce_ranks(ranks, max_rank)

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

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's identity."""
        return SameIdentityAnyCamera(labels)


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
