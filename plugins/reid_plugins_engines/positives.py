"""Whether batches hold the pairs of one identity that some losses learn from, before the start."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from reidcore.errors import UserError, counted

if TYPE_CHECKING:
    from reidcore.data import Int64Array
    from reidcore.engine import Engine

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

_MOST_ALONE = 0.5
"""The share of images without a second one of their identity beyond which a warning is due."""

_FIX = "sampler.train_sampler=RandomIdentitySampler sampler.num_instances=4"


def check_positives(engine: Engine) -> None:
    """Look at the first epoch's batches, if a loss needs two images of one identity in each.

    Such a loss says so by an attribute ``needs_positives``; one that also has ``across_ranks`` sees
    the batch of all processes. Clips, and images that are transformed several times, are pairs by
    themselves.

    Raises:
        UserError: if a batch, or a process's share of it, has no pair to learn from.
    """
    needing = {
        name: criterion
        for name, (_, criterion) in engine.terms.items()
        if getattr(criterion, "needs_positives", False)
    }
    batches = _identities_of_batches(engine) if needing else []
    if not batches:
        return
    for name, criterion in needing.items():
        shares = batches if getattr(criterion, "across_ranks", False) else _shares(batches)
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


def _identities_of_batches(engine: Engine) -> list[Int64Array]:
    """Return the identities in each batch of the first epoch; none where that is not known."""
    loader, table = engine.train_loader, engine.data_facts.train_table
    batch_rows = getattr(loader, "batch_rows", None)  # the core's loaders have it
    makes_pairs = engine.data_facts.data_type == "video" or getattr(loader, "num_views", 1) > 1
    if table is None or batch_rows is None or makes_pairs:
        return []
    return [table.pids[rows] for rows in batch_rows()]


def _shares(batches: Sequence[Int64Array]) -> list[Int64Array]:
    """Cut each batch into the stretches that the processes see."""
    is_group = torch.distributed.is_available() and torch.distributed.is_initialized()
    world = torch.distributed.get_world_size() if is_group else 1
    return [share for batch in batches for share in np.array_split(batch, world)]


def _number_alone(pids: Int64Array) -> int:
    """Return how many images of a batch, identities (B,), have no second one of theirs."""
    return int((np.unique(pids, return_counts=True)[1] == 1).sum())
