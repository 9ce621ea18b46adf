"""``reidcore link`` from files to files, on a synthetic scene."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_link.boxes import read_boxes
from reid_plugins_link.scores import matching_boxes
from reid_plugins_synthetic.scene.make import make_scene
from reid_plugins_synthetic.scene.settings import SceneSettings

from reidcore.models import build_model

CAMERAS = ("hall", "street", "park")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    make_scene(
        folder / "town",
        SceneSettings(people=4, fps=2, width=128, height=72, pause=6.0, fragments=4.0),
    )
    return folder / "town"


@pytest.fixture(scope="module")
def looks(scene):
    """Features by the truth: a direction for each person, with some noise for each box."""
    draw = np.random.default_rng(0)
    columns = {name: [] for name in ("features", "camera", "track", "frame")}
    for name in CAMERAS:
        tracks = read_boxes(scene / name / "tracks.txt")
        truth = read_boxes(scene / name / "gt" / "gt.txt", is_truth=True)
        a, b, overlap = matching_boxes(truth, tracks)
        person = np.zeros(len(tracks), dtype=int)
        nearest = np.argsort(overlap)  # the last that is written stays
        person[b[nearest]] = truth.tracks[a[nearest]]
        columns["features"] += list(np.eye(5)[person] + draw.normal(0, 0.2, (len(tracks), 5)))
        columns["camera"] += [name] * len(tracks)
        columns["track"] += tracks.tracks.tolist()
        columns["frame"] += tracks.frames.tolist()
    path = scene.parent / "looks.npz"
    np.savez(path, **{name: np.array(values) for name, values in columns.items()})
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A checkpoint of an untrained network."""
    torch.manual_seed(0)
    model = build_model("osnet_x0_25", num_classes=2, pretrained=False)
    path = tmp_path_factory.mktemp("weights") / "osnet.pth"
    torch.save(model.state_dict(), path)
    return path


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_features_and_truth_give_identities_and_scores(link, scene, looks, tmp_path) -> None:
    out = tmp_path / "out"
    code, told, errors = link(
        scene, "--features", looks, "--threshold", 0.4, "-o", out, "--truth", scene,
        "--network", scene / "scene.yaml", "--sheets", "--json",
    )  # fmt: skip
    assert code == 0, errors
    record = json.loads(told)
    assert record == json.loads((out / "link.json").read_text())
    assert record["scores"]["joins"]["precision"] == 1.0
    assert record["scores"]["found"]["idf1"] == record["scores"]["at_best"]["idf1"]
    assert record["identities"] == 4
    identities = rows_of(out / "identities.csv")
    assert sum(int(row["boxes"]) for row in identities) == sum(
        camera["boxes"] for camera in record["cameras"]
    )
    for name in CAMERAS:
        before, after = read_boxes(scene / name / "tracks.txt"), read_boxes(out / f"{name}.txt")
        number = {
            int(row["track"]): int(row["identity"]) for row in identities if row["camera"] == name
        }
        assert Counter(number[track] for track in before.tracks.tolist()) == Counter(
            after.tracks.tolist()
        )
    several = Counter(row["identity"] for row in identities)
    sheets = {path.stem for path in (out / "sheets").iterdir()}
    assert sheets == {identity for identity, tracks in several.items() if tracks > 1}
    with Image.open(out / "sheets" / f"{min(sheets)}.png") as sheet:
        assert sheet.width >= 240


def test_what_a_run_left_joins_the_tracks_again_as_a_person_decides(
    link, scene, looks, tmp_path
) -> None:
    first = ("--threshold", 0.85, "--undecided", 0.2)
    code, _, errors = link(scene, "--features", looks, *first, "-o", tmp_path / "a")
    assert code == 0
    assert "pairs to decide: fill in" in errors
    doubts = rows_of(tmp_path / "a" / "undecided.csv")
    apart = next(row for row in doubts if row["joined"] == "no")
    decided = tmp_path / "decided.csv"
    with decided.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(apart))
        writer.writeheader()
        writer.writerow(apart | {"decision": "same"})
    code, _, errors = link(
        scene, "--features", tmp_path / "a" / "features.npz", *first, "-o", tmp_path / "b",
        "--accept", decided,
    )  # fmt: skip
    assert code == 0, errors
    numbers = {
        (row["camera"], row["track"]): row["identity"]
        for row in rows_of(tmp_path / "b" / "identities.csv")
    }
    a, b = ((apart[f"camera_{side}"], apart[f"track_{side}"]) for side in "ab")
    assert numbers[a] == numbers[b]


def test_a_model_looks_at_the_frames(link, scene, weights, tmp_path) -> None:
    out = tmp_path / "out"
    words = ("-m", "osnet_x0_25", "-w", weights, "--threshold", 0.9, "--crops", 1)
    code, told, errors = link(scene, *words, "-o", out, "--device", "cpu", "--truth", scene)
    assert code == 0, errors
    assert "identities, " in told
    assert "joins by the truth" in told
    with np.load(out / "features.npz") as kept:
        files = (scene / name / "tracks.txt" for name in CAMERAS)
        tracks = sum(len({*read_boxes(file).tracks.tolist()}) for file in files)
        assert kept["features"].shape == (tracks, 512)
        np.testing.assert_allclose(np.linalg.norm(kept["features"], axis=1), 1, atol=1e-5)
        assert (kept["quality"] > 0).all()


