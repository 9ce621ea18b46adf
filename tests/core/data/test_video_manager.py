from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore.data import ImageDataManager, Splits, VideoDataManager, VideoDataset
from reidcore.errors import ConfigError, DataError, UnknownNameError
from reidcore.plugins import Plugins

TORCHREID_ARGUMENTS = """
root sources targets height width transforms norm_mean norm_std use_gpu split_id combineall
batch_size_train batch_size_test workers num_instances num_cams num_datasets train_sampler seq_len
sample_method
"""


class Bare(VideoDataset):
    """Its items are those of Torchreid's video datasets, which have no ``impath``."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = super().__getitem__(index)
        del item["impath"]
        return {**item, "img": item["img"] + 5}


@pytest.fixture
def walks(
    make_tracklets: Callable[..., Splits], plugins_with: Callable[..., Plugins]
) -> Callable[..., VideoDataManager]:
    """A manager over two sets of tracklets: ids 7, 8 seen by 2 cameras, and id 4 by 1."""
    first = make_tracklets("first", train={7: [3, 9], 8: [20, 40]}, test={1: [12], 2: [2]})
    second = make_tracklets("second", train={4: [8]}, test={9: [5]})
    images = Splits([("a.png", 1, 0)], [("q.png", 1, 0)], [("g.png", 1, 1)])
    plugins = plugins_with(
        first=lambda root: first,
        second=lambda root: Bare(*second),
        images=lambda root: images,
        empty=lambda root: Splits([], first.query, []),
    )

    def make(**arguments: Any) -> VideoDataManager:
        given: dict[str, Any] = {
            "sources": "first",
            "height": 8,
            "width": 4,
            "batch_size": 2,
            "workers": 0,
            "seq_len": 4,
            "transforms": None,
            "norm_mean": [0, 0, 0],
            "norm_std": [1, 1, 1],
        }
        return VideoDataManager(plugins=plugins, **(given | arguments))

    make.plugins = plugins  # type: ignore[attr-defined]
    return make


def frames_of(clips: torch.Tensor) -> list[list[int]]:
    return clips[:, :, 0, 0, 0].mul(255).round().int().tolist()


def test_the_arguments_are_torchreids_in_their_order() -> None:
    parameters = list(inspect.signature(VideoDataManager).parameters.values())
    assert [parameter.name for parameter in parameters[:20]] == TORCHREID_ARGUMENTS.split()
    defaults = {parameter.name: parameter.default for parameter in parameters}
    assert (defaults["batch_size_train"], defaults["batch_size_test"]) == (3, 3)
    assert (defaults["seq_len"], defaults["sample_method"]) == (15, "evenly")


def test_batches_are_clips(walks: Any) -> None:
    manager = walks(batch_size=None, batch_size_train=4, batch_size_test=1)
    assert (manager.data_type, manager.num_train_pids, manager.num_train_cams) == ("video", 2, 2)
    (batch,) = manager.train_loader
    assert batch["img"].shape == (4, 4, 3, 8, 4)
    by_length = {len(path): row for row, path in enumerate(batch["impath"])}
    assert {length: frames_of(batch["img"][[row]])[0] for length, row in by_length.items()} == {
        3: [0, 1, 2, 2],
        9: [0, 3, 5, 7],
        20: [0, 5, 10, 15],
        40: [0, 10, 20, 30],
    }
    assert {length: batch["pid"][row].item() for length, row in by_length.items()} == {
        3: 0,
        9: 0,
        20: 1,
        40: 1,
    }
    query = list(manager.test_loader["first"]["query"])
    assert [part["img"].shape for part in query] == [(1, 4, 3, 8, 4)] * 2
    samples, _ = manager.fetch_test_loaders("first")
    assert [part["impath"][0] for part in query] == [path for path, *_ in samples]


def test_every_source_reads_in_its_own_way(walks: Any) -> None:
    manager = walks(sources=["first", "second"], targets="second", batch_size=5)
    (batch,) = manager.train_loader
    assert (manager.num_train_pids, manager.num_train_cams) == (3, 3)
    for path, dsetid, clip in zip(batch["impath"], batch["dsetid"], batch["img"], strict=True):
        assert Path(path[0]).parts[-3] == ("first", "second")[dsetid]
        assert (clip.min() >= 5).item() is bool(dsetid == 1)


def test_combineall_learns_from_the_test_tracklets_too(walks: Any) -> None:
    manager = walks(combineall=True)
    assert manager.num_train_pids == 4
    assert len(manager.train_loader.dataset) == 4 + 2 * 2


def test_all_frames_in_batches_of_one(walks: Any) -> None:
    manager = walks(sample_method="all", batch_size=1)
    assert {len(batch["img"][0]) for batch in manager.train_loader} == {3, 9, 20, 40}
    lengths = [batch["img"].shape[1] for batch in manager.test_loader["first"]["gallery"]]
    assert lengths == [12, 2]
    tested = walks(sample_method="all", batch_size=None, batch_size_test=1, test_only=True)
    assert len(list(tested.test_loader["first"]["query"])) == 2


def test_frames_are_drawn_from_seed_and_epoch(walks: Any) -> None:
    def seen(seed: int = 1, workers: int = 0, first: int = 0) -> list[dict[str, Any]]:
        loader = walks(sample_method="random", seed=seed, workers=workers).train_loader
        loader.set_epoch(first)
        return [
            {
                paths[0]: frames
                for paths, frames in zip(b["impath"], frames_of(b["img"]), strict=True)
            }
            for _ in range(first, 2)
            for b in loader
        ]

    everything = seen()
    assert seen(workers=1) == everything
    assert seen(first=1) == everything[2:]
    assert sorted(everything[0].items()) != sorted(seen(seed=2)[0].items())
    clips: dict[str, list[list[int]]] = {}
    for batch in everything:
        for path, frames in batch.items():
            clips.setdefault(path, []).append(frames)
    assert any(first != second for first, second in clips.values())
    assert all(frames == sorted(frames) for pair in clips.values() for frames in pair)


def test_a_tracklet_with_an_unreadable_frame_may_be_left_out(walks: Any) -> None:
    manager = walks(on_bad_image="skip", batch_size=4)
    spoilt = next(path for path, *_ in manager.train_loader.dataset.data if len(path) == 9)
    Path(spoilt[5]).write_text("no image")
    Path(spoilt[4]).write_text("no image either, but nobody reads it")
    (batch,) = manager.train_loader
    assert [len(path) for path in batch["impath"]].count(9) == 0
    assert list(manager.skipped) == [spoilt[5]]


def test_the_summary_counts_tracklets(walks: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "reidcore"):
        walks()
    assert "Sources: first (2 ids, 4 tracklets, 2 cameras)" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"sample_method": "evenly_torchried"}, ConfigError, "Did you mean 'evenly_torch"),
        ({"seq_len": 0}, ConfigError, r"video\.seq_len is 0\. Expected at least 1"),
        ({"sample_method": "all"}, ConfigError, "Set test.batch_size to 1"),
        (
            {"sample_method": "all", "batch_size": None, "batch_size_test": 1},
            ConfigError,
            "Set train.batch_size to 1",
        ),
        ({"sources": "frist"}, UnknownNameError, "Did you mean 'first'"),
        ({"sources": "images"}, DataError, "holds images.*Set data.type=image"),
        ({"sources": "empty", "targets": "first"}, DataError, "'empty' has no train tracklets"),
        ({"batch_size": 9}, DataError, "a batch of 9 tracklets is larger than an epoch of 4"),
    ],
)
def test_mistakes_are_refused(
    walks: Any, arguments: dict[str, Any], error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        walks(**arguments)


def test_tracklets_are_refused_where_images_are_read(walks: Any) -> None:
    with pytest.raises(DataError, match=r"holds tracklets.*data.type=video \(VideoDataManager\)"):
        ImageDataManager(sources="first", plugins=walks.plugins)
