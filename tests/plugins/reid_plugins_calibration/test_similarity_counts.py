"""Counts of pairs: the same as pair by pair, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_calibration import pairs as pairs_module
from reid_plugins_calibration.images import make_items
from reid_plugins_calibration.similarity_counts import BINS, HALF, edge, spread_of


def pair_by_pair(items):
    """Return similarities of matches and of non-matches, in two loops."""
    matches, nonmatches = [], []
    similarity = np.clip(items.features @ items.features.T, -1, 1)
    for i in range(len(items)):
        for j in range(i + 1, len(items)):
            if items.across and items.cameras[i] == items.cameras[j]:
                continue
            if items.tracks is not None and items.tracks[i] == items.tracks[j]:
                continue
            if items.identities[i] != items.identities[j]:
                nonmatches.append(similarity[i, j])
            elif items.searched[items.identities[i]]:
                matches.append(similarity[i, j])
    return np.array(matches), np.array(nonmatches)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    across=st.booleans(),
    with_tracks=st.booleans(),
    rows=st.integers(1, 9),
    columns=st.integers(9, 30),
)
def test_each_pair_counts_once_whatever_the_blocks(
    seed, across, with_tracks, rows, columns
) -> None:
    rng = np.random.default_rng(seed)
    count = 40
    pids, camids = rng.integers(0, 8, count), rng.integers(0, 3, count)
    tracks = rng.integers(0, 12, count) if with_tracks else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs_module, "_ROWS", rows)
        patch.setattr(pairs_module, "_COLUMNS", columns)
        items = make_items(
            rng.normal(size=(count, 3)),
            pids,
            camids,
            tracks=tracks,
            searched=np.arange(6),
            across=across,
            seed=seed,
        )
        spread = spread_of(items)
    matches, nonmatches = pair_by_pair(items)
    assert (spread.num_matches, spread.num_nonmatches) == (len(matches), len(nonmatches))
    assert spread.by_folds.sum(axis=(0, 1, 3)).tolist() == [len(nonmatches), len(matches)]
    for place in (0, HALF // 2, HALF, HALF + HALF // 3, BINS - 1):
        # Products of other shapes round otherwise: none of these is at an edge.
        assert spread.nonmatches[place:].sum() == (nonmatches >= edge(place)).sum()
        assert spread.matches[:place].sum() == (matches < edge(place)).sum()


def test_folds_are_of_identities(draw) -> None:
    items = make_items(*draw(30))
    folds = spread_of(items).by_folds
    matches = folds[:, :, 1].sum(axis=2)
    assert (matches.diagonal() > 0).all()
    assert matches.trace() == matches.sum()
    assert (np.tril(folds.sum(axis=(2, 3)), -1) == 0).all()


def test_the_threshold_is_the_lowest_that_keeps_the_rate(draw) -> None:
    items = make_items(*draw(40))
    spread, (_, nonmatches) = spread_of(items), pair_by_pair(items)
    for rate in (0.1, 0.01, 0.003):
        place = spread.at_fmr(rate)
        assert (nonmatches >= edge(place)).mean() <= rate < (nonmatches >= edge(place - 1)).mean()
        assert spread.fmr(place) == (nonmatches >= edge(place)).mean()


def test_a_share_of_pairs_that_is_whole_is_not_rounded_down(draw) -> None:
    spread = spread_of(make_items(*draw(15)))  # 0.3 * 10 is less than 3 in floating point
    for hits in range(1, 20):
        place = spread.at_fmr(hits / spread.num_nonmatches)
        assert spread.nonmatches[place:].sum() == hits


def test_the_last_threshold_that_keeps_the_rate_of_false_nonmatches(draw) -> None:
    items = make_items(*draw(40))
    spread, (matches, _) = spread_of(items), pair_by_pair(items)
    place = spread.at_fnmr(0.05)
    assert (matches < edge(place)).mean() <= 0.05 < (matches < edge(place + 1)).mean()


def test_a_similarity_of_one_is_counted_and_no_threshold_is_beyond_it() -> None:
    features = np.tile([1.0, 0.0, 0.0], (4, 1))
    spread = spread_of(make_items(features, np.array([0, 0, 1, 1]), np.zeros(4, int)))
    assert spread.at_fmr(0.1) == BINS
    assert spread.nonmatches[-1] == spread.num_nonmatches == 4