def test_features_of_one_camera_each_are_named_by_their_files(link, scene, looks, tmp_path) -> None:
    words = []
    with np.load(looks) as kept:
        for name in CAMERAS:
            own = kept["camera"] == name
            np.savez(
                tmp_path / f"{name}.npz",
                **{key: kept[key][own] for key in ("features", "track", "frame")},
            )
            words += ["--features", tmp_path / f"{name}.npz"]
    shutil.move(tmp_path / "hall.npz", tmp_path / "else.npz")
    words[1] = f"hall={tmp_path / 'else.npz'}"
    code, told, errors = link(scene, *words, "--threshold", 0.4, "-o", tmp_path / "out", "--json")
    assert code == 0, errors
    assert json.loads(told)["identities"] == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--threshold", 0.5], "nothing says what anybody looks like"),
        (["--features", "{looks}"], "which similarity means the same"),
        (["--features", "{looks}", "--threshold", 0.5, "--fmr", 0.1], "both choose the threshold"),
        (["--features", "{looks}", "--threshold", 0.5, "--calibration", "c.json"], "both choose"),
        (["--features", "{looks}", "--calibration", "c.json"], "no calibration at 'c.json'"),
        (["--features", "{looks}", "--threshold", 0.5, "--undecided", 0.6], "begins below"),
        (["--features", "{looks}", "--threshold", 0.5, "--method", "averge"], "mean 'average'"),
        (["--features", "{looks}", "--threshold", 0.5, "--overlap", "hall:prk"], "mean 'park'"),
        (["--features", "{scene}/hall/tracks.txt", "--threshold", 0.5], "no ending of a file of"),
        (["--features", "hal={looks}", "--threshold", 0.5, "--frames", "hal=."], "mean 'hall'"),
        (["--features", "{looks}", "--threshold", 0.5, "--truth", "x={scene}/hall"], "'x', of"),
        (["--features", "{looks}", "--threshold", 0.5, "--network", "none.yaml"], "cannot be read"),
        (["--features", "{looks}", "--threshold", 0.5, "--tolerance", "nan"], "nan is no number"),
        (["--features", "{looks}", "--threshold", 0.5, "--rejoin", "nan"], "nan is no number"),
        (["--features", "{looks}", "--threshold", 0.5, "--fps", "inf"], "inf is no number"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(
    link, scene, looks, tmp_path, words, told
) -> None:
    named = [str(word).format(looks=looks, scene=scene) for word in words]
    code, _, errors = link(scene, *named, "-o", tmp_path / "out")
    assert code == 2
    assert told in errors
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(link, scene, looks, tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    words = ("--features", looks, "--threshold", 0.5)
    code, _, errors = link(scene, *words, "-o", tmp_path)
    assert code == 2
    assert "is there already" in errors


def test_cameras_of_unknown_speed_are_told(link, mot, looks, tmp_path) -> None:
    files = [mot(tmp_path / f"{name}.txt", (1, 1, 0, 0, 5, 5)) for name in "ab"]
    words = ("--features", looks, "--threshold", 0.5, "-o", tmp_path / "out")
    code, _, errors = link(*files, *words)
    assert code == 2
    assert "how many frames a second the camera 'a' recorded" in errors
    code, _, errors = link(*files, *words, "--fps", 5)
    assert code == 2
    assert "no feature in" in errors


def test_sheets_need_frames_and_clocks_that_are_not_told_are(link, scene, looks, tmp_path) -> None:
    bare = [
        f"{name}={shutil.copy(scene / name / 'tracks.txt', tmp_path / name)}" for name in CAMERAS
    ]
    (tmp_path / "site.yaml").write_text("cameras: {hall: {start: 3}, park: {start: 1}}")
    words = ("--features", looks, "--threshold", 0.5, "--fps", 2, "-o", tmp_path / "out")
    code, _, errors = link(*bare, *words, "--sheets")
    assert code == 2
    assert "no frames of the camera 'hall'" in errors
    assert "Leave --sheets out" in errors
    code, _, errors = link(*bare, *words, "--network", tmp_path / "site.yaml")
    assert code == 0
    assert "tells when 'street' began: taken to be at second 0" in errors


def test_features_of_other_widths_and_without_frames_are_told(link, scene, looks, tmp_path) -> None:
    with np.load(looks) as kept:
        columns = dict(kept)
    np.savez(tmp_path / "wide.npz", **columns | {"features": np.ones((len(columns["track"]), 7))})
    del columns["frame"]
    np.savez(tmp_path / "bare.npz", **columns)
    words = ("--threshold", 0.5, "-o", tmp_path / "out", "--features")
    code, _, errors = link(scene, *words, looks, "--features", tmp_path / "wide.npz")
    assert code == 2
    assert "the features differ in width" in errors
    code, _, errors = link(scene, *words, tmp_path / "bare.npz")
    assert code == 2
    assert "has no column 'frame', but features, camera, track" in errors
