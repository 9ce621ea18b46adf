"""A scene of several cameras: its truth, its tracks, its files."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reid_plugins_synthetic.scene.filming import Box
from reid_plugins_synthetic.scene.make import MARKER, NETWORK, make_scene
from reid_plugins_synthetic.scene.routes import draw_network, draw_routes
from reid_plugins_synthetic.scene.settings import SceneSettings
from reid_plugins_synthetic.scene.tracker import Tracker

from reidcore.errors import DataError

SMALL = SceneSettings(people=3, cameras=3, fps=2, width=128, height=72, pause=2.0)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    directory = tmp_path_factory.mktemp("scene") / "town"
    make_scene(directory, SMALL)
    return directory


def rows(path):
    return [tuple(map(float, line.split(","))) for line in path.read_text().splitlines()]


def iou(a, b):
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0, across) * max(0, down)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def test_the_layout_is_that_of_motchallenge(scene) -> None:
    assert sorted(path.name for path in scene.iterdir()) == [
        "hall", "park", MARKER, NETWORK, "street",
    ]  # fmt: skip
    for camera in ("hall", "street", "park"):
        info = (scene / camera / "seqinfo.ini").read_text()
        frames = sorted((scene / camera / "img1").iterdir())
        assert f"seqLength={len(frames)}\n" in info
        assert "frameRate=2\n" in info
        assert frames[0].name == "000001.jpg"
        with Image.open(frames[-1]) as picture:
            assert picture.size == (128, 72)


def test_true_boxes_lie_in_their_frames_and_have_one_identity_everywhere(scene) -> None:
    cameras = defaultdict(set)
    for camera in ("hall", "street", "park"):
        frames = len(list((scene / camera / "img1").iterdir()))
        for frame, pid, x, y, w, h, *_, visibility in rows(scene / camera / "gt" / "gt.txt"):
            assert 1 <= frame <= frames
            assert min(x, y) >= 0
            assert x + w <= 128
            assert y + h <= 72
            assert 0 < visibility <= 1
            cameras[pid].add(camera)
    assert set(cameras) == {1, 2, 3}
    assert all(len(seen) >= 2 for seen in cameras.values())


def test_each_track_follows_one_person_of_its_camera(scene) -> None:
    for camera in ("hall", "street", "park"):
        truth = defaultdict(dict)
        for frame, pid, *box in rows(scene / camera / "gt" / "gt.txt"):
            truth[frame][pid] = box[:4]
        followed = defaultdict(Counter)
        for frame, track, *box in rows(scene / camera / "tracks.txt"):
            overlaps = {pid: iou(box[:4], true) for pid, true in truth[frame].items()}
            nearest = max(overlaps, key=overlaps.get)
            assert overlaps[nearest] > 0.4
            followed[track][nearest] += 1
        assert list(followed) == [*range(1, len(followed) + 1)]
        for seen in followed.values():
            assert seen.most_common(1)[0][1] >= 0.9 * seen.total()


def test_equal_settings_give_equal_bytes_and_another_seed_others(digest, scene, tmp_path) -> None:
    make_scene(tmp_path / "again", SMALL)
    assert digest(tmp_path / "again") == digest(scene)
    make_scene(tmp_path / "other", replace(SMALL, seed=1, people=1))
    assert digest(tmp_path / "other") != digest(scene)


def test_a_scene_that_is_there_is_left_alone(scene) -> None:
    before = {path: path.stat().st_mtime_ns for path in scene.rglob("*")}
    summary = make_scene(scene, SMALL)
    assert not summary.created
    assert summary.frames == len(list(scene.glob("*/img1/*.jpg")))
    assert summary.boxes == sum(len(rows(path)) for path in scene.glob("*/gt/gt.txt"))
    assert {path: path.stat().st_mtime_ns for path in scene.rglob("*")} == before


def test_a_folder_of_something_else_is_refused(scene, tmp_path) -> None:
    with pytest.raises(DataError, match="other settings"):
        make_scene(scene, replace(SMALL, seed=5))
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        make_scene(tmp_path, SMALL)


@pytest.mark.parametrize(
    "wrong", [{"people": 0}, {"cameras": 1}, {"cameras": 7}, {"fps": 0}, {"width": 8}, {"pause": 0}]
)
def test_a_setting_out_of_range_is_told_by_name(wrong) -> None:
    with pytest.raises(DataError, match=f"scene's {next(iter(wrong))}"):
        SceneSettings(**wrong)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), cameras=st.integers(2, 6), overlap=st.booleans(),
    people=st.integers(1, 8),
)  # fmt: skip
def test_everybody_walks_at_the_network_s_pace(seed, cameras, overlap, people) -> None:
    asked = SceneSettings(people=people, cameras=cameras, overlap=overlap, seed=seed)
    network = draw_network(asked)
    visits = draw_routes(asked, network)
    assert {visit.person for visit in visits} == set(range(people))
    for person in range(people):
        times = defaultdict(set)
        for visit in visits:
            if visit.person == person:
                times[visit.start, visit.end].add(visit.camera)
        spans = sorted(times)
        for (_, end), (start, _), here, there in zip(
            spans, spans[1:], map(times.get, spans), map(times.get, spans[1:]), strict=False
        ):
            for pair in ((a, b) for a in here for b in there):
                low, high = network.seconds[pair]
                assert low <= start - end <= high
        for seen in times.values():
            assert len(seen) == 1 or seen == set(network.twins)


def test_twins_see_the_same_people_at_the_same_time(tmp_path) -> None:
    asked = replace(SMALL, people=1, cameras=2, overlap=True)
    make_scene(tmp_path / "twins", asked)
    network = yaml.safe_load((tmp_path / "twins" / NETWORK).read_text())
    assert network["overlaps"] == [["hall", "street"]]
    assert network["unreachable"] == []
    spans = []
    for camera, clock in network["cameras"].items():
        frames = [row[0] for row in rows(tmp_path / "twins" / camera / "gt" / "gt.txt")]
        spans.append([clock["start"] + (frame - 1) / 2 for frame in (min(frames), max(frames))])
    (a, b), (c, d) = spans
    assert max(a, c) < min(b, d)


def test_the_network_tells_all_pairs_of_cameras(scene) -> None:
    network = yaml.safe_load((scene / NETWORK).read_text())
    ways = [(way["from"], way["to"]) for way in network["transitions"]]
    assert ways == [("hall", "street"), ("street", "hall"), ("street", "park"), ("park", "street")]
    assert network["unreachable"] == [["hall", "park"], ["park", "hall"]]
    assert list(network["cameras"]) == ["hall", "street", "park"]


def follow(tracker, frames, visibility=1.0):
    boxes = (Box(frame, 0, 10, 10, 20, 50, visibility) for frame in frames)
    return [told for box in boxes for told in tracker.follow([box])]


def test_a_tracker_gives_a_new_number_after_a_second_out_of_sight() -> None:
    tracker = Tracker(fps=4, fragments=0.0, random=Random(3))
    assert {told.track for told in follow(tracker, range(1, 40))} == {1}
    assert follow(tracker, range(40, 50), visibility=0.3) == []
    assert {told.track for told in follow(tracker, range(50, 60))} == {2}


def test_a_tracker_loses_people_as_often_as_asked() -> None:
    tracker = Tracker(fps=4, fragments=6.0, random=Random(0))
    told = follow(tracker, range(1, 4 * 60 * 40))  # 40 minutes
    assert 180 <= told[-1].track <= 300  # about 240 losses


def test_the_command_tells_what_it_made(reidcore, tmp_path) -> None:
    words = [
        "data",
        "make-scene",
        tmp_path / "town",
        "--people",
        "1",
        "--cameras",
        "2",
        "--fps",
        "1",
    ]
    first, again = reidcore(*words), reidcore(*words)
    assert "frames of 2 cameras" in first.stdout
    assert first.stdout.endswith("(written)\n")
    assert again.stdout.endswith("(there already)\n")
