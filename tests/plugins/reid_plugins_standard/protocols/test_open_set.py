from statistics import fmean

import numpy as np
import pytest
from reid_plugins_standard.protocols.open_set import OpenSet
from reid_plugins_standard.protocols.over_draws import draw_of_each

from reidcore.errors import DataError, UserError
from reidcore.evaluation import Labels, Market1501, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems

RATES = {"1%": 100, "10%": 10}


def by_definition(distances, labels, gone, ties, ranks=(1, 10)):
    """Try every threshold; a query is of somebody unknown if the gallery lacks its identity."""
    strict = ties == "optimistic"
    gallery = [
        (item, pid, camera)
        for item, (pid, camera) in enumerate(
            zip(labels.g_pids.tolist(), labels.g_camids.tolist(), strict=True)
        )
        if pid not in gone
    ]
    known, strangers = [], []  # (distance, rank) of nearest matches; distances of nearest items
    for query, row in enumerate(distances.tolist()):
        mine, my_camera = labels.q_pids[query].item(), labels.q_camids[query].item()
        others = [row[item] for item, pid, _ in gallery if pid != mine]
        own = [(row[item], camera) for item, pid, camera in gallery if pid == mine]
        matches = [distance for distance, camera in own if camera != my_camera]
        if matches:
            nearest = min(matches)
            ahead = sum(each < nearest or (each == nearest and not strict) for each in others)
            known.append((nearest, 1 + ahead))
        elif not own:
            strangers.append(min(others))
    thresholds = [-1.0, *sorted({*distances.ravel().tolist()})]
    found = {}
    for rate, per in RATES.items():
        for rank in ranks:
            shares = []
            for threshold in thresholds:
                alarms = sum(
                    each < threshold or (each == threshold and not strict) for each in strangers
                )
                if alarms * per <= len(strangers):
                    detected = [mine <= threshold and place <= rank for mine, place in known]
                    shares.append(sum(detected) / len(known))
            found[f"DIR{'' if rank == 1 else rank}@FAR={rate}"] = max(shares)
    return found


@pytest.mark.parametrize("ties", ["pessimistic", "optimistic"])
@pytest.mark.parametrize(("share", "count"), [(0, 60), (0.3, 40)])
def test_it_agrees_with_the_definition(share, count, ties):
    compared = 0
    for problem in small_problems(count, seed=15, queries=16, gallery=20, people=5, values=12):
        old = problem.labels
        labels = Labels(old.q_pids + 1, old.g_pids, old.q_camids, old.g_camids)  # 5 is unknown
        protocol = OpenSet(share=share, draws=3, seed=4, rank=2)
        distances = MatrixDistances(problem.distances)
        if not (labels.q_pids == 5).any():
            continue
        found = protocol.evaluate(distances, labels, ties=ties)
        matched = np.unique(labels.q_pids[Market1501().evaluate(distances, labels).first_rank > 0])
        expected = []
        for draw in range(3 if share else 1):
            rows = draw_of_each(np.zeros(len(matched)), round(share * len(matched)), 4, draw)
            gone = set(matched[rows].tolist())
            expected.append(by_definition(problem.distances, labels, gone, ties, (1, 2)))
        for name in expected[0]:
            values = [each[name] for each in expected]
            assert found.figures[name] == pytest.approx(fmean(values))
            if share:
                assert found.figures[f"{name}_std"] == pytest.approx(np.std(values, ddof=1))
        compared += 1
    assert compared > 0.9 * count


def test_the_rates_by_hand():
    """Ten strangers, whose nearest items are at 2, 4, 5, ..., 12; four known queries.

    One of ten may be accepted at 10 %: a threshold below 4. The known ones have matches at 1,
    3, 3 and 9, of which the second stands behind an item at 2. At 1 % the threshold is below 2.
    """
    q_pids = [1, 1, 1, 1, *range(100, 110)]
    distances = np.full((14, 2), 50.0)
    distances[:4] = [[1, 8], [3, 2], [3, 8], [9, 20]]
    distances[4:, 1] = [2, *range(4, 13)]
    labels = Labels(q_pids, [1, 2], [0] * 14, [1, 1])
    result = evaluate(distances, labels, OpenSet(share=0))
    assert result.figures["DIR@FAR=10%"] == 0.5
    assert result.figures["DIR10@FAR=10%"] == 0.75
    assert result.figures["DIR@FAR=1%"] == 0.25
    assert result.figures["DIR10@FAR=1%"] == 0.25
    assert result.per_query["DIR@FAR=10%"][:4].tolist() == [1, 0, 1, 0]
    assert np.isnan(result.per_query["DIR@FAR=10%"][4:]).all()
    assert result.conditions["left out"] == "0 % of identities"
    assert result.cmc.tolist() == [0.75, 1]
    assert "DIR@FAR=1%_std" not in result.further()


def test_identities_are_left_out_by_lot_and_told():
    rng = np.random.default_rng(0)
    pids = np.repeat(np.arange(20), 3)
    labels = Labels(pids, pids, np.zeros(60), np.ones(60))
    distances = rng.random((60, 60)) + 0.3 * (pids[:, None] != pids)
    result = evaluate(distances, labels, OpenSet(share=0.25, draws=5, seed=3))
    assert (result.conditions["draws"], result.conditions["seed"]) == (5, 3)
    assert result.num_gallery == 45
    assert 0 < result.figures["DIR@FAR=10%"] < result.cmc_at(1)
    assert result.figures["DIR@FAR=10%_std"] > 0
    assert "DIR@FAR=10%" in result.intervals
    again = evaluate(distances, labels, OpenSet(share=0.25, draws=5, seed=3))
    assert again.figures == result.figures


def test_data_without_strangers_or_without_known_ones_are_refused():
    labels = Labels([1, 2], [1, 2], [0, 0], [1, 1])
    with pytest.raises(DataError, match="every query shows somebody who is in the gallery"):
        evaluate(np.eye(2), labels, OpenSet(share=0))
    with pytest.raises(DataError, match="all identities are left out"):
        evaluate([[0.0]], Labels([1], [1], [0], [1]), OpenSet(share=0.5))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"share": 1}, "share"),
        ({"rank": 0}, "rank"),
        ({"draws": 0}, "draws"),
        ({"seed": -1}, "seed"),
    ],
)
def test_options_out_of_range_are_refused(options, told):
    with pytest.raises(UserError, match=told):
        OpenSet(**options)
