"""Whether a batch can be shared as a sampler promises, and what to do if not."""

from __future__ import annotations

from typing import Literal, get_args

from reidcore.data import SampleTable
from reidcore.errors import ConfigError, counted, quoted

Epoch = Literal["all", "size"]
"""How long an epoch is: until every image was shown, or as many images as there are."""


def check_positive(name: str, value: int) -> None:
    """Make sure that ``sampler.<name>`` is 1 or more.

    Raises:
        ConfigError: It is not.
    """
    if value < 1:
        raise ConfigError(f"sampler.{name}={quoted(value)}", "Set it to 1 or more")


def check_enough(what: str, available: int, wanted: int, fix: str) -> None:
    """Make sure that the training set has as many labels as a batch is to hold.

    Raises:
        ConfigError: It has fewer.
    """
    if available < wanted:
        raise ConfigError(
            f"a batch is to hold {wanted} {what}, but there are {available} to learn from", fix
        )


def identities_in_batch(table: SampleTable, batch_size: int, num_instances: int) -> int:
    """Return P, the identities in a batch that holds ``num_instances`` images of each.

    Raises:
        ConfigError: The batch is no multiple of that, or asks for more identities than there are.
    """
    check_positive("num_instances", num_instances)
    if batch_size < 1 or batch_size % num_instances:
        raise ConfigError(
            f"a batch of {counted(batch_size, 'image')} cannot hold {num_instances} of each "
            "identity",
            f"Set train.batch_size to {near_multiples(batch_size, num_instances)}, "
            "or change sampler.num_instances",
        )
    identities = batch_size // num_instances
    check_enough(
        "identities",
        table.counts.ids,
        identities,
        f"Set train.batch_size to at most {table.counts.ids * num_instances}, "
        "or raise sampler.num_instances",
    )
    return identities


def batches_in(epoch: Epoch, table: SampleTable, batch_size: int) -> int | None:
    """Return how many batches an epoch has; None for as many as it takes to show all images.

    Raises:
        ConfigError: There is no such length.
    """
    if epoch not in get_args(Epoch):
        raise ConfigError(f"sampler.epoch={quoted(epoch)}", "It is all or size")
    return None if epoch == "all" else max(1, len(table) // batch_size)


def near_multiples(size: int, of: int) -> str:
    """Return the multiples next to a size, in words: ``"28 or 32"``."""
    below, above = size // of * of, (size // of + 1) * of
    return f"{below} or {above}" if below > 0 else str(above)
