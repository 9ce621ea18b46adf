from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_inspect.checks import near_duplicates as nearness
from reid_plugins_inspect.checks.near_duplicates import clusters, near_pairs

FLIPS = st.lists(st.integers(0, 63), max_size=5)


@given(st.lists(st.tuples(st.integers(0, 4), FLIPS, FLIPS), max_size=24), st.integers(0, 4))
def test_the_groups_are_those_of_comparing_each_with_each(
    pictures: list[tuple[int, list[int], list[int]]], distance: int
) -> None:
    rng = np.random.default_rng(3)
    seeds = rng.integers(0, 2**64, (5, 2), dtype=np.uint64)
    across = np.array([flipped(seeds[seed, 0], flips) for seed, flips, _ in pictures], np.uint64)
    down = np.array([flipped(seeds[seed, 1], flips) for seed, _, flips in pictures], np.uint64)
    assert clusters(across, down, distance).tolist() == by_force(across, down, distance)


def flipped(number: np.uint64, bits: list[int]) -> int:
    for bit in bits:
        number = number ^ np.uint64(1 << bit)
    return int(number)


def by_force(across: np.ndarray, down: np.ndarray, distance: int) -> list[int]:
    """Compare each with each, and each with whatever became of its neighbours."""
    count = len(across)
    labels = list(range(count))
    for _ in range(count):
        for one in range(count):
            for other in range(count):
                if (
                    int(across[one] ^ across[other]).bit_count() <= distance
                    and int(down[one] ^ down[other]).bit_count() <= distance
                ):
                    labels[one] = labels[other] = min(labels[one], labels[other])
    return [label if labels.count(label) > 1 else -1 for label in labels]


def test_plain_pictures_are_in_no_group() -> None:
    plain, rich = np.uint64(1), np.uint64(0xFFFF)
    assert clusters(np.array([plain, plain]), np.array([plain, plain]), 3).tolist() == [-1, -1]
    assert clusters(np.array([rich, rich]), np.array([plain, plain]), 3).tolist() == [0, 0]


def test_equal_pictures_are_paired_with_their_neighbours_alone() -> None:
    same = np.full(5000, 0xABCDEF0123456789, dtype=np.uint64)
    pairs = list(near_pairs(same, same, 3))
    assert sum(len(left) for left, _ in pairs) == 4999


def test_many_pictures_take_no_quadratic_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearness, "_AT_A_TIME", 1 << 16)
    rng = np.random.default_rng(0)
    across, down = rng.integers(0, 2**64, (2, 60_000), dtype=np.uint64)
    across[-1], down[-1] = across[0] ^ np.uint64(0b111), down[0] ^ np.uint64(1 << 63)
    began = time.process_time()
    found = clusters(across, down, 3)
    assert np.flatnonzero(found >= 0).tolist() == [0, 59_999]
    assert time.process_time() - began < 10  # each with each would be 1.8e9 comparisons
