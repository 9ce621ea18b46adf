import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reidcore.errors import UserError
from reidcore.evaluation import Labels, MatchRanks, NoMatchError, evaluate, reduce_ranks


@pytest.fixture
def ranks():
    """Three queries: matches at 1 and 4, none, at 2."""
    return MatchRanks(np.array([0, 2, 2, 3]), np.array([1, 4, 2]), num_gallery=6)


def test_ranks_become_figures(ranks):
    result = reduce_ranks(ranks, max_rank=3)
    assert result.cmc.tolist() == [0.5, 1.0, 1.0]
    np.testing.assert_allclose(result.ap, [(1 + 2 / 4) / 2, np.nan, 1 / 2])
    np.testing.assert_allclose(result.inp, [2 / 4, np.nan, 1 / 2])
    assert result.mAP == pytest.approx((0.75 + 0.5) / 2)
    assert result.mINP == pytest.approx(0.5)
    assert result.first_rank.tolist() == [1, 0, 2]
    assert result.valid.tolist() == [True, False, True]
    assert (result.num_valid, result.num_skipped) == (2, 1)


def test_the_curve_ends_with_the_gallery(ranks):
    result = reduce_ranks(ranks, max_rank=50)
    assert len(result.cmc) == 6
    assert result.cmc_at(20) == result.cmc[-1] == 1.0


def test_ranks_beyond_the_computed_curve_are_left_out_and_refused(ranks):
    result = reduce_ranks(ranks, max_rank=3)
    assert list(result.summary([1, 3, 5])) == ["mAP", "mINP", "rank1", "rank3"]
    for rank in (0, 5):
        with pytest.raises(UserError, match=f"rank 1 to 3, {rank} is outside"):
            result.cmc_at(rank)


def test_a_max_rank_below_one_is_refused(ranks):
    with pytest.raises(UserError, match="max_rank"):
        reduce_ranks(ranks, max_rank=0)


def test_a_result_goes_into_json_and_back(ranks):
    result = reduce_ranks(ranks)
    stored = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert stored["ap"] == [0.75, None, 0.5]
    assert stored["mAP"] == result.mAP
    assert json.dumps(result.summary())


@pytest.mark.parametrize(
    ("found", "plain", "trapezoid"),
    [
        ([1], 1.0, 1.0),
        ([2], 1 / 2, 1 / 4),
        ([1, 3, 6], (1 + 2 / 3 + 3 / 6) / 3, (1 + (2 / 3 + 1 / 2) / 2 + (3 / 6 + 2 / 5) / 2) / 3),
    ],
)
def test_both_kinds_of_ap(found, plain, trapezoid):
    ranks = MatchRanks(np.array([0, len(found)]), np.array(found), num_gallery=9)
    assert reduce_ranks(ranks).mAP == pytest.approx(plain)
    assert reduce_ranks(ranks, ap="trapezoid").mAP == pytest.approx(trapezoid)


def test_kinds_of_ap_and_fates_that_there_are_not_are_refused(ranks):
    with pytest.raises(UserError, match=r"ap is plain or trapezoid, not 'trapez'.*'trapezoid'"):
        reduce_ranks(ranks, ap="trapez")
    with pytest.raises(UserError, match=r"unmatched is skipped or zero, not 'zeros'.*'zero'"):
        reduce_ranks(ranks, unmatched="zeros")


def test_a_query_without_a_match_may_count_as_zero(ranks):
    result = reduce_ranks(ranks, max_rank=3, unmatched="zero")
    assert result.cmc.tolist() == [1 / 3, 2 / 3, 2 / 3]
    assert (result.ap.tolist(), result.mAP) == ([0.75, 0, 0.5], pytest.approx(1.25 / 3))
    assert result.mINP == pytest.approx(1 / 3)
    assert result.valid.all()
    assert (result.num_valid, result.num_skipped, result.num_unmatched) == (3, 0, 1)


def test_contributions_are_what_figures_are_means_of(ranks):
    for unmatched in ("skipped", "zero"):
        result = reduce_ranks(ranks, max_rank=3, unmatched=unmatched)
        found = result.contributions((1, 2, 5))
        assert {name: np.nanmean(each) for name, each in found.items()} == pytest.approx(
            result.summary((1, 2))
        )
    assert found["rank2"].tolist() == [1, 0, 1]


def test_contributions_of_a_curve_over_draws_are_those_that_it_tells(ranks):
    drawn = replace(
        reduce_ranks(ranks, max_rank=3),
        cmc=np.array([0.4, 0.9, 1.0]),
        per_query={"rank1": np.array([0.5, np.nan, 0.3]), "own": np.array([1, 2, np.nan])},
        figures={"own": 1.5},
    )
    found = drawn.contributions((1, 2, 3))
    assert list(found) == ["mAP", "mINP", "rank1", "rank3", "own"]  # nobody says whose 0.9 is
    assert np.nanmean(found["rank1"]) == pytest.approx(0.4)
    assert found["rank3"].tolist() == pytest.approx([1, np.nan, 1], nan_ok=True)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (
            Labels([1, 2], [1, 3], [0, 0], [0, 0]),
            r"All matches are of the query's own camera.*any_camera",
        ),
        (Labels([1], [1, 2], [0], [0, 0], None, None, [7], [7, 8]), r"no match for itself"),
        (Labels([1, 2], [7, 8], [0, 0], [1, 1]), r"such as 1, the gallery such as 7\. Number both"),
    ],
)
def test_no_valid_query_is_an_error_that_says_why(labels, said):
    with pytest.raises(NoMatchError, match=rf"none of the \d queries has a match.*{said}"):
        evaluate(np.zeros(labels.shape), labels)


@st.composite
def places(draw):
    """Where the matches of some queries stand; some have none, and one has."""
    gallery = draw(st.integers(1, 30))
    matches = st.sets(st.integers(1, gallery))
    found = [sorted(each) for each in draw(st.lists(matches, max_size=8))]
    found.insert(draw(st.integers(0, len(found))), [draw(st.integers(1, gallery))])
    first = np.cumsum([0, *map(len, found)])
    return found, MatchRanks(
        first, np.concatenate([np.array(each, dtype=np.int64) for each in found]), gallery
    )


@given(problem=places())
@settings(max_examples=60, deadline=None)
def test_trapezoid_ap_is_the_area_below_the_joined_points(problem):
    found, ranks = problem
    result = reduce_ranks(ranks, ap="trapezoid")
    for ap, mine in zip(result.ap, found, strict=True):
        if mine:
            area, recall, precision = 0.0, 0.0, 1.0  # as compute_ap.cpp of the Oxford buildings
            for rank in range(1, ranks.num_gallery + 1):
                hits = sum(match <= rank for match in mine)
                area += (hits / len(mine) - recall) * (precision + hits / rank) / 2
                recall, precision = hits / len(mine), hits / rank
            assert ap == pytest.approx(area)
    assert (result.ap[result.valid] <= reduce_ranks(ranks).ap[result.valid] + 1e-12).all()


@given(problem=places())
@settings(max_examples=60, deadline=None)
def test_queries_that_count_as_zero_thin_all_means_alike(problem):
    _, ranks = problem
    skipped, zero = (reduce_ranks(ranks, unmatched=fate) for fate in ("skipped", "zero"))
    share = skipped.num_valid / len(skipped.ap)
    for name, value in skipped.summary().items():
        assert zero.summary()[name] == pytest.approx(value * share)
    assert zero.num_unmatched == skipped.num_skipped == skipped.num_unmatched
    for result in (skipped, zero):
        for name, each in result.contributions().items():
            assert np.nanmean(each) == pytest.approx(result.summary()[name])
