"""Training and testing on tracklets."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from reidcore import hookimpl
from reidcore.data import Splits, VideoDataManager
from reidcore.engine import Engine, ImageSoftmaxEngine, VideoSoftmaxEngine, VideoTripletEngine
from reidcore.errors import UnknownNameError
from reidcore.models import build_model
from reidcore.optim import build_optimizer
from reidcore.plugins import Plugins
from reidcore.utils import set_random_seed

ManageVideo = Callable[..., VideoDataManager]
SOFTMAX_ARGUMENTS = "datamanager model optimizer scheduler use_gpu label_smooth pooling_method"
TRIPLET_ARGUMENTS = (
    "datamanager model optimizer margin weight_t weight_x scheduler use_gpu label_smooth "
    "pooling_method"
)


def tracklets(folder: Path, first: int) -> list[tuple[tuple[str, ...], int, int]]:
    """Write two tracklets of 3 to 6 frames for each of five people."""
    folder.mkdir(parents=True)
    samples = []
    for pid in range(first, first + 5):
        rng = np.random.default_rng(pid)
        shade = rng.integers(60, 200, 3)
        for camera in (0, 1):
            paths = [str(folder / f"{pid}_{camera}_{n}.png") for n in range(3 + pid % 4)]
            for path in paths:
                noise = rng.integers(-30, 30, (16, 8, 3))
                Image.fromarray((shade + noise).astype(np.uint8)).save(path)
            samples.append((tuple(paths), pid, camera))
    return samples


@pytest.fixture(scope="session")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    folder = tmp_path_factory.mktemp("walks")
    test = tracklets(folder / "test", 11)
    return Splits(tracklets(folder / "train", 1), test[::2], test[1::2])


class Walks:
    def __init__(self, splits: Splits) -> None:
        self.splits = splits

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("walks", lambda root: self.splits)


@pytest.fixture
def manage_video(splits: Splits, plugins: Plugins) -> ManageVideo:
    from reidcore.plugins.discovery import object_candidate

    plugins.add(object_candidate(Walks(splits)), requested=True)

    def make(**options: Any) -> VideoDataManager:
        arguments: dict[str, Any] = {
            "sources": "walks",
            "height": 16,
            "width": 8,
            "batch_size": 4,
            "seq_len": 3,
            "num_instances": 2,
            "workers": 0,
            **options,
        }
        return VideoDataManager(plugins=plugins, **arguments)

    return make


def network(manager: Any, plugins: Plugins) -> tuple[nn.Module, torch.optim.Optimizer]:
    set_random_seed(0)
    model = build_model("smallnet", manager.num_train_pids, plugins=plugins)
    return model, build_optimizer(model, lr=0.01)


@pytest.mark.parametrize(
    ("engine", "arguments"),
    [(VideoSoftmaxEngine, SOFTMAX_ARGUMENTS), (VideoTripletEngine, TRIPLET_ARGUMENTS)],
)
def test_a_video_engine_is_a_constructor_with_torchreids_arguments(
    engine: type[Engine], arguments: str
) -> None:
    parameters = [
        parameter.name
        for parameter in inspect.signature(engine).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    assert parameters == arguments.split()
    assert {name for name, value in vars(engine).items() if callable(value)} == {"__init__"}


def test_a_softmax_run_on_tracklets(
    manage_video: ManageVideo, plugins: Plugins, tmp_path: Path
) -> None:
    manager = manage_video(sample_method="random")
    engine = VideoSoftmaxEngine(manager, *network(manager, plugins), plugins=plugins)
    result = engine.run(save_dir=str(tmp_path), max_epoch=6, visrank=True, visrank_topk=2)
    losses = [epoch["softmax"] for epoch in result["training"]]
    assert losses[-1] < losses[0]
    assert 0 < result["targets"]["walks"]["mAP"] <= 1
    drawn = {path.name for path in (tmp_path / "visrank_walks").glob("*.jpg")}
    assert drawn == {f"{pid}_0_{(3 + pid % 4) // 2}.jpg" for pid in range(11, 16)} | {
        "overview.jpg"
    }


def test_a_triplet_run_on_tracklets(
    manage_video: ManageVideo, plugins: Plugins, tmp_path: Path
) -> None:
    manager = manage_video(train_sampler="RandomIdentitySampler")
    engine = VideoTripletEngine(
        manager, *network(manager, plugins), 0.5, 1, 0.5, pooling_method="max", plugins=plugins
    )
    (epoch,) = engine.run(save_dir=str(tmp_path), max_epoch=1)["training"]
    assert set(epoch) >= {"triplet", "softmax"}
    assert (engine.pooling_method, engine.criterion_t.margin) == ("max", 0.5)


@pytest.mark.parametrize(("method", "pooled"), [("avg", np.mean), ("max", np.max)])
def test_a_tracklet_has_the_pooled_features_of_its_frames(
    manage_video: ManageVideo, plugins: Plugins, method: str, pooled: Callable[..., Any]
) -> None:
    manager = manage_video()
    engine = VideoSoftmaxEngine(
        manager, *network(manager, plugins), pooling_method=method, plugins=plugins
    )
    engine.set_model_mode("eval")
    batch = next(iter(manager.test_loader["walks"]["query"]))
    with torch.inference_mode():
        features = engine.extract_features(batch["img"])
        frames = np.stack([engine.model(clip).numpy() for clip in batch["img"]])
    np.testing.assert_allclose(features.numpy(), pooled(frames, axis=1), rtol=1e-5, atol=1e-6)


def test_any_engine_reads_what_its_data_manager_gives(
    manage_video: ManageVideo, plugins: Plugins
) -> None:
    manager = manage_video()
    parts = network(manager, plugins)
    results = [
        kind(manager, *parts, plugins=plugins).test()["walks"].ranking.mAP
        for kind in (ImageSoftmaxEngine, VideoSoftmaxEngine)
    ]
    assert results[0] == results[1]


def test_a_video_engine_reads_images_too(
    manage: Callable[..., Any], plugins: Plugins, tmp_path: Path
) -> None:
    manager = manage()
    engine = VideoSoftmaxEngine(manager, *network(manager, plugins), plugins=plugins)
    assert engine.run(save_dir=str(tmp_path), max_epoch=1)["targets"]["small"]["mAP"] > 0


class Watch:
    """Notes what the hooks are given."""

    def __init__(self) -> None:
        self.trained: list[tuple[int, ...]] = []
        self.tested: list[tuple[int, ...]] = []

    @hookimpl(wrapper=True)
    def reid_compute_losses(self, batch: Mapping[str, Any], outputs: Any) -> Any:
        lengths = [len(batch[key]) for key in ("img", "pid", "camid", "dsetid", "impath")]
        self.trained.append((*lengths, *outputs.features.shape))
        return (yield)

    @hookimpl(wrapper=True)
    def reid_extract_features(self, images: Tensor) -> Any:
        self.tested.append(tuple(images.shape))
        return (yield)


def test_hooks_see_frames(manage_video: ManageVideo, plugins: Plugins, tmp_path: Path) -> None:
    from reidcore.plugins.discovery import object_candidate

    watch = Watch()
    plugins.add(object_candidate(watch), requested=True)
    manager = manage_video()
    engine = ImageSoftmaxEngine(manager, *network(manager, plugins), plugins=plugins)
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert set(watch.trained) == {(12, 12, 12, 12, 12, 12, 8)}
    assert watch.tested == [(12, 3, 16, 8), (3, 3, 16, 8)] * 2


class WholeClips(VideoSoftmaxEngine):
    """Keeps clips together, as an engine of a network over time would."""

    def parse_data_for_train(self, data: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        return data["img"].mean(dim=1), data["pid"]


def test_an_engine_may_parse_clips_itself(manage_video: ManageVideo, plugins: Plugins) -> None:
    manager = manage_video()
    engine = WholeClips(manager, *network(manager, plugins), plugins=plugins)
    parsed = engine.parse(next(iter(manager.train_loader)))
    assert [len(parsed[key]) for key in ("img", "pid", "camid", "impath")] == [4] * 4


@pytest.mark.parametrize("kind", [VideoSoftmaxEngine, VideoTripletEngine])
def test_a_mistyped_pooling_is_refused(
    manage_video: ManageVideo, plugins: Plugins, kind: Callable[..., Engine]
) -> None:
    manager = manage_video()
    with pytest.raises(UnknownNameError, match="Did you mean 'max'"):
        kind(manager, *network(manager, plugins), pooling_method="maxx", plugins=plugins)
