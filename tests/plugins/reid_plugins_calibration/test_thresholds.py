"""Thresholds, and the rates that data cannot support."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_calibration.images import make_items
from reid_plugins_calibration.similarity_counts import spread_of
from reid_plugins_calibration.thresholds import measure, support_of

from reidcore.errors import DataError


@given(
    seed=st.integers(0, 10**6),
    across=st.booleans(),
    with_tracks=st.booleans(),
    cameras=st.integers(2, 4),
)
def test_pairs_are_counted_without_features_as_with_them(
    seed, across, with_tracks, cameras
) -> None:
    rng = np.random.default_rng(seed)
    camids = rng.integers(0, cameras, 30)
    camids[:2] = 0, 1
    pids = rng.integers(0, 7, 30)
    items = make_items(
        rng.normal(size=(30, 2)),
        pids,
        camids,
        tracks=rng.integers(0, 9, 30) if with_tracks else None,
        searched=np.arange(5),
        across=across,
    )
    support, spread = support_of(items), spread_of(items)
    assert (support.matches, support.nonmatches) == (spread.num_matches, spread.num_nonmatches)
    if not with_tracks:
        related = {
            (a, b)
            for a, c in zip(pids, camids, strict=True)
            for b, d in zip(pids, camids, strict=True)
            if a < b and (not across or c != d)
        }
        assert support.identity_pairs == len(related)


def test_a_rate_is_refused_where_too_few_pairs_of_identities_support_it(draw) -> None:
    found = measure(make_items(*draw(26, images=20)), (0.1, 0.01, 0.005), "the data")
    assert [each.fmr for each in found.thresholds] == [0.1, 0.01]
    assert found.refused == [
        "FMR 0.005 needs 600 pairs of identities (36 identities), and there are 325"
    ]


def test_a_threshold_has_the_rates_that_were_counted(draw) -> None:
    items = make_items(*draw(60))
    (found,) = measure(items, (0.02,), "the data").thresholds
    similarity = items.features @ items.features.T
    comparable = np.triu(items.cameras[:, None] != items.cameras, 1)
    same = items.identities[:, None] == items.identities
    matches, nonmatches = similarity[comparable & same], similarity[comparable & ~same]
    assert found.false_matches == (nonmatches >= found.similarity).sum()
    assert found.false_matches / len(nonmatches) <= 0.02
    assert found.fnmr == pytest.approx((matches < found.similarity).mean())
    assert found.low < found.similarity < found.high
    assert found.fnmr_low < found.fnmr < found.fnmr_high
    assert (found.matches, found.nonmatches) == (len(matches), len(nonmatches))


def refuse(match, *args, **options) -> None:
    with pytest.raises(DataError, match=match):
        measure(make_items(*args, **options), (0.1,), "shop")


def test_too_few_identities_are_refused_with_their_number(draw) -> None:
    refuse(r"shop cannot be calibrated: 9 identities .* 10 are needed", *draw(9))


def test_an_identity_with_one_image_has_no_match(draw) -> None:
    features, pids, _ = draw(20, images=1)
    refuse("no two comparable images are of one identity", features, pids, pids * 0)


def test_pairs_of_one_camera_do_not_count_across_cameras(draw) -> None:
    features, pids, _ = draw(20)
    refuse(r"of one identity.*--within-cameras", features, pids, pids % 2)


def test_frames_of_one_track_are_no_matches(draw) -> None:
    features, pids, camids = draw(20)
    refuse("not of one track", features, pids, camids * 0, tracks=pids)


def test_one_camera_alone_is_compared_within(draw) -> None:
    features, pids, camids = draw(20)
    found = measure(make_items(features, pids, camids * 0), (0.1,), "shop")
    assert found.support.matches == 20 * 6
    with pytest.raises(DataError, match="all images are of one camera"):
        make_items(features, pids, camids * 0, across=True)


def test_images_under_two_identities_are_told(draw) -> None:
    features, pids, camids = draw(20)
    features[:60] = features[0]
    found = measure(make_items(features, pids, camids), (0.1,), "shop")
    assert found.thresholds == []
    assert "under two identities" in found.refused[0]


@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN or infinite"), (0.0, "zero")])
def test_features_without_a_direction_are_refused_by_name(draw, value, what) -> None:
    features, pids, camids = draw(12)
    features[7] = value
    names = [f"{number}.jpg" for number in range(len(pids))]
    with pytest.raises(DataError, match=rf"1 of 48 features are {what}: .*7.jpg"):
        make_items(features, pids, camids, names=names)


def test_labels_of_another_length_are_refused(draw) -> None:
    features, pids, camids = draw(12)
    with pytest.raises(DataError, match="48 features and 47 camids"):
        make_items(features, pids, camids[1:])
    with pytest.raises(DataError, match="shape"):
        make_items(features[:, 0], pids, camids)
