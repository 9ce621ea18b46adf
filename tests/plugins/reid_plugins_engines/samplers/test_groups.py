"""What balanced batches promise, whatever the labels."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_engines.samplers.groups import GroupedOrder


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, int, int, int]:
    """Labels with many or few rows each, P, K and a seed."""
    counts = draw(st.lists(st.integers(1, 40), min_size=1, max_size=12))
    seed = draw(st.integers(0, 2**31))
    labels = np.repeat(np.arange(len(counts)) * 7 - 3, counts)
    np.random.default_rng(seed).shuffle(labels)
    return labels, draw(st.integers(1, len(counts))), draw(st.integers(1, 6)), seed


def batches_of(sampler: GroupedOrder, epoch: int) -> np.ndarray:
    """The rows of an epoch, (B, P, K)."""
    return sampler.order(epoch).reshape(sampler.num_batches, sampler.per_batch, sampler.size)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_every_batch_holds_p_labels_with_k_rows_each(
    problem: tuple[np.ndarray, int, int, int],
) -> None:
    labels, per_batch, size, seed = problem
    sampler = GroupedOrder(labels, per_batch, size, seed)
    for epoch in range(3):
        order = sampler.order(epoch)
        assert order.dtype == np.int64
        assert len(order) == len(sampler) == sampler.num_batches * per_batch * size
        groups = labels[order].reshape(-1, per_batch, size)
        assert (groups == groups[:, :, :1]).all()
        assert all(len(set(batch)) == per_batch for batch in groups[:, :, 0].tolist())


@settings(max_examples=150, deadline=None)
@given(problems())
def test_coverage_is_what_the_docstring_says(problem: tuple[np.ndarray, int, int, int]) -> None:
    labels, per_batch, size, seed = problem
    sampler = GroupedOrder(labels, per_batch, size, seed)
    room = sampler.num_batches * size
    orders = [sampler.order(epoch) for epoch in range(-(-len(labels) // room))]
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        shown = [set(order.tolist()) & set(rows.tolist()) for order in orders]
        assert all(len(epoch) == min(len(rows), room) for epoch in shown)
        turns = -(-len(rows) // room)
        assert set.union(*shown[:turns]) == set(rows.tolist())


@settings(max_examples=100, deadline=None)
@given(problems())
def test_a_group_repeats_rows_no_more_than_it_must(
    problem: tuple[np.ndarray, int, int, int],
) -> None:
    labels, per_batch, size, seed = problem
    for group in batches_of(GroupedOrder(labels, per_batch, size, seed), 1).reshape(-1, size):
        available = int((labels == labels[group[0]]).sum())
        _, times = np.unique(group, return_counts=True)
        assert len(times) == min(available, size)
        assert times.max() - times.min() <= 1


@settings(max_examples=100, deadline=None)
@given(problems(), st.integers(1, 30))
def test_an_epoch_of_any_length_has_batches_as_even(
    problem: tuple[np.ndarray, int, int, int], batches: int
) -> None:
    labels, per_batch, size, seed = problem
    sampler = GroupedOrder(labels, per_batch, size, seed, batches)
    assert sampler.num_batches == batches
    needed = -(-np.unique(labels, return_counts=True)[1] // size)
    shown = np.zeros((4, len(needed)), dtype=int)
    for epoch in range(4):
        groups = labels[sampler.order(epoch)].reshape(batches, per_batch, size)
        assert (groups == groups[:, :, :1]).all()
        assert all(len(set(batch)) == per_batch for batch in groups[:, :, 0].tolist())
        codes = np.searchsorted(np.unique(labels), groups[:, :, 0].reshape(-1))
        shown[epoch] = np.bincount(codes, minlength=len(needed))
    less = np.minimum(needed, batches)[None] - shown
    if less.sum() > 0:  # groups were taken, from all labels alike as far as they have any
        assert (less >= 0).all()
        assert (np.abs(less - less.max()) <= 1)[shown > 0].all()
    assert (np.ptp(shown, axis=0) <= 1).all()


@settings(max_examples=50, deadline=None)
@given(problems())
def test_orders_follow_from_seed_and_epoch(problem: tuple[np.ndarray, int, int, int]) -> None:
    labels, per_batch, size, seed = problem
    sampler = GroupedOrder(labels, per_batch, size, seed)
    late, early = sampler.order(5), sampler.order(0)
    again = GroupedOrder(labels.copy(), per_batch, size, seed)
    assert (again.order(0) == early).all()
    assert (again.order(5) == late).all()


def test_seeds_and_epochs_give_other_orders() -> None:
    labels = np.arange(200) % 20
    orders = [GroupedOrder(labels, 5, 4, seed).order(epoch) for seed in (1, 2) for epoch in (0, 1)]
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_no_batch_and_no_company_is_preferred() -> None:
    labels = np.repeat(np.arange(40), 20)  # five groups of four each, 25 batches of eight
    sampler = GroupedOrder(labels, 8, 4, seed=0)
    epochs = 300
    met = np.zeros((40, 40))
    in_batch = np.zeros((25, 40))
    most = []
    for epoch in range(epochs):
        present = np.zeros((25, 40))
        np.put_along_axis(present, labels[batches_of(sampler, epoch)[:, :, 0]], 1, axis=1)
        in_batch += present
        together = present.T @ present
        most.append(np.triu(together, 1).max())
        met += together
    spread = np.sqrt(epochs * 0.2 * 0.8)
    assert np.abs(in_batch - epochs / 5).max() < 5 * spread
    # Two labels meet in about one batch an epoch (25 batches, each with 7 of the 39 others).
    expected = 5 * 7 / 39
    off_diagonal = met[~np.eye(40, dtype=bool)] / epochs
    assert np.abs(off_diagonal - expected).max() < 0.35
    assert np.mean(most) < 4.8  # of 780 pairs, hardly one keeps together all five times


def test_places_left_over_go_to_all_labels_alike() -> None:
    labels = np.concatenate([np.zeros(400, int), np.arange(1, 9)])  # one giant, eight of one row
    sampler = GroupedOrder(labels, 4, 4, seed=0)
    assert sampler.num_batches == 27
    shown = np.bincount(labels[batches_of(sampler, 0)[:, :, 0]].ravel())
    assert shown[0] == 27
    assert shown[1:].max() - shown[1:].min() <= 1


@pytest.mark.parametrize("kind", ["even", "long-tailed", "cameras", "all different"])
def test_a_million_rows_start_and_give_an_epoch_at_once(kind: str) -> None:
    rng, count = np.random.default_rng(0), 1_000_000
    labels, per_batch, size = {
        "even": (rng.integers(0, 50_000, count), 16, 4),
        "long-tailed": (np.minimum(rng.zipf(1.3, count), 10**6), 16, 4),
        "cameras": (rng.integers(0, 6, count), 6, 16),
        "all different": (np.arange(count), 64, 1),
    }[kind]
    began = time.process_time()
    order = GroupedOrder(labels, per_batch, size, 0).order(0)
    assert time.process_time() - began < 3
    assert len(order) >= count
