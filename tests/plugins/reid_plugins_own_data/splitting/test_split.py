"""Splits of one's own images: nobody is in two parts, and every query has a fair match."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reid_plugins_own_data.splitting.explanation import explain
from reid_plugins_own_data.splitting.identities import Shares
from reid_plugins_own_data.splitting.sightings import sightings_of
from reid_plugins_own_data.splitting.split import (
    Options,
    class_counts,
    part_counts,
    split_sightings,
)

from reidcore.errors import DataError
from reidcore.evaluation import AnyCamera, Labels, Market1501, evaluate

ROLES = {"path": "path", "pid": "pid", "camid": "camid"}
PARTS = {
    "train": "train",
    "val_query": "validation",
    "val_gallery": "validation",
    "query": "test",
    "gallery": "test",
}


def columns(rows):
    """Columns of rows (pid, camera, track, frame)."""
    return {
        "path": [f"{place:04d}.jpg" for place in range(len(rows))],
        "pid": [f"p{row[0]}" for row in rows],
        "camid": [f"c{row[1]}" for row in rows],
        "track": ["" if row[2] is None else str(row[2]) for row in rows],
        "frame": [str(row[3]) for row in rows],
    }


def split(rows, by="", **options):
    table = rows if isinstance(rows, dict) else columns(rows)
    sightings = sightings_of(table, ROLES, by)
    return sightings, split_sightings(sightings, Options(**options))


def counts_of(sightings, made):
    return part_counts(sightings, made.words)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 12), st.integers(0, 3), st.none() | st.integers(0, 2), st.integers(0, 9)
    ),
    min_size=4,
    max_size=80,
)


@given(rows=ROWS, seed=st.integers(0, 3), per_camera=st.integers(1, 3))
def test_no_identity_is_in_two_parts_and_every_query_has_a_match(rows, seed, per_camera):
    try:
        sightings, made = split(rows, seed=seed, per_camera=per_camera)
    except DataError:
        assume(False)
    parts = defaultdict(set)
    for word, pid in zip(made.words, sightings.pids.tolist(), strict=True):
        if word in PARTS:
            parts[PARTS[word]].add(pid)
    sets = list(parts.values())
    assert all(not (a & b) for a in sets for b in sets if a is not b)
    words = np.array(made.words)
    for query, gallery in (("query", "gallery"), ("val_query", "val_gallery")):
        q, g = words == query, words == gallery
        if not q.any():
            assert query == "val_query"
            continue
        labels = Labels(
            sightings.pids[q], sightings.pids[g], sightings.camids[q], sightings.camids[g]
        )
        protocol = {"market1501": Market1501, "any_camera": AnyCamera}[made.protocol]()
        found = evaluate(np.zeros(labels.shape), labels, protocol)
        assert found.num_valid == q.sum()


@given(rows=ROWS, per_camera=st.integers(1, 3))
def test_a_query_is_never_searched_for_in_its_own_track_if_its_identity_has_others(
    rows, per_camera
):
    try:
        sightings, made = split(rows, per_camera=per_camera, protocol="any_camera")
    except DataError:
        assume(False)
    words = np.array(made.words)
    for rows_of in sightings.rows_of.values():
        tracks = sightings.tracks[rows_of]
        queries = np.isin(words[rows_of], ["query", "val_query"])
        gallery = np.isin(words[rows_of], ["gallery", "val_gallery"])
        if len(set(tracks.tolist())) > 1:
            assert not set(tracks[queries].tolist()) & set(tracks[gallery].tolist())


@given(rows=ROWS, order=st.randoms())
def test_the_order_of_rows_and_other_identities_paths_change_nothing(rows, order):
    table = columns(rows)
    places = list(range(len(rows)))
    order.shuffle(places)
    shuffled = {name: [texts[place] for place in places] for name, texts in table.items()}
    try:
        first, second = split(table)[1].words, split(shuffled)[1].words
    except DataError:
        assume(False)
    assert [first[place] for place in places] == second


def everywhere(ids, cameras=3, images=2):
    return [
        (pid, cam, None, 0) for pid in range(ids) for cam in range(cameras) for _ in range(images)
    ]


def test_shares_are_of_identities_and_seeds_draw_others():
    rows = everywhere(20)
    sightings, made = split(rows)
    assert [len(made.drawn.of(part)) for part in ("train", "validation", "test")] == [12, 3, 5]
    counts = part_counts(sightings, made.words)
    assert counts["query"] == {"ids": 5, "images": 15, "cameras": 3}
    assert counts["gallery"] == {"ids": 5, "images": 15, "cameras": 3}
    assert split(rows, seed=1)[1].drawn.test != made.drawn.test
    assert split(rows, shares=Shares(0.5, 0))[1].drawn.validation == []


def test_queries_per_camera_leave_an_image_of_each_camera_to_be_found():
    sightings, made = split(everywhere(10, cameras=2, images=3), per_camera=5)
    counts = part_counts(sightings, made.words)
    assert counts["query"]["images"] == 2 * counts["gallery"]["images"]
    assert counts["gallery"]["cameras"] == 2


def test_identities_that_cannot_be_searched_for_are_learnt_from_and_told():
    rows = [*everywhere(8), (8, 0, None, 0), (9, 0, None, 0), (9, 0, None, 1)]
    sightings, made = split(rows)
    assert {"p8", "p9"} <= set(made.drawn.train)
    told = "\n".join(explain(sightings, made))
    assert "1 with one image ('p8'); 1 seen by one camera ('p9')" in told


def test_one_camera_is_searched_without_a_rule_of_cameras():
    sightings, made = split(everywhere(10, cameras=1))
    assert made.protocol == "any_camera"
    assert "none is seen by two cameras" in explain(sightings, made)[0]
    with pytest.raises(DataError, match="protocol any_camera"):
        split(everywhere(10, cameras=1), protocol="market1501")


def test_a_few_identities_seen_by_two_cameras_do_not_make_the_test_of_all():
    rows = [*everywhere(30, cameras=1), *((pid, 5, None, 0) for pid in range(4))]
    sightings, made = split(rows)
    assert made.protocol == "any_camera"
    assert "of 30 identities 4 are seen by two cameras" in explain(sightings, made)[0]


def test_the_only_track_of_an_identity_is_searched_in_its_later_half():
    rows = [(pid, 0, pid, frame) for pid in range(8) for frame in reversed(range(10))]
    sightings, made = split(rows)
    for name in made.drawn.test:
        words = {
            row[3]: word for row, word in zip(rows, made.words, strict=True) if name == f"p{row[0]}"
        }
        assert [words[frame] for frame in range(10)] == [
            "query", *["unused"] * 4, *["gallery"] * 5
        ]  # fmt: skip
    told = "\n".join(explain(sightings, made))
    assert "3 of 3 searched identities have one track" in told
    assert "images that are used for nothing: 12" in told


def test_identities_with_several_tracks_are_tested_before_those_with_one():
    rows = [(pid, 0, track, 0) for pid in range(10) for track in range(1 + (pid < 4))] * 2
    assert set(split(rows)[1].drawn.test) < {"p0", "p1", "p2", "p3"}


def test_classes_have_their_shares_each():
    table = columns(everywhere(40))
    table["class"] = [
        "van" if pid in ("p1", "p2", "p3", "p4", "p5") else "car" for pid in table["pid"]
    ]
    sightings, made = split(table, by="class")
    assert class_counts(sightings, made) == {
        "car": {"train": 21, "validation": 5, "test": 9},
        "van": {"train": 3, "validation": 1, "test": 1},
    }
    assert class_counts(*split(table)) == {}


def test_an_identity_of_two_classes_is_told():
    table = columns(everywhere(20))
    table["class"] = ["a" if place % 2 else "b" for place in range(len(table["pid"]))]
    assert any("of several classes" in told for told in explain(*split(table, by="class")))


def test_rows_of_nobody_are_used_for_nothing():
    table = columns(everywhere(8))
    table["pid"][:3] = ["-1"] * 3
    assert split(table)[1].words[:3] == ["unused"] * 3


def test_too_few_searchable_identities_are_shared_out_and_told():
    rows = [*everywhere(3), *((pid, 0, None, 0) for pid in range(3, 30))]
    sightings, made = split(rows, protocol="market1501")
    assert (len(made.drawn.validation), len(made.drawn.test)) == (1, 2)
    assert any(
        "fewer can be searched for: taken are 2 and 1" in told for told in explain(sightings, made)
    )


@pytest.mark.parametrize(("train", "validation"), [(1.5, 0), (0.9, 0.1), (0.5, float("nan"))])
def test_shares_that_leave_nobody_to_test_are_refused(train, validation):
    with pytest.raises(DataError):
        Shares(train, validation)


@pytest.mark.parametrize("pid", ["", "nan"])
def test_an_identity_that_is_none_is_told_by_its_line(pid):
    table = columns(everywhere(4))
    table["pid"][2] = pid
    with pytest.raises(DataError, match="line 4 of the table, column 'pid'"):
        split(table)


def test_images_alone_or_nobody_cannot_be_split():
    with pytest.raises(DataError, match="each has one image"):
        split([(pid, 0, None, 0) for pid in range(5)])
    nobody = columns(everywhere(2))
    nobody["pid"] = ["-1"] * len(nobody["pid"])
    with pytest.raises(DataError, match="no rows but of identity -1"):
        split(nobody)


def test_more_queries_are_asked_for_by_larger_numbers_of_them():
    rows = everywhere(10, images=4)
    counts = [counts_of(*split(rows, per_camera=k))["query"]["images"] for k in (1, 2, 3)]
    assert all(less < more for less, more in pairwise(counts))
