"""Ultralytics' BoT-SORT with an exported file of ours, and with our encoder."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from reid_plugins_trackers.ultralytics import UltralyticsEncoder

from reidcore.inference import FeatureExtractor
from reidcore.models import build_model

if importlib.util.find_spec("ultralytics") is None:
    pytest.skip(
        "ultralytics is not here: see tests/peers/requirements.txt", allow_module_level=True
    )
pytest.importorskip("onnxruntime", reason="onnxruntime is not here: the extra onnx")


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """An OSNet with weights that were drawn, and the file that Ultralytics takes of it."""
    folder = tmp_path_factory.mktemp("export")
    torch.manual_seed(3)
    network = build_model("osnet_x0_25", num_classes=4, pretrained=False)
    torch.save(network.state_dict(), folder / "model.pth")
    words = "export model.pth -m osnet_x0_25 --to onnx --preprocess mean_std --normalise"
    subprocess.run([sys.executable, "-m", "reidcore", *words.split()], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def osnet(exported) -> FeatureExtractor:
    return FeatureExtractor("osnet_x0_25", exported / "model.pth", device="cpu", verbose=False)


def found(moment):
    """Return detections in Ultralytics' own class."""
    from ultralytics.engine.results import Boxes

    rows = np.hstack([moment.boxes, [[0.9, 0], [0.9, 0]]]).astype(np.float32)
    return Boxes(rows, moment.frame.shape[:2])


def make(name: str = "botsort", **options):
    from ultralytics.trackers.track import TRACKER_MAP
    from ultralytics.utils import YAML, IterableSimpleNamespace
    from ultralytics.utils.checks import check_yaml

    settings = YAML.load(check_yaml(f"{name}.yaml")) | {"gmc_method": "none", "device": "cpu"}
    return TRACKER_MAP[name](IterableSimpleNamespace(**settings | options))


def tracks(tracker, walk) -> set:
    # left, top, right, bottom, track, score, class, which detection
    return {
        (row[4], row[7]) for moment in walk for row in tracker.update(found(moment), moment.bgr)
    }


def test_an_exported_file_gives_our_features_of_the_same_crops(exported, osnet, walk) -> None:
    from ultralytics.trackers.utils.reid import ReID

    encoder = ReID(str(exported / "model.onnx"), device="cpu")
    assert encoder.imgsz == (256, 128)
    crops = [
        crop
        for moment in walk[::6]
        for crop in encoder._crop_detections(moment.bgr, found(moment).xywh)
    ]
    ours = unit(osnet([np.ascontiguousarray(crop[..., ::-1]) for crop in crops]).numpy())
    theirs = np.vstack([encoder(moment.bgr, found(moment).xywh) for moment in walk[::6]])
    np.testing.assert_allclose(np.linalg.norm(theirs, axis=1), 1, atol=1e-5)
    assert (ours * theirs).sum(axis=1).min() > 0.9999
    # Drawn weights tell people little apart: what does tell them apart must agree too.
    middle = ours.mean(axis=0)
    assert (unit(ours - middle) * unit(theirs - middle)).sum(axis=1).min() > 0.999


def test_the_tracker_takes_the_file(exported, walk) -> None:
    pairs = tracks(make(with_reid=True, model=str(exported / "model.onnx")), walk)
    assert len(pairs) == len({track for track, _ in pairs}) == 2


@pytest.mark.parametrize("name", ["botsort", "deepocsort", "tracktrack"])
def test_a_tracker_takes_our_encoder(name, extractor, walk) -> None:
    tracker = make(name)
    UltralyticsEncoder(extractor).attach_to(tracker)
    pairs = tracks(tracker, walk)
    assert len(pairs) == len({track for track, _ in pairs}) == 2
    assert extractor.asked == [2] * len(walk)


def test_a_model_that_tracks_takes_our_encoder(extractor, walk) -> None:
    from ultralytics import YOLO

    encoder, seen = UltralyticsEncoder(extractor), []

    def attach(predictor) -> None:
        for tracker in predictor.trackers:
            encoder.attach_to(tracker)
            seen.append(tracker)

    model = YOLO("yolo11n.yaml", verbose=False)
    model.add_callback("on_predict_batch_start", attach)
    model.track(walk[0].bgr, tracker="botsort.yaml", conf=0.0, imgsz=64, verbose=False)
    assert seen[0].encoder is encoder


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
