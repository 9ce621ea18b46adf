from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_engines.samplers import RandomSampler, SequentialSampler

from reidcore.data import build_train_sampler
from reidcore.data.table import SampleTable
from reidcore.errors import UnknownNameError, UserError

TABLE = SampleTable.of([(f"{n}.jpg", n % 7, n % 3) for n in range(101)])


def test_random_orders_are_permutations_drawn_from_seed_and_epoch() -> None:
    sampler = RandomSampler(TABLE, batch_size=32, seed=4)
    orders = [sampler.order(epoch) for epoch in range(3)]
    for order in orders:
        assert order.dtype == np.int64
        assert sorted(order.tolist()) == list(range(101))
    assert len({tuple(order.tolist()) for order in orders}) == 3
    again = RandomSampler(TABLE, batch_size=8, seed=4)
    assert again.order(2).tolist() == orders[2].tolist()
    assert RandomSampler(TABLE, 32, seed=5).order(0).tolist() != orders[0].tolist()


def test_places_are_uniform() -> None:
    sampler = RandomSampler(TABLE, 32, seed=0)
    first = np.stack([sampler.order(epoch)[:50] for epoch in range(400)])
    shown = np.bincount(first.ravel(), minlength=101) / 400
    assert np.abs(shown - 50 / 101).max() < 5 * np.sqrt(0.25 / 400)


def test_sequential_order() -> None:
    sampler = SequentialSampler(TABLE, 32, 0)
    assert sampler.order(0).tolist() == sampler.order(5).tolist() == list(range(101))


def test_build_train_sampler_serves_a_hand_written_loader() -> None:
    rows = [(f"{n}.jpg", n, 0) for n in range(9)]
    sampler = build_train_sampler(rows, "RandomSampler", batch_size=4, num_instances=2, seed=1)
    assert len(sampler) == 9
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(9))
    assert first != second
    sampler.set_epoch(0)
    assert list(sampler) == first


def test_unknown_samplers_and_options_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="RandomSampler"):
        build_train_sampler(TABLE, "RandomSamplr")
    with pytest.raises(UserError, match="has no option 'colour'"):
        build_train_sampler(TABLE, "RandomSampler", colour=1)
