"""A model remembers how its weights were trained, and who uses it otherwise is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from reidcore.models import load_pretrained_weights
from reidcore.models.weights.trained import (
    forget_training,
    remember_training,
    warn_of_other_use,
)
from reidcore.plugins import make_plugins
from reidcore.utils import resume_from_checkpoint

IMAGES = {"height": 64, "norm_mean": [0.5], "resize": "torch"}
RECORD = {"preprocessing": IMAGES, "test": {"dist_metric": "cosine"}}

Told = Callable[[nn.Module, dict | None, dict | None], list[str]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    def told(model: nn.Module, images: dict | None, test: dict | None = None) -> list[str]:
        caplog.clear()
        warn_of_other_use(model, images, test)
        return [record.getMessage().split(": ", 1)[1] for record in caplog.records]

    return told


def test_each_thing_that_is_done_otherwise_is_a_line(told: Told) -> None:
    model = nn.Linear(1, 1)
    remember_training(model, Path("a.pth"), RECORD)
    assert told(nn.DataParallel(model), {**IMAGES, "norm_mean": (0.5,)}) == []
    assert told(model, {**IMAGES, "height": 32, "letterbox": [0, 0, 0]}) == [
        "height is 32, with a.pth it was 64",
        "letterbox is [0, 0, 0], with a.pth it was None",
    ]
    assert told(model, None, {"dist_metric": "euclidean", "normalize_feature": True}) == [
        "dist_metric is 'euclidean', with a.pth it was 'cosine'"
    ]


def test_a_record_without_a_resizer_is_of_pillows_pixels(told: Told) -> None:
    model = nn.Linear(1, 1)
    remember_training(model, "a.pth", {"preprocessing": {"height": 64}})
    assert told(model, IMAGES) == ["resize is 'torch', with a.pth it was 'pillow'"]


def test_nothing_is_told_where_nothing_is_recorded_or_it_was_forgotten(told: Told) -> None:
    model = nn.Linear(1, 1)
    assert told(model, IMAGES) == []
    remember_training(model, "a.pth", {})
    assert told(model, IMAGES, {"dist_metric": "x"}) == []
    remember_training(model, "a.pth", RECORD)
    forget_training(model)
    assert told(model, {"height": 1}) == []


def test_the_memory_is_no_weight_and_no_hindrance_to_a_copy(tmp_path: Path) -> None:
    model = nn.Linear(1, 1)
    remember_training(model, "a.pth", RECORD)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    assert list(torch.load(tmp_path / "w.pth")) == ["weight", "bias"]


@pytest.mark.parametrize("use", [load_pretrained_weights, resume_from_checkpoint])
def test_a_plugin_file_that_only_the_record_names_is_told_once_by_hand_too(
    use: Callable[..., object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, model = tmp_path / f"{use.__name__}.pth", nn.Linear(2, 2)
    record = {"config": {"plugins": ["osnet", "./step of mine.py"]}}
    torch.save({"state_dict": model.state_dict(), "epoch": 1, "reidcore": record}, path)
    with make_plugins():
        for _ in range(2):
            use(*((model, path) if use is load_pretrained_weights else (path, model)))
    assert caplog.text.count("not loaded on its word") == 1
    assert "add it by -p './step of mine.py'" in caplog.text


def test_a_plugin_file_of_the_same_name_that_is_loaded_is_taken_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, model = tmp_path / "a.pth", nn.Linear(2, 2)
    record = {"config": {"plugins": ["elsewhere/step.py"]}}
    torch.save({"state_dict": model.state_dict(), "reidcore": record}, path)
    (tmp_path / "step.py").write_text("")
    with make_plugins(extra=[tmp_path / "step.py"]):
        load_pretrained_weights(model, path)
    assert "not loaded on its word" not in caplog.text
