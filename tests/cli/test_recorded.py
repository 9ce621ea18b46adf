"""What a checkpoint records of images, head and distance holds on every road to its results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.cli.app import main
from reidcore.utils import FeatureExtractor

CONFIG = """
use_gpu: false
model: {name: osnet_x0_25, pretrained: false}
data: {sources: folder, targets: folder, workers: 0, root: reid-data}
train: {batch_size: 8, max_epoch: 1}
"""
TRAINED = [
    *("model.head.neck=bnneck", "model.head.pool=max", "data.height=48", "data.width=24"),
    *("data.norm_mean=[0.3,0.3,0.3]", "data.norm_std=[0.4,0.4,0.4]", "data.resize=pillow"),
    *("data.transforms=[letterbox,random_flip]", "letterbox.fill=[9,9,9]"),
    *("test.dist_metric=cosine", "test.normalize_feature=true", "test.rerank=true"),
]
NAMED = ["-d", "folder", "-m", "osnet_x0_25"]

Told = Callable[..., str]


def draw_noise(folder: Path) -> None:
    """Write people whom only chance finds again, so that each way to look at them counts."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(len(folder.name))
    for pid in range(1, 7):
        for camera in (1, 2, 3):
            noise = draw.integers(0, 256, (20 + pid, 30, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / f"{pid:04d}_c{camera}.png")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, and a checkpoint that differs from it in many ways."""
    folder = tmp_path_factory.mktemp("trained")
    for split in ("train", "query", "gallery"):
        draw_noise(folder / "reid-data" / split)
    (folder / "small.yaml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as left:
            main(["run", "small.yaml", *TRAINED, "data.save_dir=log"])
    assert left.value.code == 0
    return folder


@pytest.fixture
def told(trained: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Carry out a command there, and return what it logged."""
    monkeypatch.chdir(trained)
    caplog.set_level("INFO")

    def told(*words: str) -> str:
        caplog.clear()
        with pytest.raises(SystemExit) as left:
            main(list(words))
        assert left.value.code == 0
        return caplog.text

    return told


CHECKPOINT = "log/model.pth.tar-1"


def result(folder: str) -> dict[str, float]:
    held = json.loads(Path(folder, "test_results.json").read_text())["targets"]["folder"]
    return {name: held[name] for name in ("mAP", "mINP", "rank1")}


def test_three_roads_have_one_result(told: Told) -> None:
    ran = json.loads(Path("log/results.json").read_text())["targets"]["folder"]
    roads = {
        "path": ("test", CHECKPOINT),
        "config": ("test", "small.yaml", f"model.load_weights={CHECKPOINT}"),
        "resume": ("test", "small.yaml", "--resume", "log"),
        "recipe": ("test", "quickstart", "-s", "folder", "-t", "folder", "use_gpu=false"),
        "named": ("visualize", "ranks", *NAMED, "--weights", CHECKPOINT),
        "qualified": ("visualize", "ranks", *NAMED[:2], "-m", "osnet/osnet_x0_25"),
    }
    further = {
        "recipe": (f"model.load_weights={CHECKPOINT}",),
        "qualified": ("--weights", CHECKPOINT),
    }
    for road, words in roads.items():
        to = ("--save-dir", road) if words[0] == "visualize" else (f"data.save_dir={road}",)
        shown = told(*words, *further.get(road, ()), *to)
        assert result(road) == {name: ran[name] for name in result(road)}, road
        assert "Other results than in training" not in shown
        if road != "path":
            assert f"From {CHECKPOINT}: data.height is 48, as in the checkpoint" in shown, road
            assert "test.rerank is True, as in the checkpoint" in shown, road


def test_what_this_test_says_otherwise_acts_and_is_told(told: Told) -> None:
    words = ("data.norm_std=[0.2,0.2,0.2]", "test.dist_metric=euclidean", "data.save_dir=other")
    for road in ((CHECKPOINT,), ("small.yaml", f"model.load_weights={CHECKPOINT}")):
        shown = told("test", *road, *words, "data.transforms=random_flip")
        assert shown.count("Other results than in training") == 3
        with_it = f"with {CHECKPOINT} it was"
        assert f"norm_std is [0.2, 0.2, 0.2], {with_it} [0.4, 0.4, 0.4]" in shown
        assert f"dist_metric is 'euclidean', {with_it} 'cosine'" in shown
        assert f"letterbox is None, {with_it} [9, 9, 9]" in shown
        config = json.loads(Path("other/test_results.json").read_text())["config"]
        assert config["test"]["dist_metric"] == "euclidean"


def test_another_head_is_told(told: Told) -> None:
    shown = told(
        *("test", "small.yaml", f"model.load_weights={CHECKPOINT}", "model.head.pool=avg"),
        "data.save_dir=other",
    )
    assert "built with head pool='avg', that of 'log/model.pth.tar-1' with 'max'" in shown


def test_a_training_that_begins_with_the_weights_is_of_their_kind_unless_a_recipe_differs(
    told: Told,
) -> None:
    begin = (f"model.load_weights={CHECKPOINT}", "data.save_dir=tuned", "train.max_epoch=0")
    shown = told("run", "small.yaml", *begin)
    assert "data.height is 48, as in the checkpoint" in shown
    assert "model.head.neck is 'bnneck', as in the checkpoint" in shown
    assert "Other results" not in shown
    recipe = ("quickstart", "-s", "folder", "-t", "folder", "use_gpu=false", "train.batch_size=8")
    shown = told("run", *recipe, *begin, "train.max_epoch=1")
    assert "data.height is" not in shown
    assert f"with {CHECKPOINT} it was 48" in shown


def test_an_extractor_that_is_told_otherwise_says_so(told: Told, caplog) -> None:
    FeatureExtractor(model_path=CHECKPOINT, device="cpu", verbose=False)
    assert "Other results" not in caplog.text
    FeatureExtractor("osnet/osnet_x0_25", CHECKPOINT, (64, 24), device="cpu", verbose=False)
    assert f"height is 64, with {CHECKPOINT} it was 48" in caplog.text
    assert caplog.text.count("Other results") == 1
    assert "built with" not in caplog.text


def test_weights_that_record_nothing_have_torchreids_pixels(told: Told) -> None:
    held = torch.load(CHECKPOINT, weights_only=True)["state_dict"]
    torch.save({"state_dict": held}, "bare.pth")
    told("test", "small.yaml", "model.load_weights=bare.pth", "data.save_dir=bare")
    config = json.loads(Path("bare/test_results.json").read_text())["config"]
    assert config["data"]["resize"] == "pillow"
