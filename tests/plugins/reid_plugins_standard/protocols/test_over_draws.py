from dataclasses import replace

import numpy as np
import pytest
from reid_plugins_standard.protocols.over_draws import (
    check_draws,
    draw_of_each,
    evaluate_part,
    lots,
    mean_over_draws,
)

from reidcore.errors import UserError
from reidcore.evaluation import AnyCamera, Labels, MatrixDistances, bootstrap, evaluate


def drawn(distances, g_pids, max_rank=50):
    queries = len(distances)
    labels = Labels([1] * queries, g_pids, [0] * queries, [0] * len(g_pids))
    return evaluate(distances, labels, AnyCamera(), max_rank=max_rank)


def test_figures_are_the_means_of_draws_and_deviations_stand_beside_them():
    """One query: its only match is first, third and fourth; rank-1 is 1, 0 and 0."""
    results = [
        drawn([[2.0, 1.0, 3.0, 4.0]], [2, 1, 2, 2]),
        drawn([[1.0, 3.0, 2.0, 4.0]], [2, 1, 2, 2]),
        drawn([[1.0, 4.0, 2.0, 3.0]], [2, 1, 2, 2]),
    ]
    mean = mean_over_draws(results, seed=7)
    precisions = [1, 1 / 3, 1 / 4]
    assert mean.mAP == pytest.approx(np.mean(precisions))
    assert mean.ap.tolist() == pytest.approx([np.mean(precisions)])
    assert mean.cmc.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1])
    assert mean.figures["mAP_std"] == pytest.approx(np.std(precisions, ddof=1))
    assert mean.figures["rank1_std"] == pytest.approx(np.std([1, 0, 0], ddof=1))
    assert mean.per_query["rank1"].tolist() == pytest.approx([1 / 3])
    assert mean.per_query["rank3"].tolist() == pytest.approx([2 / 3])
    assert mean.first_rank.tolist() == [1]
    assert (mean.conditions["draws"], mean.conditions["seed"]) == (3, 7)


def test_a_query_counts_by_the_draws_that_it_took_part_in():
    """The second query has no match in the first draw, the third in neither."""
    first = drawn([[1.0, 2.0]] * 3, [1, 2])
    first = replace(
        first,
        ap=np.array([1, np.nan, np.nan]),
        inp=np.array([1, np.nan, np.nan]),
        first_rank=np.array([1, 0, 0]),
    )
    second = replace(
        first,
        ap=np.array([0.5, 0.25, np.nan]),
        inp=np.array([0.5, 0.25, np.nan]),
        first_rank=np.array([2, 4, 0]),
        cmc=np.array([0.0, 0.5]),
        mAP=0.375,
    )
    mean = mean_over_draws([first, second], seed=0)
    assert mean.ap.tolist()[:2] == [0.75, 0.25]
    assert np.isnan(mean.ap[2])
    assert mean.valid.tolist() == [True, True, False]
    assert mean.first_rank.tolist() == [1, 4, 0]
    assert mean.cmc.tolist() == [0.5, 0.75]
    added = mean.contributions([1])
    assert added["mAP"].tolist()[:2] == [0.75, 0.625]  # of (1 + (0.5 + 0.25) / 2) / 2
    assert added["rank1"].tolist()[:2] == [0.5, 0.5]  # of (1 + (0 + 0) / 2) / 2
    assert np.isnan([each[2] for each in added.values()]).all()


def test_what_queries_add_has_the_figures_mean_and_its_spread():
    """Each draw asks for one image of every identity, of which some have many."""
    rng = np.random.default_rng(0)
    pids = np.repeat(np.arange(60), rng.integers(1, 12, 60))
    values = np.clip(
        0.5 + 0.3 * rng.normal(size=60)[pids] + 0.05 * rng.normal(size=len(pids)), 0, 1
    )
    results = []
    for draw in range(6):
        asked = np.isin(np.arange(len(pids)), draw_of_each(pids, 1, 0, draw))
        ap = np.where(asked, values, np.nan)
        whole = drawn([[1.0]] * len(pids), [1])
        rank = asked.astype(np.int64)
        results.append(replace(whole, ap=ap, inp=ap, first_rank=rank, mAP=float(np.nanmean(ap))))
    mean = mean_over_draws(results, seed=0)
    added = mean.contributions([1])["mAP"]
    assert np.nanmean(added) == pytest.approx(mean.mAP)
    of_people = np.stack([result.ap[~np.isnan(result.ap)] for result in results]).mean(0)
    people = rng.integers(60, size=(4000, 60))
    low, high = np.quantile(of_people[people].mean(1), [0.025, 0.975])
    found = bootstrap.intervals({"mAP": added}, pids)["mAP"]
    assert found == pytest.approx((low, high), abs=0.012)


