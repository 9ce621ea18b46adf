import json

import numpy as np
import pytest

from reidcore.errors import UserError
from reidcore.evaluation import Labels, MatchRanks, evaluate
from reidcore.evaluation.result import reduce_ranks


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


def test_no_valid_query_is_an_error():
    with pytest.raises(UserError, match=r"none of the 2 queries has a match.*camera 0.*any_camera"):
        evaluate(np.zeros((2, 2)), Labels([1, 2], [1, 3], [0, 0], [0, 0]))
