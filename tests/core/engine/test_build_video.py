"""From a configuration of tracklets to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reidcore import data, hookimpl
from reidcore.config import Config, load_config
from reidcore.data import VideoDataManager
from reidcore.engine import ClipBatches, ImageSoftmaxEngine
from reidcore.engine.build import prepare
from reidcore.errors import ConfigError, DataError, UserError
from reidcore.plugins import Plugins
from reidcore.plugins.discovery import object_candidate


def by_camera(samples: Any) -> list[tuple[tuple[str, ...], int, int]]:
    """Make a tracklet of each person's images of a camera."""
    found: dict[tuple[int, int], list[str]] = {}
    for path, pid, camid, _ in samples:
        found.setdefault((pid, camid), []).append(path)
    return [(tuple(paths), pid, camid) for (pid, camid), paths in found.items()]


class Walks:
    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add(
            "walks", lambda root: [*map(by_camera, data.from_folders(Path(root) / "tiny"))]
        )


@pytest.fixture
def configure(root: Path, tmp_path: Path, plugins: Plugins) -> Any:
    """Return a function that reads a configuration of the tiny world's tracklets."""
    plugins.add(object_candidate(Walks()), requested=True)

    def read(**sections: Any) -> Config:
        base: dict[str, Any] = {
            "model": {"name": "tinynet", "pretrained": False},
            "data": {
                "type": "video",
                "root": str(root),
                "sources": ["walks"],
                "targets": ["walks"],
                "height": 32,
                "width": 16,
                "workers": 0,
                "save_dir": str(tmp_path / "log"),
            },
            "train": {"batch_size": 4, "max_epoch": 1},
            "video": {"seq_len": 3},
        }
        for name, values in sections.items():
            base[name] = {**base.get(name, {}), **values}
        return load_config(base, plugins=plugins)

    return read


def test_a_run_on_tracklets(configure: Any, plugins: Plugins, tmp_path: Path) -> None:
    video = {"seq_len": 2, "sample_method": "random", "pooling_method": "max"}
    engine, plan = prepare(configure(video=video, test={"visrank": True}), plugins)
    manager = engine.datamanager
    assert type(manager) is VideoDataManager
    assert next(iter(manager.train_loader))["img"].shape == (4, 2, 3, 32, 16)
    assert engine.batch_layout.pooling_method == "max"  # type: ignore[attr-defined]
    result = engine.execute(plan)
    assert result["targets"]["walks"]["mAP"] > 0
    assert (tmp_path / "log" / "visrank_walks" / "overview.jpg").is_file()


def test_weighted_terms_see_frames(configure: Any, plugins: Plugins) -> None:
    config = configure(
        loss={"terms": {"softmax": 1.0, "triplet": 0.5}},
        sampler={"train_sampler": "RandomIdentitySampler", "num_instances": 2},
    )
    engine, plan = prepare(config, plugins)
    assert set(engine.execute(plan)["training"][0]) >= {"softmax", "triplet"}


def test_an_engine_keeps_a_batch_layout_of_its_own(configure: Any, plugins: Plugins) -> None:
    class Steady(ImageSoftmaxEngine):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.batch_layout = ClipBatches("max")

    class Engines:
        @hookimpl
        def reid_register_engines(self, registry: Any) -> None:
            registry.add("steady", Steady)

    plugins.add(object_candidate(Engines()), requested=True)
    engine, _ = prepare(configure(loss={"name": "steady"}), plugins)
    assert engine.batch_layout.pooling_method == "max"  # type: ignore[attr-defined]


def test_all_frames_are_tested_one_tracklet_at_a_time(configure: Any, plugins: Plugins) -> None:
    sections = {"video": {"sample_method": "all"}, "test": {"evaluate": True, "batch_size": 1}}
    engine, plan = prepare(configure(**sections), plugins)
    assert engine.execute(plan)["targets"]["walks"]["mAP"] > 0


@pytest.mark.parametrize(
    ("sections", "error", "message"),
    [
        ({"data": {"k_tfm": 2}}, ConfigError, "data.k_tfm=2 with data.type=video"),
        ({"data": {"load_train_targets": True}}, ConfigError, "load_train_targets=True"),
        ({"video": {"sample_method": "all"}}, ConfigError, "Set test.batch_size to 1"),
        ({"video": {"sample_method": "evenlly"}}, ConfigError, "video.sample_method"),
        ({"video": {"pooling_method": "mean"}}, ConfigError, "video.pooling_method"),
        ({"data": {"sources": ["tiny"]}}, DataError, "dataset 'tiny' holds images"),
        ({"data": {"type": "image"}}, DataError, "'walks' holds tracklets.*data.type=video"),
    ],
)
def test_mistakes_are_found_before_the_first_step(
    configure: Any, plugins: Plugins, sections: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        prepare(configure(**sections), plugins)
    assert caught.type is error