def test_further_figures_and_those_of_queries_are_averaged_too():
    first, second = (
        replace(
            drawn([[1.0]], [1]),
            figures={"gain": value, "half": half},
            per_query={"gain": np.array([value])},
        )
        for value, half in ((1.0, np.nan), (3.0, 2.0))
    )
    mean = mean_over_draws([first, second], seed=0)
    assert mean.figures["gain"] == 2
    assert mean.figures["half"] == 2
    assert mean.figures["gain_std"] == pytest.approx(2**0.5)
    assert mean.per_query["gain"].tolist() == [2]


def test_a_single_draw_has_no_deviation():
    mean = mean_over_draws([drawn([[1.0]], [1])], seed=0)
    assert mean.further() == {}
    assert mean.mAP == 1


def test_galleries_of_several_sizes_are_averaged_as_far_as_the_largest_goes():
    mean = mean_over_draws(
        [drawn([[1.0]], [1]), drawn([[1.0, 2.0, 3.0]], [2, 2, 1])],
        seed=0,
    )
    assert mean.cmc.tolist() == [0.5, 0.5, 1]
    assert mean.num_gallery == 3
    assert mean.cmc_at(20) == 1


def test_draws_are_the_same_on_every_machine():
    assert lots(0, 0, 2).tolist() == [11749869230777074271, 4976686463289251617]
    assert lots(0, 1, 2).tolist() == [16412783775159424549, 10277383025879800780]
    groups = np.array([3, 3, 1, 1, 1, 2])
    draws = [draw_of_each(groups, 1, seed=5, draw=draw).tolist() for draw in range(4)]
    assert draws == [[0, 4, 5], [1, 4, 5], [0, 4, 5], [1, 4, 5]]


def test_draws_take_so_many_of_each_group_and_differ():
    groups = np.repeat(np.arange(20), 10)
    draws = [draw_of_each(groups, 3, seed=1, draw=draw) for draw in range(10)]
    for rows in draws:
        assert (np.diff(rows) > 0).all()
        assert np.bincount(groups[rows]).tolist() == [3] * 20
    assert len({rows.tobytes() for rows in draws}) == 10
    assert draw_of_each(groups, 11, seed=1, draw=0).tolist() == list(range(200))


def test_every_member_of_a_group_is_drawn_as_often():
    groups = np.array([7, 7, 7, 7, 9])
    counts = np.bincount(
        np.concatenate([draw_of_each(groups, 1, seed=0, draw=draw) for draw in range(2000)])
    )
    assert counts[4] == 2000
    assert abs(counts[:4] - 500).max() < 4 * (2000 * 0.25 * 0.75) ** 0.5


def test_groups_may_be_of_several_columns():
    groups = np.array([[1, 0], [1, 1], [1, 0], [2, 0]])
    rows = draw_of_each(groups, 1, seed=0, draw=0)
    assert rows.tolist() in ([0, 1, 3], [1, 2, 3])


def test_a_part_of_the_queries_is_told_among_all():
    files = [5, 6, 7], [8, 9, 7]  # the third query is the third item, which is no match of it
    labels = Labels([1, 2, 1], [1, 2, 2], [0, 0, 0], [0, 1, 0], None, None, *files)
    distances = MatrixDistances([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    result = evaluate_part(
        AnyCamera().evaluate,
        distances,
        labels,
        50,
        "pessimistic",
        queries=np.array([1, 2]),
        gallery=np.array([0, 2]),
    )
    assert result.first_rank.tolist() == [0, 2, 1]
    assert np.isnan(result.ap[0])
    assert result.valid.tolist() == [False, True, True]
    assert result.num_gallery == 2
    assert result.own_files.tolist() == [2]


@pytest.mark.parametrize(("draws", "seed"), [(0, 0), (2.5, 0), (True, 0), (1, -1), (1, "x")])
def test_numbers_that_nothing_can_be_drawn_with_are_refused(draws, seed):
    with pytest.raises(UserError, match=r"(draws|seed) is"):
        check_draws(draws, seed)
