"""Other people's packages, as far as they are installed: ``make test-peers``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
import torch

from reidcore.inference import FeatureExtractor
from reidcore.testing import make_plugins


@pytest.fixture(scope="session", autouse=True)
def _settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep Ultralytics' settings, which it writes when imported, out of the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLO_CONFIG_DIR", str(tmp_path_factory.mktemp("yolo")))
        yield


@pytest.fixture(scope="session")
def torchreid() -> ModuleType:
    """Torchreid 0.2.5; what it imports only to download weights need not be there."""
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("gdown") is None:
            patch.setitem(sys.modules, "gdown", ModuleType("gdown"))
        return pytest.importorskip(
            "torchreid",
            reason="torchreid is not here: pip install --no-deps torchreid==0.2.5",
            exc_type=ImportError,
        )


@pytest.fixture(scope="session")
def metric_learning() -> ModuleType:
    """pytorch-metric-learning."""
    return pytest.importorskip(
        "pytorch_metric_learning",
        reason="pytorch-metric-learning is not here: pip install pytorch-metric-learning",
        exc_type=ImportError,
    )


class CountingExtractor(FeatureExtractor):
    """An extractor that keeps how many boxes each frame had."""

    def crops(self, frame, boxes, *args, **options):
        self.asked.append(len(boxes))
        return super().crops(frame, boxes, *args, **options)


@pytest.fixture
def extractor(load_script, tmp_path) -> FeatureExtractor:
    """An extractor whose features are the colours of eight parts of a person."""
    plugin = load_script("tests/plugins/reid_plugins_trackers/pixels_plugin.py")
    torch.save(plugin.Pixels(1).state_dict(), tmp_path / "pixels.pth")
    options = {"image_size": (32, 16), "device": "cpu", "verbose": False}
    made = CountingExtractor(
        "pixels", tmp_path / "pixels.pth", plugins=make_plugins(plugin), **options
    )
    made.asked = []
    return made


class Moment(NamedTuple):
    """A frame (180, 240, 3), RGB, and where two people are in it: xyxy, (2, 4) float32."""

    frame: np.ndarray
    boxes: np.ndarray

    @property
    def bgr(self) -> np.ndarray:
        return np.ascontiguousarray(self.frame[..., ::-1])

    @property
    def ltwh(self) -> np.ndarray:
        return np.hstack([self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]])


@pytest.fixture(scope="session")
def walk() -> list[Moment]:
    """Two people, red and green, who walk past one another from either side."""
    return [moment(left=30 + 6 * step, other=190 - 6 * step) for step in range(24)]


def moment(left: int, other: int) -> Moment:
    frame = np.full((180, 240, 3), 90, dtype=np.uint8)
    boxes = [(left, 30, left + 24, 94), (other, 70, other + 24, 134)]
    colours = [((240, 30, 20), (30, 20, 120)), ((20, 200, 60), (230, 230, 40))]
    for (x1, y1, x2, y2), (upper, lower) in zip(boxes, colours, strict=True):
        middle = (y1 + y2) // 2
        frame[y1:middle, x1:x2], frame[middle:y2, x1:x2] = upper, lower
    return Moment(frame, np.array(boxes, dtype=np.float32))
