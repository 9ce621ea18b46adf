from collections import defaultdict
from statistics import fmean

import numpy as np
import pytest
from reid_plugins_standard.protocols.wildlife import Wildlife

from reidcore.errors import DataError, UserError
from reidcore.evaluation import Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import assert_agree, expected
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


def animals(q_pids, g_pids, q_dates=None, g_dates=None):
    dated = [None if dates is None else {"date": np.array(dates)} for dates in (q_dates, g_dates)]
    return Labels(q_pids, g_pids, [0] * len(q_pids), [1] * len(g_pids), *dated)


def balanced(right):
    """Return the mean over classes of the shares of right answers, from (class, right) pairs."""
    by_class = defaultdict(list)
    for name, each in right:
        by_class[name].append(each)
    return fmean(fmean(answers) for answers in by_class.values())


def by_definition(distances, q_pids, g_pids, threshold, mu, ignored):
    """Name each query after its nearest item, a wrong one first where they are as far."""
    known, unknown = [], []  # (identity, right, how far)
    for query, pid in enumerate(q_pids):
        items = [
            (distances[query, item].item(), g_pid == pid)
            for item, g_pid in enumerate(g_pids)
            if not ignored(query, item)
        ]
        far, named = min(items) if items else (np.inf, False)
        if any(same for _, same in items):
            known.append((pid, named and far <= threshold, far))
        else:
            unknown.append((pid, far > threshold, far))
    both = [(pid, right) for pid, right, _ in known] + [("new", right) for _, right, _ in unknown]
    found = {
        "accuracy known": fmean(right for _, right, _ in known),
        "BAKS": balanced((pid, right) for pid, right, _ in known),
        "accuracy": fmean(right for _, right in both),
        "balanced accuracy": balanced(both),
    }
    if unknown:
        found["accuracy unknown"] = fmean(right for _, right, _ in unknown)
        found["BAUS"] = balanced((pid, right) for pid, right, _ in unknown)
        found["normalised accuracy"] = (
            mu * found["accuracy known"] + (1 - mu) * found["accuracy unknown"]
        )
        pairs = [(one, two) for _, _, one in known for _, _, two in unknown]
        found["AUC new"] = fmean(one < two for one, two in pairs)
    return found


@pytest.mark.parametrize("setting", ["open", "time_aware"])
def test_it_agrees_with_the_definition(setting):
    compared = 0
    for problem in small_problems(100, seed=16, queries=9, gallery=14, people=5, date=4):
        old = problem.labels
        q_pids, g_pids = (old.q_pids + 1).tolist(), old.g_pids.tolist()  # 5 is unknown
        q_dates, g_dates = (each.tolist() for each in old.column("date"))
        labels = animals(q_pids, g_pids, q_dates, g_dates)

        def ignored(query, item, q_dates=q_dates, g_dates=g_dates):
            return setting == "time_aware" and g_dates[item] >= q_dates[query]

        reference = expected(
            problem.distances,
            lambda query, item, q=q_pids, g=g_pids: q[query] == g[item],
            ignored,
        )
        if not reference.valid:
            continue
        found = Wildlife(setting, 2.0, mu=0.3).evaluate(MatrixDistances(problem.distances), labels)
        assert_agree(found, reference)
        figures = by_definition(problem.distances, q_pids, g_pids, 2, 0.3, ignored)
        assert found.figures == pytest.approx(figures)
        for name, values in found.per_query.items():
            assert np.nanmean(values) == pytest.approx(figures[name])
        compared += 1
    assert compared > 95


