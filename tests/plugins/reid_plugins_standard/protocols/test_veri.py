"""VeRi-776: vehicles among images and among tracks."""

import numpy as np
import pytest
from reid_plugins_standard.protocols.veri import Veri

from reidcore.errors import UnknownNameError
from reidcore.evaluation import Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import (
    assert_agree,
    assert_protocol,
    expected,
)
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems


def by_hand():
    """One query: vehicle 1, camera 0; the gallery in order of distance, and its tracks.

    ======== ======= ====== ===== ==========================
    distance vehicle camera track
    ======== ======= ====== ===== ==========================
    1        2       1      0     wrong: the nearest of track 0
    2        1       1      1     match: the nearest of track 1
    3        2       1      0     wrong
    4        1       0      2     ignored
    5        1       1      1     match
    6        1       2      -1    match; of no track
    ======== ======= ====== ===== ==========================
    """
    tracks = {"track": np.array([0, 1, 0, 2, 1, -1])}
    labels = Labels([1], [2, 1, 2, 1, 1, 1], [0], [1, 1, 1, 0, 1, 2], None, tracks)
    return [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], labels


def test_images_by_hand():
    """Matches at the ranks 2, 4 and 5; each counts with the precision just before it."""
    result = evaluate(*by_hand(), Veri())
    trapezoid = ((1 / 2 + 0 / 1) / 2 + (2 / 4 + 1 / 3) / 2 + (3 / 5 + 2 / 4) / 2) / 3
    assert result.mAP == pytest.approx(trapezoid)
    assert result.figures == pytest.approx({"track_mAP": 1 / 4, "track_rank1": 0})
    assert result.conditions["ap"] == "trapezoid"


def test_tracks_by_hand():
    """Track 0 at 1, track 1 at 2, track 2 ignored: one match, at rank 2."""
    result = evaluate(*by_hand(), Veri("track"))
    assert result.first_rank.tolist() == [2]
    assert result.mAP == pytest.approx(1 / 4)
    assert result.num_gallery == 3
    assert result.figures["image_rank1"] == 0
    plain = evaluate(*by_hand(), Veri("track"), ap="plain")
    assert plain.mAP == pytest.approx(1 / 2)


def test_images_agree_with_the_definition():
    for problem in small_problems(seed=7):
        labels = problem.labels

        def person(q, g, labels=labels):
            return labels.q_pids[q] == labels.g_pids[g]

        def camera(q, g, labels=labels):
            return labels.q_camids[q] == labels.g_camids[g]

        assert_protocol(
            Veri(),
            problem,
            lambda q, g: person(q, g) and not camera(q, g),
            lambda q, g: person(q, g) and camera(q, g),
            ap="trapezoid",
        )


@pytest.mark.parametrize("column", [None, "track"])
def test_tracks_agree_with_the_definition(column):
    """Without a column the images of a vehicle by a camera are a track."""
    ranked = 0
    for problem in small_problems(seed=8, track=2):
        labels = problem.labels
        g_track = labels.g_columns["track"]
        if column is None:
            labels = Labels(labels.q_pids, labels.g_pids, labels.q_camids, labels.g_camids)
            g_track = np.zeros(len(g_track))
        keys = list(zip(labels.g_pids, labels.g_camids, g_track, strict=True))
        tracks = list(dict.fromkeys(keys))
        nearest = [
            [min(row[item] for item, key in enumerate(keys) if key == track) for track in tracks]
            for row in problem.distances
        ]

        def person(q, t, labels=labels, tracks=tracks):
            return labels.q_pids[q] == tracks[t][0]

        def camera(q, t, labels=labels, tracks=tracks):
            return labels.q_camids[q] == tracks[t][1]

        reference = expected(
            nearest,
            lambda q, t: person(q, t) and not camera(q, t),
            lambda q, t: person(q, t) and camera(q, t),
            ap="trapezoid",
        )
        if reference.valid:
            found = Veri("track").evaluate(MatrixDistances(problem.distances), labels)
            assert_agree(found, reference)
            ranked += 1
    assert ranked > 190


def test_no_other_search_is_known():
    with pytest.raises(UnknownNameError, match="to is image or track, not 'tracks'"):
        Veri("tracks")
