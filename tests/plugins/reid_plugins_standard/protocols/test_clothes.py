"""Clothes-changing people: the table of modes, by hand and against the definition."""

from math import isnan, nan

import numpy as np
import pytest
from reid_plugins_standard.protocols.clothes import Clothes

from reidcore.errors import DataError, UnknownNameError
from reidcore.evaluation import Labels, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import assert_protocol
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


def by_hand():
    """One query: person 1, camera 0, clothes 5; the gallery in order of distance.

    ======== ====== ====== ======= ========= ====== ======
    distance person camera clothes standard  cc     sc
    ======== ====== ====== ======= ========= ====== ======
    1        1      0      6       junk      junk   junk
    2        1      1      5       match     junk   match
    3        2      1      7       wrong     wrong  wrong
    4        1      1      6       match     match  junk
    5        2      0      5       wrong     wrong  wrong
    6        1      2      5       match     junk   match
    ======== ====== ====== ======= ========= ====== ======
    """
    labels = Labels(
        [1],
        [1, 1, 2, 1, 2, 1],
        [0],
        [0, 1, 1, 1, 0, 2],
        {"clothes": np.array([5])},
        {"clothes": np.array([6, 5, 7, 6, 5, 5])},
    )
    return [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], labels


@pytest.mark.parametrize(
    ("mode", "first", "ap"),
    [
        ("standard", 1, (1 / 1 + 2 / 3 + 3 / 5) / 3),
        ("cc", 2, 1 / 2),
        ("sc", 1, (1 / 1 + 2 / 4) / 2),
    ],
)
def test_each_mode_by_hand(mode, first, ap):
    result = evaluate(*by_hand(), Clothes(mode))
    assert result.first_rank.tolist() == [first]
    assert result.mAP == pytest.approx(ap)


def test_the_other_modes_stand_beside():
    result = evaluate(*by_hand(), Clothes("cc"))
    assert result.figures == pytest.approx(
        {
            "standard_mAP": (1 + 2 / 3 + 3 / 5) / 3,
            "standard_rank1": 1,
            "sc_mAP": 3 / 4,
            "sc_rank1": 1,
        }
    )
    assert result.contributions()["sc_mAP"].tolist() == [3 / 4]
    assert result.conditions["mode"] == "cc"
    assert result.conditions["junk"] == "own camera and own clothes"


def test_a_mode_without_any_match_has_no_figures():
    clothes = [{"clothes": np.array(worn)} for worn in ([5], [5, 6])]
    labels = Labels([1], [1, 2], [0], [1, 1], *clothes)
    result = evaluate([[1.0, 2.0]], labels, Clothes())
    assert isnan(result.figures["cc_mAP"])
    assert isnan(result.figures["cc_rank1"])
    assert result.figures["sc_mAP"] == 1
    assert "cc_mAP" not in result.contributions()
    with pytest.raises(DataError, match="none of the 1 queries has a match"):
        evaluate([[1.0, 2.0]], labels, Clothes("cc"))


def test_modes_agree_with_the_definition():
    ranked = 0
    for problem in small_problems(seed=2, gallery=20, clothes=2):
        labels = problem.labels
        person, camera, dress = (
            np.equal.outer(asked, known)
            for asked, known in (
                (labels.q_pids, labels.g_pids),
                (labels.q_camids, labels.g_camids),
                labels.column("clothes"),
            )
        )
        matches = {
            "standard": person & ~camera,
            "cc": person & ~camera & ~dress,
            "sc": person & ~camera & dress,
        }
        junk = {
            "standard": person & camera,
            "cc": person & (camera | dress),
            "sc": person & (camera | ~dress),
        }
        for mode, match in matches.items():
            rules = (table.tolist() for table in (match, junk[mode]))
            is_match, is_junk = (lambda q, g, table=table: table[q][g] for table in rules)
            ranked += assert_protocol(Clothes(mode), problem, is_match, is_junk)
    assert ranked > 550


def test_wrong_modes_and_missing_columns_are_told():
    with pytest.raises(UnknownNameError, match="mode is standard or cc or sc, not 'CC'"):
        Clothes("CC")
    with pytest.raises(UnknownNameError, match="Clothes needs the column 'clothes'"):
        evaluate([[1.0]], Labels([1], [1], [0], [1]), Clothes())


def test_skipped_queries_have_no_part_in_the_figures_beside():
    labels = Labels(
        [1, 2],
        [1, 2],
        [0, 0],
        [1, 1],
        {"clothes": np.array([0, 2])},
        {"clothes": np.array([1, 2])},
    )
    result = evaluate([[0.0, 1.0], [0.0, 1.0]], labels, Clothes())
    assert result.ap.tolist() == [1, 1 / 2]
    np.testing.assert_equal(result.per_query["cc_mAP"], [1, nan])
    np.testing.assert_equal(result.per_query["sc_rank1"], [nan, 0])
