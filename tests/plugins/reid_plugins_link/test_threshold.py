"""Thresholds: chosen by the user, or calibrated."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_calibration.fit import Wishes, calibrate
from reid_plugins_calibration.images import make_items
from reid_plugins_calibration.stored import Destination
from reid_plugins_link.threshold import Threshold, calibrated_threshold, given_threshold

from reidcore.errors import DataError, UserError
from reidcore.utils import write_json

NAMES = {0: "hall", 1: "street", 2: "park"}
CAMERAS = ["hall", "street", "yard"]


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A calibration of 60 made-up identities seen by three cameras, and its file."""
    draw = np.random.default_rng(0)
    pids, camids = np.repeat(np.arange(60), 6), np.tile(np.repeat(np.arange(3), 2), 60)
    features = draw.normal(size=(60, 12))[pids] + draw.normal(size=(360, 12))
    items = make_items(features, pids, camids)
    found = calibrate(items, Wishes(rates=(0.1, 0.01)), camera_names=NAMES).calibration
    path = tmp_path_factory.mktemp("calibration") / "calibration.json"
    write_json(dict(found.record), path)
    return found, path


def test_a_given_threshold_is_undecided_as_far_above_as_below() -> None:
    assert given_threshold(0.6, None) == Threshold(0.6)
    given = given_threshold(0.6, 0.5)
    assert (given.below, given.above) == pytest.approx((0.1, 0.1))
    assert given.probability(0.6) is None
    assert given.as_dict()["undecided"] == pytest.approx([0.5, 0.7])


@pytest.mark.parametrize("wrong", [(1.2, None), (0.5, 0.6), (0.5, -1.5)])
def test_what_is_no_cosine_or_upside_down_is_refused(wrong) -> None:
    with pytest.raises(UserError, match="cosines"):
        given_threshold(*wrong)


def test_a_calibrated_model_gives_threshold_margins_and_probabilities(calibrated) -> None:
    calibration, path = calibrated
    chosen = calibrated_threshold(path, None, 0.1, None, CAMERAS)
    assert chosen.similarity == calibration.threshold(0.1).similarity
    low, high = chosen.as_dict()["undecided"]
    assert low == pytest.approx(min(chosen.similarity, calibration.cuts.different))
    assert high == pytest.approx(max(chosen.similarity, calibration.cuts.same))
    assert chosen.probability(0.9) == calibration.probability(0.9)
    assert "false match rate of 0.1" in chosen.source


def test_the_default_rate_is_the_second(calibrated) -> None:
    calibration, path = calibrated
    chosen = calibrated_threshold(path, None, None, 0.3, CAMERAS)
    assert chosen.similarity == calibration.threshold(0.01).similarity
    assert chosen.similarity - chosen.below == pytest.approx(0.3)
    assert chosen.above == chosen.below


def test_pairs_of_cameras_have_the_thresholds_of_their_names(calibrated, site) -> None:
    calibration, path = calibrated
    chosen = calibrated_threshold(path, None, 0.1, None, CAMERAS)
    own = calibration.threshold(0.1, (0, 1)).similarity
    assert chosen.pairs == {("hall", "street"): own, ("street", "hall"): own}
    assert chosen.as_dict()["pairs"] == [{"cameras": ["hall", "street"], "similarity": own}]
    table = chosen.of(site(("hall", 1, 1, 2), ("street", 1, 4, 5), ("yard", 1, 7, 8)))
    assert table[0, 1] == table[1, 0] == own
    assert table[0, 2] == table[0, 0] == chosen.similarity


def test_a_rate_that_was_not_calibrated_is_told(calibrated) -> None:
    with pytest.raises(UserError, match=r"rate of 0\.2, but for 0\.1, 0\.01"):
        calibrated_threshold(calibrated[1], None, 0.2, None, CAMERAS)


def test_a_calibration_beside_foreign_weights_is_of_these_alone(calibrated, tmp_path) -> None:
    for name, value in (("own.pth", 1), ("other.pth", 2)):
        torch.save({"weight": torch.full((1,), value)}, tmp_path / name)
    path = tmp_path / "calibration.json"
    Destination.of(str(tmp_path / "own.pth"), str(path)).write(calibrated[0].record)
    chosen = calibrated_threshold(path, tmp_path / "own.pth", 0.1, None, CAMERAS)
    assert chosen.similarity == calibrated[0].threshold(0.1).similarity
    with pytest.raises(DataError, match=r"of other weights than those of .*other\.pth"):
        calibrated_threshold(path, tmp_path / "other.pth", 0.1, None, CAMERAS)


def test_an_uncalibrated_model_is_told_with_the_command(tmp_path) -> None:
    path = tmp_path / "model.pth.tar"
    torch.save({"state_dict": {"weight": torch.ones(1)}}, path)
    with pytest.raises(UserError, match=r"is not calibrated.* -o FILE\.json, or .*--threshold"):
        calibrated_threshold(path, None, None, None, CAMERAS)
