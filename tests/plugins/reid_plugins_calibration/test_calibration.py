"""What a calibration answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from reid_plugins_calibration import Calibration, tracker_thresholds
from reid_plugins_calibration.fit import Wishes, calibrate, passes
from reid_plugins_calibration.images import make_items
from reid_plugins_calibration.picture import draw as draw_picture
from reid_plugins_calibration.picture import panels_of
from reid_plugins_calibration.similarity_counts import spread_of
from reid_plugins_calibration.terminal import show

from reidcore.errors import DataError, UserError


@pytest.fixture(scope="module")
def items(draw):
    return make_items(*draw(60, images=6, cameras=3))


@pytest.fixture(scope="module")
def fitted(items):
    return calibrate(items, Wishes(rates=(0.1, 0.01)), "shop", {0: "door"})


@pytest.fixture
def calibration(fitted) -> Calibration:
    return fitted.calibration


def test_it_survives_its_record_as_json(calibration) -> None:
    again = Calibration.from_record(json.loads(json.dumps(calibration.record)))
    x = np.linspace(-1, 1, 21)
    assert (again.probability(x) == calibration.probability(x)).all()
    assert again.threshold(0.01) == calibration.threshold(0.01)
    assert (again.answer(x) == calibration.answer(x)).all()


def test_probabilities_are_those_of_fresh_identities(calibration, draw) -> None:
    """Of pairs that are told to match with a chance of 60 to 90 %, so many do."""
    world = spread_of(make_items(*draw(600, images=6, cameras=3, seed=5)))
    nonmatches, matches = world.by_folds.sum(axis=(0, 1))
    from reid_plugins_calibration.similarity_counts import centres

    chance = calibration.probability(centres())
    for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 0.95)):
        here = (chance >= low) & (chance < high)
        weights = matches[here] / matches.sum(), nonmatches[here] / nonmatches.sum()
        seen = weights[0].sum() / (weights[0].sum() + weights[1].sum())
        assert low - 0.1 < seen < high + 0.1


def test_a_prior_can_be_given_for_each_question(calibration) -> None:
    assert calibration.probability(0.6, prior=0.01) < calibration.probability(0.6)
    assert calibration.probability(0.6, prior=0.5) == calibration.probability(0.6)
    with pytest.raises(UserError, match="prior"):
        calibration.probability(0.6, prior=1.0)


def test_a_rate_that_was_not_asked_for_is_refused(calibration) -> None:
    with pytest.raises(UserError, match=r"of 0.05, but for 0.1, 0.01.*--fmr 0.05"):
        calibration.threshold(0.05)


def test_a_rate_that_was_refused_says_why(items) -> None:
    found = calibrate(items, Wishes(rates=(0.1, 0.001), by_cameras=False)).calibration
    with pytest.raises(UserError, match=r"FMR 0.001 needs 3,000 pairs of identities"):
        found.threshold(0.001)


def test_pairs_of_cameras_have_their_own(calibration, items) -> None:
    own = calibration.threshold(0.1, cameras=(2, 0))
    alone = calibrate(items.of_cameras(0, 2), Wishes(rates=(0.1,))).calibration
    assert own == alone.threshold(0.1)
    assert own != calibration.threshold(0.1)
    assert calibration.threshold(0.1, cameras=(0, 9)) == calibration.threshold(0.1)
    assert calibration.record["cameras"][0]["names"] == ["door", "1"]


def test_a_pair_of_cameras_with_too_few_identities_is_told(draw) -> None:
    features, pids, camids = draw(40, images=4, cameras=2)
    camids[:8] += 2  # two identities seen by two other cameras
    record = calibrate(make_items(features, pids, camids), Wishes(rates=(0.1,))).calibration.record
    assert [each["camids"] for each in record["cameras"]] == [[0, 1]]
    why = {tuple(each["camids"]): each["why"] for each in record["cameras_refused"]}
    assert why[2, 3].startswith("2 identities with comparable images")


def test_three_answers_keep_both_rates(fitted, items) -> None:
    cuts = fitted.calibration.cuts
    similarity = items.features @ items.features.T
    comparable = np.triu(items.cameras[:, None] != items.cameras, 1)
    same = items.identities[:, None] == items.identities
    answers = fitted.calibration.answer(similarity)
    matches, nonmatches = answers[comparable & same], answers[comparable & ~same]
    assert (nonmatches == "same").mean() <= cuts.fmr == 0.01
    assert 0.04 < (matches == "different").mean() <= cuts.fnmr == 0.05
    assert (matches == "undecided").mean() == pytest.approx(cuts.undecided_matches)
    assert (nonmatches == "undecided").mean() == pytest.approx(cuts.undecided_nonmatches)
    assert set(answers[comparable]) == {"same", "different", "undecided"}
    assert fitted.calibration.answer(np.nan) == "undecided"


def test_a_similarity_at_a_cut_is_beyond_it(calibration) -> None:
    cuts = calibration.cuts
    at = np.array([cuts.same, np.nextafter(cuts.same, -1)])
    assert calibration.answer(at).tolist() == ["same", "undecided"]
    at = np.array([cuts.different, np.nextafter(cuts.different, -1)])
    assert calibration.answer(at).tolist() == ["undecided", "different"]


def test_nothing_is_undecided_where_one_cut_meets_both_wishes(items) -> None:
    cuts = calibrate(items, Wishes(rates=(0.1,), different=0.9)).calibration.cuts
    assert cuts.same == cuts.different
    assert cuts.undecided_matches == cuts.undecided_nonmatches == 0


def test_labels_that_mean_nothing_are_refused(draw) -> None:
    features, pids, camids = draw(30)
    opposite = features * np.where(camids % 2, -1, 1)[:, None]  # a match is what is far away
    with pytest.raises(DataError, match="no more similar than non-matches"):
        calibrate(make_items(opposite, pids, camids), Wishes(rates=(0.1,)))


def test_an_answer_of_same_that_the_pairs_do_not_support_is_refused(items) -> None:
    with pytest.raises(DataError, match=r"answer 'same': FMR 1e-06 needs .*--same"):
        calibrate(items, Wishes(rates=(0.1,), same=1e-6))


def test_no_supported_rate_is_an_error(items) -> None:
    with pytest.raises(DataError, match=r"none of the wanted rates: FMR 0.0001 needs 30,000"):
        calibrate(items, Wishes(rates=(1e-4,)))


def test_features_of_another_width_are_refused(calibration) -> None:
    calibration.require_width(12)
    with pytest.raises(DataError, match="8 dimensions, and 12 were calibrated"):
        calibration.require_width(8)


def test_progress_comes_to_its_end(items) -> None:
    for wishes in (Wishes(rates=(0.1,)), Wishes(rates=(0.1,), by_cameras=False)):
        done = []
        calibrate(items, wishes, advance=done.append)
        assert sum(done) == passes(items, wishes)


def test_trackers_get_the_threshold_in_their_terms(calibration) -> None:
    s = calibration.threshold(0.1).similarity
    found = {each.tracker: each.value for each in tracker_thresholds(calibration, 0.1)}
    assert found == {
        "BoxMOT BoT-SORT": pytest.approx(1 - s),
        "BoxMOT StrongSORT": pytest.approx(1 - s),
        "Ultralytics BoT-SORT": pytest.approx((1 + s) / 2),
        "deep-sort-realtime": pytest.approx(1 - s),
        "norfair": pytest.approx(1 - s),
    }


def test_the_terminal_shows_each_pair_of_cameras_within_80_characters(fitted, capsys) -> None:
    show(fitted.calibration)
    lines = capsys.readouterr().out.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("cameras"))
    pairs = fitted.calibration.record["cameras"]
    rows = lines[start + 1 : start + 1 + sum(len(pair["thresholds"]) for pair in pairs)]
    assert max(map(len, rows)) <= 80
    shown = [float(row.split()[-3]) for row in rows]
    found = [each["similarity"] for pair in pairs for each in pair["thresholds"]]
    assert shown == pytest.approx(found, abs=1e-4)
    assert [row for row in rows if "door" in row]


def test_the_picture_has_the_rates_of_the_thresholds(fitted) -> None:
    _, _, rates = panels_of(fitted)
    fnmr, fmr = (np.array(series.points).T for series in rates.series)
    assert not (32 * fmr[0] % 1).any()  # where the bins begin, whose pairs are at or above it
    for threshold in fitted.calibration.thresholds:
        after = int(np.searchsorted(fmr[0], threshold.similarity))
        assert fmr[1, after] <= threshold.fmr <= fmr[1, after - 1]
        assert fnmr[1, after - 1] <= threshold.fnmr <= fnmr[1, after]


def test_a_picture_is_drawn(fitted, tmp_path) -> None:
    from PIL import Image

    draw_picture(fitted, tmp_path / "calibration.png")
    with Image.open(tmp_path / "calibration.png") as image:
        assert len(image.convert("RGB").getcolors(1 << 20)) > 20
