"""Drawn galleries of PRCC and VehicleID."""

import numpy as np
import pytest
from reid_plugins_standard.protocols.over_draws import draw_of_each
from reid_plugins_standard.protocols.single_shot import Prcc, VehicleId

from reidcore.errors import DataError, UnknownNameError, UserError
from reidcore.evaluation import Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import expected
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


def images(pids):
    """All images of a test set as query and gallery, each seen by a camera of its own."""
    return Labels(pids, pids, np.arange(len(pids)), np.arange(len(pids)))


def test_a_vehicle_is_searched_for_among_one_of_each_by_hand():
    """Images 0 and 1 show vehicle 1, 2 and 3 vehicle 2; one of each is drawn, the others ask.

    Whichever they are, vehicle 1 finds its image at 1 before the other's at 5, and vehicle 2
    its own at 3 behind the other's at 2: ranks 1 and 2.
    """
    distances = np.array([[0, 1, 5, 5], [1, 0, 5, 5], [2, 2, 0, 3], [2, 2, 3, 0]], dtype=float)
    result = evaluate(distances, images([1, 1, 2, 2]), VehicleId(draws=4))
    assert result.cmc.tolist() == [1 / 2, 1]
    assert result.mAP == 3 / 4
    assert result.figures["rank1_std"] == 0
    assert (result.conditions["draws"], result.conditions["seed"]) == (4, 0)
    np.testing.assert_equal(np.unique(result.ap[:2]), [1.0])
    np.testing.assert_equal(np.unique(result.ap[2:]), [0.5])


def test_a_drawn_image_does_not_ask():
    result = evaluate(np.zeros((4, 4)), images([1, 1, 2, 2]), VehicleId(draws=1))
    assert result.num_valid == 2


@pytest.mark.parametrize("gallery", ["one", "rest"])
def test_vehicleid_agrees_with_the_definition(gallery):
    for seed, problem in enumerate(small_problems(100, seed=9, queries=14, gallery=14)):
        pids = problem.labels.g_pids
        result = VehicleId(gallery, draws=2, seed=seed).evaluate(
            MatrixDistances(problem.distances), images(pids)
        )
        drawn = [set(draw_of_each(pids, 1, seed, draw).tolist()) for draw in range(2)]
        if gallery == "one":
            sides = [(set(range(14)) - one, one) for one in drawn]
        else:
            sides = [(one, set(range(14)) - one) for one in drawn]
        found = []
        for asked, known in sides:
            reference = expected(
                problem.distances,
                lambda q, g, asked=asked, pids=pids: q in asked and pids[q] == pids[g],
                lambda q, g, known=known: g not in known,
            )
            found.append(reference)
        assert result.mAP == pytest.approx(np.mean([each.mAP for each in found]))
        assert result.cmc_at(1) == pytest.approx(np.mean([each.cmc_at(1) for each in found]))
        deviation = np.std([each.cmc_at(1) for each in found], ddof=1)
        assert result.figures["rank1_std"] == pytest.approx(deviation)


def test_files_tell_images_apart_where_cameras_do_not():
    files = np.arange(4)
    labels = Labels([1, 1, 2, 2], [1, 1, 2, 2], [0] * 4, [1] * 4, None, None, files, files)
    distances = 3.0 * (1 - np.eye(4))  # a query that found itself would be right
    assert evaluate(distances, labels, VehicleId(draws=3)).mAP < 1
    assert evaluate(distances, labels, VehicleId("rest", draws=3)).mAP < 1


@pytest.mark.parametrize("are_files_known", [True, False])
def test_the_rest_is_found_in_any_order_of_the_gallery(are_files_known):
    rng = np.random.default_rng(0)
    pids, images, order = np.repeat(np.arange(6), 3), np.arange(18), rng.permutation(18)
    files = (images, images) if are_files_known else (None, None)
    labels = Labels(pids, pids, images, images, None, None, *files)
    distances = MatrixDistances(rng.random((18, 18)))
    found = evaluate(distances, labels, VehicleId("rest"))
    again = evaluate(distances.take(None, order), labels.take(None, order), VehicleId("rest"))
    np.testing.assert_array_equal(again.ap, found.ap)
    assert found.num_gallery == 12


@pytest.mark.parametrize("rule", [VehicleId, Prcc])
def test_a_gallery_that_is_drawn_already_is_one_draw(rule, caplog):
    drawn = Labels([1, 1, 2], [1, 2], [0, 1, 2], [3, 4])
    result = evaluate(np.array([[0, 1], [1, 0], [1, 0]]), drawn, rule())
    assert result.cmc_at(1) == pytest.approx(2 / 3)
    assert result.conditions["draws"] == 1
    assert "that is one draw, not 10" in caplog.text
    caplog.clear()
    evaluate(np.zeros((3, 2)), drawn, rule(draws=1))
    assert caplog.text == ""


def test_the_rest_is_of_images_on_both_sides():
    drawn = Labels([1, 1, 2], [1, 2], [0, 1, 2], [3, 4])
    with pytest.raises(DataError, match=r"the sides are drawn already.*vehicleid.draw=protocol"):
        evaluate(np.zeros((3, 2)), drawn, VehicleId("rest"))


def test_prcc_of_all_images_is_the_usual_rule():
    for problem in small_problems(20, seed=10):
        result = evaluate(problem.distances, problem.labels, Prcc("all"))
        usual = evaluate(problem.distances, problem.labels)
        np.testing.assert_equal(result.ap, usual.ap)
        assert "draws" not in result.conditions


def test_prcc_draws_agree_with_the_definition():
    ranked = 0
    for problem in small_problems(seed=11, cameras=1):
        labels = problem.labels
        labels = Labels(labels.q_pids, labels.g_pids, labels.q_camids + 1, labels.g_camids)
        try:
            result = Prcc(draws=3, seed=5).evaluate(MatrixDistances(problem.distances), labels)
        except DataError:
            continue
        found = []
        for draw in range(3):
            kept = set(draw_of_each(labels.g_pids, 1, 5, draw).tolist())
            found.append(
                expected(
                    problem.distances,
                    lambda q, g, labels=labels: labels.q_pids[q] == labels.g_pids[g],
                    lambda q, g, kept=kept: g not in kept,
                )
            )
        assert result.mAP == pytest.approx(np.mean([each.mAP for each in found]))
        hits = np.array([each.first_rank for each in found])
        shares = np.where(hits > 0, hits <= 1, np.nan).mean(0)
        np.testing.assert_allclose(result.per_query["rank1"], shares)
        ranked += 1
    assert ranked > 190


def test_wrong_options_are_told():
    with pytest.raises(UnknownNameError, match="gallery is one or rest, not 'all'"):
        VehicleId("all")
    with pytest.raises(UnknownNameError, match="gallery is one or all"):
        Prcc("single")
    with pytest.raises(UserError, match="draws is 0"):
        Prcc(draws=0)
