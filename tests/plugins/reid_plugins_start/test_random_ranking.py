"""What a random ranking gives, and which models are not told from one."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from reid_plugins_start.random_ranking import doubt, mean_ap_by_chance


def context(tmp_path, rows, protocol):
    table = tmp_path / "labels.csv"
    lines = [f"{number}.jpg,{row}" for number, row in enumerate(rows)]
    table.write_text("\n".join(["path,pid,camid,split", *lines]) + "\n")
    return SimpleNamespace(table=table, facts=SimpleNamespace(columns={}, protocol=protocol))


def mean_ap(total, matches):
    """Return the mean of AP over every order of a gallery."""
    found = []
    for places in itertools.combinations(range(1, total + 1), matches):
        found.append(sum(hit / place for hit, place in enumerate(places, 1)) / matches)
    return sum(found) / len(found)


ROWS = [
    "1,0,query", "1,0,gallery", "1,1,gallery", "1,1,gallery", "2,1,gallery", "2,0,gallery",
    "3,0,query", "3,0,gallery", "-1,1,gallery", "4,0,train",
]  # fmt: skip


def test_a_random_ranking_has_the_mean_of_all_orders(tmp_path):
    # Across cameras 1 has two matches among five images that are not of its own, and 3 has none.
    across = mean_ap_by_chance(context(tmp_path, ROWS, "market1501"))
    assert across == pytest.approx(mean_ap(5, 2))
    anywhere = mean_ap_by_chance(context(tmp_path, ROWS, "any_camera"))
    assert anywhere == pytest.approx((mean_ap(6, 3) + mean_ap(6, 1)) / 2)


@pytest.mark.parametrize(("low", "told"), [(0.31, False), (0.3, True), (0.1, True)])
def test_a_model_is_doubted_whose_interval_reaches_chance(low, told):
    why = doubt({"mAP": 0.4, "intervals": {"mAP": [low, 0.5]}}, 0.3, 6)
    assert bool(why) == told
    if told:
        assert f"40.0 % (95 % interval {100 * low:.1f} to 50.0)" in why
        assert "a random ranking has 30.0 %" in why


def test_a_model_without_an_interval_is_doubted():
    assert "no interval, for want of identities" in doubt({"mAP": 0.9, "intervals": {}}, 0.3, 20)


def test_an_interval_over_very_few_identities_is_no_evidence():
    target = {"mAP": 0.9, "intervals": {"mAP": [0.8, 1.0]}}
    assert "tested on 5 identities, and fewer than 6" in doubt(target, 0.3, 5)
    assert doubt(target, 0.3, 6) == ""
