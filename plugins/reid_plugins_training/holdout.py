"""Identities of the training set that are held out, to choose a model by instead of the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from reidcore.data import (
    Dataset,
    MergedDataset,
    SampleTable,
    query_mask,
    rebased,
    searchable_identities,
    seeded_order,
    view_of,
)
from reidcore.errors import DataError, counted, quoted


class HeldOut(NamedTuple):
    """Training sets, each parted into what is learnt from and what is tested on.

    Attributes:
        train: a training view of each source, without the identities that are held out.
        tested: of each source with such identities, a training view and the tables of queries and
            gallery; identities and cameras of two sources are numbered apart.
    """

    train: list[Dataset]
    tested: list[tuple[Dataset, SampleTable, SampleTable]]

    def views(self, transform: Callable[[Any], Any]) -> dict[str, Dataset]:
        """Return ``query`` and ``gallery``, read through a transform."""
        query = [(view, queries) for view, queries, _ in self.tested]
        gallery = [(view, rest) for view, _, rest in self.tested]
        return {
            "query": _joined(query, "query", transform),
            "gallery": _joined(gallery, "gallery", transform),
        }


def hold_out(sources: Mapping[str, Dataset], share: float, seed: int) -> HeldOut:
    """Hold a share of each source's identities out of its training set.

    Drawn are identities that can be searched for, as `split_identities` finds them and their
    queries. Those that the same cameras see are drawn from evenly, so that each camera has about
    its share of the held-out identities. The same samples and seed give the same identities.

    Args:
        sources: name -> training view of N samples, relabelled.
        share: of the identities, between 0 and 1.
        seed: another number draws others.

    Raises:
        DataError: nobody would be left to learn from in a source, or none of any source can be
            searched for.
    """
    drawn = {name: _drawn(name, view, share, seed) for name, view in sources.items()}
    if not any(drawn.values()):
        raise DataError(
            "no training identity can be held out for validation: each has one image",
            "Set test.select_on to targets or none.",
        )
    parted = [_parted(view, drawn[name]) for name, view in sources.items()]
    found = [(view, table) for view, table in parted if len(table)]
    tested = []
    tables = rebased([table for _, table in found])
    for (view, _), table in zip(found, tables, strict=True):
        mask = query_mask(table, searchable_identities(table)[1], seed)
        tested.append((view, table.take(mask), table.take(~mask)))
    return HeldOut([view for view, _ in parted], tested)


def _drawn(name: str, view: Dataset, share: float, seed: int) -> list[int]:
    """Return the identities of a source to hold out."""
    table = SampleTable.of(view.data)
    able, _ = searchable_identities(table)
    wanted = max(1, round(share * table.counts.ids))
    if wanted >= table.counts.ids:
        raise DataError(
            f"test.validation_share={quoted(share)} holds out {wanted} of the "
            f"{counted(table.counts.ids, 'identity', 'identities')} of {name}, and leaves none to "
            "learn from",
            "Lower it, or set test.select_on to targets or none.",
        )
    return _evenly(table, able, min(wanted, len(able)), seed)


def _evenly(table: SampleTable, able: Sequence[int], wanted: int, seed: int) -> list[int]:
    """Draw identities evenly from those that the same cameras see, by systematic sampling."""
    pairs = np.unique(np.stack([table.pids, table.camids], axis=1), axis=0)  # (pairs, 2)
    cameras: dict[int, list[int]] = {}
    for pid, camid in pairs.tolist():
        cameras.setdefault(pid, []).append(camid)
    shuffled = seeded_order(able, f"{seed} validation")
    alike_together = sorted(shuffled, key=lambda pid: cameras[pid])  # stable: at random within
    start = np.random.Generator(np.random.PCG64(seed)).random()
    places = (np.arange(wanted) + start) * len(able) / max(1, wanted)
    return [alike_together[place] for place in places.astype(np.int64)]


def _parted(view: Dataset, held: Sequence[int]) -> tuple[Dataset, SampleTable]:
    """Return a training view without the samples of some identities, and these."""
    table = SampleTable.of(view.data)
    is_held = np.isin(table.pids, np.array(held, dtype=np.int64))
    rest = table.take(~is_held).relabelled()
    return view_of(view, "train", view.transform, view.k_tfm, data=rest), table.take(is_held)


def _joined(
    parts: Sequence[tuple[Dataset, SampleTable]], split: str, transform: Callable[[Any], Any]
) -> Dataset:
    if len(parts) == 1:
        return view_of(parts[0][0], split, transform, data=parts[0][1])
    # Merging numbers identities anew: alike in both splits, since each identity is in both.
    return MergedDataset([view_of(view, "train", transform, data=table) for view, table in parts])