def test_the_figures_by_hand():
    """Animal 1: right, right, wrong; animal 2: right but too far; 8: called new, twice; 9: not."""
    labels = animals([1, 1, 1, 2, 8, 8, 9], [1, 2])
    distances = [[1, 2], [2, 9], [4, 3], [8, 7], [9, 8], [6, 7], [4, 9]]
    result = evaluate(distances, labels, Wildlife(threshold=5))
    assert result.figures == pytest.approx(
        {
            "accuracy known": 2 / 4,
            "BAKS": (2 / 3 + 0) / 2,
            "accuracy": 4 / 7,
            "balanced accuracy": (2 / 3 + 0 + 2 / 3) / 3,
            "accuracy unknown": 2 / 3,
            "BAUS": (1 + 0) / 2,
            "normalised accuracy": (2 / 4 + 2 / 3) / 2,
            "AUC new": (4 + 3 + 3) / 12,  # at 8, 6, 4 against 1, 2, 3, 7
        }
    )
    assert result.conditions["unknown queries"] == 3
    assert result.conditions["threshold"] == 5
    assert result.num_skipped == 3
    assert result.cmc_at(1) == 3 / 4


def test_without_a_threshold_only_what_needs_none_is_told():
    labels = animals([1, 9], [1, 2])
    result = evaluate([[1, 2], [3, 3]], labels, Wildlife())
    assert result.figures == {"accuracy known": 1, "BAKS": 1, "AUC new": 1}
    closed = evaluate([[1, 2]], animals([1], [1, 2]), Wildlife("closed"))
    assert closed.figures == {
        "accuracy known": 1,
        "BAKS": 1,
        "accuracy": 1,
        "balanced accuracy": 1,
    }


def test_a_closed_set_has_no_unknown_query():
    with pytest.raises(DataError, match="1 query of 2 show an animal"):
        evaluate([[1, 2], [3, 3]], animals([1, 9], [1, 2]), Wildlife("closed"))


def test_images_of_animals_not_learnt_from_are_searched_for_among_themselves():
    """Query and gallery are the same files; animal 3 is seen once and has no part."""
    pids, files = [1, 1, 2, 2, 3], np.arange(5)
    labels = Labels(pids, pids, [0] * 5, [1] * 5, None, None, files, files)
    distances = np.array(
        [
            [0, 1, 2, 3, 4],
            [1, 0, 2, 3, 4],
            [1, 2, 0, 3, 4],
            [2, 3, 1, 0, 4],
            [1, 1, 1, 1, 0],
        ]
    )
    result = evaluate(distances, labels, Wildlife("disjoint"))
    without_files = Labels(pids, pids, [0] * 5, [1] * 5)
    assert evaluate(distances, without_files, Wildlife("disjoint")).figures == result.figures
    with pytest.raises(DataError, match="are the same images, and these differ"):
        evaluate(distances, animals(pids, pids[::-1]), Wildlife("disjoint"))
    assert result.figures["accuracy known"] == 3 / 4
    assert result.figures["accuracy"] == 3 / 4
    assert "AUC new" not in result.figures
    assert result.conditions["unknown queries"] == 0


def test_images_of_the_same_day_or_later_are_ignored():
    labels = animals(
        [1, 1],
        [1, 1, 2],
        ["2020-05-02 10:00", "2020-05-03"],
        ["2020-05-01", "2020-05-02 09:00", "2019-12-31"],
    )
    result = evaluate([[5, 0, 6], [5, 1, 0]], labels, Wildlife("time_aware"))
    assert result.first_rank.tolist() == [1, 2]
    assert result.ap.tolist() == pytest.approx([1, (1 / 2 + 2 / 3) / 2])
    assert result.conditions["junk"] == "of the same day or later"
    undated = animals([1], [1], ["2020-05-02"], [""])
    with pytest.raises(DataError, match="1 gallery image of 1 have no date"):
        evaluate([[0]], undated, Wildlife("time_aware"))
    with pytest.raises(UserError, match="needs the column 'date'"):
        evaluate([[0]], animals([1], [1]), Wildlife("time_aware"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"setting": "opened"}, "open"),
        ({"threshold": float("nan")}, "threshold is NaN"),
        ({"mu": 2}, "mu"),
    ],
)
def test_options_out_of_range_are_refused(options, told):
    with pytest.raises(UserError, match=told):
        Wildlife(**options)
