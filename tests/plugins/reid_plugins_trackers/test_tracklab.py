"""The module that tracklab runs: in its own classes as far as this needs them."""

from __future__ import annotations

import importlib
import pickle
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from reidcore.errors import DataError

WHERE = np.array([10, 12, 20, 40])


class DetectionLevelModule:
    """What tracklab's class of that name does for its modules."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size


class DataFrame(dict):
    """What pandas has of that name, as far as the answer needs it."""

    def __init__(self, columns, index) -> None:
        super().__init__(columns)
        self.index = index


@pytest.fixture
def make(weights, extractor, monkeypatch):
    pipeline = ModuleType("tracklab.pipeline")
    pipeline.DetectionLevelModule = DetectionLevelModule
    pandas = ModuleType("pandas")
    pandas.DataFrame = DataFrame
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    monkeypatch.setitem(sys.modules, "tracklab", ModuleType("tracklab"))
    monkeypatch.setitem(sys.modules, "tracklab.pipeline", pipeline)
    name = "reid_plugins_trackers.tracklab.module"
    monkeypatch.delitem(sys.modules, name, raising=False)
    theirs = importlib.import_module(name)

    def make(**options):
        own = {"model_name": "pixels", "extractor": {"image_size": (32, 16)}}
        with extractor.plugins:
            return theirs.ReidModule(str(weights), **own, tracking_dataset=None, **options)

    yield make
    monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def module(make):
    return make()


def crops_of(module, image, rows) -> list[np.ndarray]:
    return [module.preprocess(image, SimpleNamespace(bbox_ltwh=row), None) for row in rows]


def test_a_detection_is_cut_from_an_rgb_image_by_left_top_width_height(
    module, extractor, frame, boxes
) -> None:
    ltwh = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    answer = module.process(crops_of(module, frame, ltwh), SimpleNamespace(index=[4, 8]), None)
    ours = torch.nn.functional.normalize(extractor.crops(frame, boxes))
    np.testing.assert_allclose(np.stack(answer["embeddings"]), ours.numpy()[:, None], atol=1e-6)
    np.testing.assert_array_equal(np.stack(answer["visibility_scores"]), np.ones((2, 1)))
    assert answer.index == [4, 8]


def test_a_box_without_a_pixel_is_an_empty_crop(make, frame) -> None:
    module = make(on_bad="raise")
    (crop,) = crops_of(module, frame, [np.array([500.0, 500, 20, 20])])
    assert crop.size == 0
    with pytest.raises(DataError, match="crop 0 of 1 is empty"):
        module.process([crop], SimpleNamespace(index=[0]), None)


def test_crops_of_any_size_make_a_batch(module, frame) -> None:
    crops = crops_of(module, frame, [np.array([0, 0, 5, 9]), np.array([0, 0, 20, 30])])
    indices, batch = type(module).collate_fn([(7, crops[0]), (9, crops[1])])
    assert indices == [7, 9]
    assert [crop.shape for crop in batch] == [(9, 5, 3), (30, 20, 3)]


def test_workers_get_it_without_the_network(module, frame) -> None:
    worker = pickle.loads(pickle.dumps(module))
    np.testing.assert_array_equal(*(crops_of(each, frame, [WHERE])[0] for each in (module, worker)))
    assert worker.box_features is None


def test_tracklab_finds_the_configuration() -> None:
    from importlib.metadata import entry_points
    from importlib.resources import files

    (entry,) = [each for each in entry_points(group="tracklab_plugin") if each.name == "reidcore"]
    package = entry.load().config_package.removeprefix("pkg://")
    text = (files(package) / "modules" / "reid" / "reidcore.yaml").read_text()
    assert "_target_: reid_plugins_trackers.tracklab.module.ReidModule" in text
