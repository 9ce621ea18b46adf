"""Whether batches hold the pairs that some losses learn from, before the start."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reidcore.engine import rank_and_world
from reidcore.errors import UserError, counted

if TYPE_CHECKING:
    from reidcore.data import Int64Array
    from reidcore.engine import Engine

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

_MOST_ALONE = 0.5
"""The share of images without a second one of their identity beyond which a warning is due."""

_FIX = "sampler.train_sampler=RandomIdentitySampler sampler.num_instances=4"


def check_pairs(engine: Engine) -> None:
    """Look at the first epoch's batches, if a loss needs certain pairs of images in each.

    An attribute ``needs_positives`` says that a loss needs two images of one identity,
    ``needs_negatives`` that it needs images of two; one that also has ``across_ranks`` sees the
    batch of all processes. Clips, and images that are transformed several times, are pairs of one
    identity by themselves.

    Raises:
        UserError: if a batch, or a process's share of it, has no pair to learn from.
    """
    for name, (weight, criterion) in engine.terms.items():
        if not weight:
            continue
        needs_negatives = getattr(criterion, "needs_negatives", False)
        needs_positives = getattr(criterion, "needs_positives", False) and not _has_twins(engine)
        batches = _identities_of_batches(engine) if needs_negatives or needs_positives else []
        if not batches:
            continue
        shares = batches if getattr(criterion, "across_ranks", False) else _shares(batches)
        if needs_negatives:
            _check_negatives(name, batches, shares)
        if needs_positives:
            _check_positives(name, shares)


def _check_negatives(
    name: str, batches: Sequence[Int64Array], shares: Sequence[Int64Array]
) -> None:
    """Refuse batches, or shares of them, that are of one identity."""
    of_one = [number for number, share in enumerate(shares) if len(np.unique(share)) == 1]
    if not of_one:
        return
    world = len(shares) // len(batches)
    batch = batches[of_one[0] // world]
    pids = len(np.unique(batch))
    if pids == 1:
        raise UserError(
            f"the loss {name!r} learns from images of other identities, and a batch of "
            f"{counted(len(batch), 'image')} is of one identity",
            "Raise train.batch_size, or lower sampler.num_instances.",
        )
    raise UserError(
        f"the loss {name!r} learns from images of other identities, and of "
        f"a batch of {counted(len(batch), 'image')}, {pids} identities of {len(batch) // pids} "
        f"images each, process {of_one[0] % world} of {world} gets one identity alone",
        f"Search the pairs in the whole batch (loss.{name}.across_ranks=true), lower "
        f"sampler.num_instances, or start {counted(pids // 2, 'process', 'processes')}.",
    )


def _check_positives(name: str, shares: Sequence[Int64Array]) -> None:
    """Refuse batches, or shares of them, without two images of one identity; tell of few."""
    alone = [_number_alone(share) for share in shares]
    lost = sum(number == len(share) for number, share in zip(alone, shares, strict=True))
    if lost:
        raise UserError(
            f"the loss {name!r} learns from pairs of one identity, and {lost} of "
            f"{counted(len(shares), 'batch', 'batches')} of an epoch "
            f"{'has' if lost == 1 else 'have'} one image of each identity",
            f"Train on several images of each: {_FIX}",
        )
    share = sum(alone) / sum(map(len, shares))
    if share > _MOST_ALONE:
        _log.warning(
            "%.0f %% of the images have no second one of their identity in their batch, and "
            "the loss %r learns little from them: %s",
            *(100 * share, name, _FIX),
        )


def _has_twins(engine: Engine) -> bool:
    """Say whether each item of a batch is several images."""
    return (
        engine.data_facts.data_type == "video" or getattr(engine.train_loader, "num_views", 1) > 1
    )


def _identities_of_batches(engine: Engine) -> list[Int64Array]:
    """Return the identities in each batch of the first epoch; none where that is not known."""
    table = engine.data_facts.train_table
    batch_rows = getattr(engine.train_loader, "batch_rows", None)  # the core's loaders have it
    if table is None or batch_rows is None:
        return []
    return [table.pids[rows] for rows in batch_rows()]


def _shares(batches: Sequence[Int64Array]) -> list[Int64Array]:
    """Cut each batch into the stretches that the processes see."""
    _, world = rank_and_world()
    return [share for batch in batches for share in np.array_split(batch, world)]


def _number_alone(pids: Int64Array) -> int:
    """Return how many images of a batch, identities (B,), have no second one of theirs."""
    return int((np.unique(pids, return_counts=True)[1] == 1).sum())
