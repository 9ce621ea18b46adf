"""What camera-aware batches promise, whatever the labels."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_engines.samplers import CameraIdentitySampler, RandomIdentitySampler

from reidcore.data.table import SampleTable
from reidcore.errors import ConfigError


def table_of(pids: np.ndarray, camids: np.ndarray) -> SampleTable:
    rows = zip(pids.tolist(), camids.tolist(), strict=True)
    return SampleTable.of([(f"{number}.jpg", *row) for number, row in enumerate(rows)])


@st.composite
def problems(draw: st.DrawFn) -> CameraIdentitySampler:
    """A sampler of identities that few or many cameras saw, seldom or often."""
    identities = draw(st.integers(1, 7))
    cameras = draw(st.integers(1, 7))
    rows = draw(st.integers(identities, 80))
    seed = draw(st.integers(0, 2**31))
    size = draw(st.integers(1, 6))
    batch = draw(st.integers(1, identities)) * size
    rng = np.random.default_rng(seed)
    pids = np.concatenate([np.arange(identities), rng.integers(0, identities, rows - identities)])
    camids = rng.zipf(1.5, rows) % cameras
    sampler = CameraIdentitySampler(table_of(pids * 5 - 3, camids * 2), batch, seed, size)
    sampler.labels = pids, camids  # type: ignore[attr-defined]
    return sampler


def groups_of(sampler: CameraIdentitySampler, epoch: int) -> np.ndarray:
    """The rows of an epoch, (B * P, K)."""
    return sampler.order(epoch).reshape(-1, sampler.size)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_an_identity_is_shown_by_as_many_cameras_as_can_be(sampler: CameraIdentitySampler) -> None:
    pids, camids = sampler.labels  # type: ignore[attr-defined]
    for epoch in range(3):
        for group in groups_of(sampler, epoch):
            own = np.flatnonzero(pids == pids[group[0]])
            assert set(pids[group]) == {pids[group[0]]}
            assert len(set(camids[group])) == min(sampler.size, len(set(camids[own])))


@settings(max_examples=60, deadline=None)
@given(problems())
def test_images_and_cameras_of_a_group_have_even_shares(sampler: CameraIdentitySampler) -> None:
    pids, camids = sampler.labels  # type: ignore[attr-defined]
    for group in groups_of(sampler, 1):
        own = np.flatnonzero(pids == pids[group[0]])
        images, times = np.unique(group, return_counts=True)
        assert len(images) == min(sampler.size, len(own))
        assert times.max() - times.min() <= 1
        if len(own) < sampler.size:
            continue
        shares = np.bincount(camids[group], minlength=7)
        available = np.bincount(camids[own], minlength=7)
        # A camera with a smaller share than others has shown all that it has.
        smaller = (available > 0) & (shares < shares.max() - 1)
        assert (shares[smaller] == available[smaller]).all()


@settings(max_examples=25, deadline=None)
@given(problems())
def test_every_image_comes_and_batches_hold_an_identity_once(
    sampler: CameraIdentitySampler,
) -> None:
    pids, _ = sampler.labels  # type: ignore[attr-defined]
    seen = np.zeros(len(pids), dtype=bool)
    for epoch in range(50):
        order = sampler.order(epoch)
        assert len(order) == len(sampler)
        seen[order] = True
        batches = pids[order].reshape(sampler.num_batches, sampler.per_batch, sampler.size)
        assert all(len(set(batch)) == sampler.per_batch for batch in batches[:, :, 0].tolist())
    assert seen.all()


def test_a_camera_that_saw_much_shows_all_in_turn() -> None:
    # 8 groups of 4 show 2 images by each camera: camera 0 needs two epochs for its 30.
    camids = np.repeat([0, 1], [30, 2])
    sampler = CameraIdentitySampler(table_of(np.zeros(32, int), camids), 4, 0)
    first, second = (set(sampler.order(epoch).tolist()) for epoch in range(2))
    assert len(first & set(range(30))) == 16
    assert first | second == set(range(32))


def test_cameras_take_turns_where_there_are_more_than_images_in_a_group() -> None:
    camids = np.arange(40) % 10
    sampler = CameraIdentitySampler(table_of(np.zeros(40, int), camids), 4, 0, 4)
    order = sampler.order(0)
    assert np.bincount(camids[order]).tolist() == [4] * 10
    assert len(set(order.tolist())) == 40


def test_orders_follow_from_seed_and_epoch() -> None:
    rng = np.random.default_rng(0)
    table = table_of(rng.integers(0, 20, 300), rng.integers(0, 6, 300))
    orders = {
        (seed, epoch): CameraIdentitySampler(table, 32, seed).order(epoch).tolist()
        for seed in (1, 2)
        for epoch in (5, 0)
    }
    assert len({tuple(order) for order in orders.values()}) == 4
    again = CameraIdentitySampler(table, 32, 1)
    assert [again.order(0).tolist(), again.order(5).tolist()] == [orders[1, 0], orders[1, 5]]


def test_an_epoch_is_as_long_as_without_cameras() -> None:
    rng = np.random.default_rng(0)
    table = table_of(rng.integers(0, 50, 2_000), rng.zipf(1.7, 2_000) % 6)
    ours, plain = (kind(table, 64, 0) for kind in (CameraIdentitySampler, RandomIdentitySampler))
    assert len(ours) == len(plain)


def test_batches_that_cannot_be_kept_are_refused() -> None:
    table = table_of(np.arange(6), np.arange(6))
    with pytest.raises(ConfigError, match=r"batch of 30 .* 28 or 32"):
        CameraIdentitySampler(table, 30, 0)
    with pytest.raises(ConfigError, match="8 identities, but there are 6"):
        CameraIdentitySampler(table, 32, 0)


def test_a_million_rows_start_and_give_an_epoch_at_once() -> None:
    rng, count = np.random.default_rng(0), 1_000_000
    pids, camids = rng.integers(0, 50_000, count), rng.integers(0, 12, count)
    paths = SampleTable.of([("one.jpg", 0, 0)]).paths.take(np.zeros(count, dtype=np.int64))
    table = SampleTable(paths, pids, camids, np.zeros_like(pids))
    began = time.process_time()
    order = CameraIdentitySampler(table, 64, 0).order(0)
    assert time.process_time() - began < 5
    assert len(order) >= count
