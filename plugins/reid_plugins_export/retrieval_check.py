"""Whether an exported model finds as well as PyTorch's: the difference of their mAP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reid_plugins_export.dataset import Dataset
from reidcore.cli import progress
from reidcore.data import SampleTable, leave_out
from reidcore.errors import DataError, UserError, counted
from reidcore.evaluation import FeatureDistances, Labels, RankingResult, bootstrap, evaluate
from reidcore.inference import FeatureExtractor

ALLOWED_LOSS = 0.5
"""Points of mAP that the interval of the difference may reach below zero."""


@dataclass(frozen=True)
class RetrievalCheck:
    """How an exported model does beside PyTorch's.

    Attributes:
        dataset: its name.
        protocol: the protocol's name.
        queries: how many have a match.
        identities: how many the queries are of.
        map_torch: mAP of PyTorch's features.
        map_exported: mAP of the file's.
        difference: by how much the latter is better, with the ends of its 95 % interval.
        allowed_loss: in points.
    """

    dataset: str
    protocol: str
    queries: int
    identities: int
    map_torch: float
    map_exported: float
    difference: bootstrap.PairedDifference
    allowed_loss: float

    @property
    def excludes_loss(self) -> bool:
        """Whether the interval excludes a loss over the allowed one."""
        return 100 * self.difference.low >= -self.allowed_loss

    def told(self) -> str:
        """Return the figures in one line."""
        found = self.difference
        ends = f"{100 * found.low:+.2f}, {100 * found.high:+.2f}"
        queries = counted(self.queries, "query", "queries")
        return (
            f"mAP on {self.dataset}: {100 * self.map_exported:.2f}, PyTorch's "
            f"{100 * self.map_torch:.2f}; difference {100 * found.difference:+.2f} points "
            f"[{ends}], {queries} of {counted(self.identities, 'identity', 'identities')}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what the record of the file has of it; shares, and points for the loss."""
        found = self.difference
        return {
            "dataset": self.dataset,
            "protocol": self.protocol,
            "queries": self.queries,
            "identities": self.identities,
            "mAP": self.map_exported,
            "mAP_torch": self.map_torch,
            "difference": [found.difference, found.low, found.high],
            "allowed_loss": self.allowed_loss,
        }


def check_retrieval(
    dataset: Dataset,
    reference: FeatureExtractor,
    exported: FeatureExtractor,
    metric: str,
    allowed_loss: float,
) -> RetrievalCheck:
    """Evaluate both models on a dataset.

    Args:
        dataset: has queries and a gallery.
        reference: PyTorch's model.
        exported: the file.
        metric: ``euclidean`` or ``cosine``.
        allowed_loss: points of mAP.

    Raises:
        DataError: if there is no query or gallery, or the queries are of fewer than two identities.
    """
    for what, table in (("queries", dataset.query), ("gallery images", dataset.gallery)):
        if not len(table):
            raise DataError(f"{dataset.name} has no {what} to check on", "Give another dataset.")
    found, query = [], dataset.query
    with progress("checking", 2 * (len(dataset.query) + len(dataset.gallery))) as advance:
        for extractor in (reference, exported):
            query_features, query = _features(extractor, dataset.query, advance)
            gallery_features, gallery = _features(extractor, dataset.gallery, advance)
            distances = FeatureDistances(query_features, gallery_features, metric)
            labels = Labels.from_samples(query, gallery)
            found.append(evaluate(distances, labels, dataset.protocol))
    return _compared(dataset, query, found, allowed_loss)


def require_no_loss(check: RetrievalCheck) -> None:
    """Refuse a file that may find worse than it is allowed to.

    Raises:
        UserError: with the figures.
    """
    if not check.excludes_loss:
        raise UserError(
            f"a loss over {check.allowed_loss:g} points is not excluded ({check.told()}); nothing "
            "was written",
            "Check on more identities, or allow more: --allow-loss POINTS.",
        )


def _features(
    extractor: FeatureExtractor, table: SampleTable, advance: Callable[[int], None]
) -> tuple[Tensor, SampleTable]:
    """Return features (N, D), and the rows of a table whose images could be read."""
    paths = list(table.paths.files())
    features, rows, bad = [], [], []

    def note(place: int, error: UserError) -> None:
        bad.append(paths[place])

    for batch in extractor.batches(paths, on_bad=note):
        features.append(batch.features.float().cpu())
        rows += batch.places
        advance(len(batch.places))
    leave_out(bad, "images", "unreadable", total=len(paths))
    if not features:
        raise DataError("no image of the check can be read", f"The first is {paths[0]!r}.")
    return torch.cat(features), table.take(np.asarray(rows, np.int64))


def _compared(
    dataset: Dataset, query: SampleTable, found: Sequence[RankingResult], allowed_loss: float
) -> RetrievalCheck:
    before, after = found
    valid = before.valid & after.valid
    return RetrievalCheck(
        dataset.name,
        dataset.protocol_name,
        int(valid.sum()),
        len(np.unique(query.pids[valid])),
        before.mAP,
        after.mAP,
        bootstrap.paired_interval(before.ap, after.ap, query.pids),
        allowed_loss,
    )
