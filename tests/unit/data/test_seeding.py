from __future__ import annotations

import random
from itertools import product

import numpy as np
import torch

from reidcore.data.seeding import drawing_from, mixed_seed


def _draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))


def test_all_three_generators_follow_the_seed_and_are_put_back() -> None:
    with drawing_from(5):
        first = _draws()
    undisturbed = _draws()
    with drawing_from(5):
        assert _draws() == first
    with drawing_from(6):
        assert not set(_draws()) & set(first)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = _draws(), _draws()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    before = _draws()
    with drawing_from(5):
        _draws()
    assert (before, _draws()) == expected
    assert undisturbed != first


def test_seeds_tell_every_number_apart() -> None:
    numbers = product(range(4), range(4), range(8), range(2))
    seeds = {mixed_seed(*each) for each in numbers}
    assert len(seeds) == 256
    assert mixed_seed(1, 2) != mixed_seed(2, 1)
