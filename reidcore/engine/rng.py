"""The state of the random generators, so that a resumed run draws what it would have drawn."""

from __future__ import annotations

import random
from typing import Any, cast

import numpy as np
import torch

from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.data.loader.seeding import mixed_seed

_SEEDS = 0xFFFFFFFF
"""The seeds that numpy's generator takes."""


def set_random_seed(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators, on every device."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def seed_by(*numbers: int) -> None:
    """Seed the generators by several numbers, well mixed."""
    set_random_seed(mixed_seed(*numbers) & _SEEDS)


def seed_process() -> None:
    """Let each of several processes draw numbers of its own, which follow from those it had.

    They built the same model by the same numbers; equal dropout in all of them would be less of it.
    """
    rank, world = rank_and_world()
    if world > 1:
        seed_by(torch.initial_seed() & _SEEDS, rank)


def capture_rng() -> dict[str, Any]:
    """Return this process's generators' state as tensors and plain values.

    Of several processes each has that of its own GPU alone.
    """
    name, keys, position, has_gauss, cached = cast("Any", np.random.get_state(legacy=True))
    has_cuda, is_alone = torch.cuda.is_available(), rank_and_world()[1] == 1
    own = torch.cuda.get_rng_state_all if is_alone else lambda: [torch.cuda.get_rng_state()]
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached),
        "torch": torch.get_rng_state(),
        "cuda": own() if has_cuda else [],
        "mps": torch.mps.get_rng_state() if torch.backends.mps.is_available() else None,
    }


def restore_rng(state: dict[str, Any]) -> None:
    """Put the generators into a captured state; devices that are not there are passed over."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == 1 and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"][0])
    elif state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    if state.get("mps") is not None and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])
