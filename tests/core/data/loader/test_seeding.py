from __future__ import annotations

import random
from itertools import product

import numpy as np
import torch

from reidcore.data.loader.seeding import generators_kept, mixed_seed, seed_generators

Draws = tuple[float, float, float]


def _draws() -> Draws:
    return random.random(), float(np.random.random()), float(torch.rand(()))


def _seeded(seed: int) -> Draws:
    seed_generators(seed)
    return _draws()


def test_all_three_generators_follow_the_seed() -> None:
    with generators_kept():
        assert _seeded(5) == _seeded(5)
        assert not set(_seeded(6)) & set(_seeded(5))
        assert _seeded(2**64 - 1) == _seeded(2**64 - 1)


def test_all_three_generators_are_put_back() -> None:
    with generators_kept():
        _seeded(1)
        undisturbed = _draws()
        _seeded(1)
        with generators_kept():
            _seeded(9)
        assert _draws() == undisturbed


def test_seeds_tell_every_number_apart() -> None:
    numbers = product(range(4), range(4), range(8), range(2))
    seeds = {mixed_seed(*each) for each in numbers}
    assert len(seeds) == 256
    assert mixed_seed(1, 2) != mixed_seed(2, 1)
