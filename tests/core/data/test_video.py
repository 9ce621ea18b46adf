from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from PIL import Image
from torch.utils.data._utils.pin_memory import pin_memory

from reidcore.data import (
    Splits,
    VideoDataset,
    build_transforms,
    init_video_dataset,
    register_video_dataset,
)
from reidcore.data.loader.collate import collate
from reidcore.errors import ConfigError, DataError, UnknownNameError, UserError
from reidcore.plugins import Plugins
from reidcore.plugins.runtime import PLUGIN

MakeTracklets = Callable[..., Splits]
PluginsWith = Callable[..., Plugins]

_, TRANSFORM = build_transforms(8, 4, None, norm_mean=[0, 0, 0], norm_std=[1, 1, 1])


class NewDataset(VideoDataset):
    """As Torchreid's user guide has it."""

    def __init__(self, splits: Splits, **kwargs: Any) -> None:
        train, query, gallery = splits
        super().__init__(train, query, gallery, **kwargs)


def frames_of(clip: torch.Tensor) -> list[int]:
    """Return the numbers of the frames that a clip shows."""
    return clip[:, 0, 0, 0].mul(255).round().int().tolist()


def test_an_item_is_a_clip(make_tracklets: MakeTracklets) -> None:
    splits = make_tracklets(train={7: [9, 20]}, test={1: [3]})
    dataset = NewDataset(splits, seq_len=4, transform=TRANSFORM)
    item = dataset[1]
    assert item["img"].shape == (4, 3, 8, 4)
    assert frames_of(item["img"]) == [0, 5, 10, 15]
    assert (item["pid"], item["camid"], item["dsetid"]) == (0, 1, 0)
    assert item["impath"] == splits.train[1][0]
    assert (dataset.num_train_pids, dataset.num_train_cams, len(dataset)) == (1, 2, 2)


def test_a_batch_keeps_its_paths_when_memory_is_pinned(make_tracklets: MakeTracklets) -> None:
    dataset = NewDataset(make_tracklets(train={7: [3, 3]}), transform=TRANSFORM)
    batch: Any = collate([dataset[0], dataset[1]])
    assert batch["img"].shape == (2, 15, 3, 8, 4)
    assert batch["impath"] == [path for path, *_ in dataset.train]
    assert pin_memory(batch["impath"]) is batch["impath"]  # type: ignore[no-untyped-call]


def test_torchreids_defaults(make_tracklets: MakeTracklets) -> None:
    dataset = VideoDataset(*make_tracklets(train={7: [30]}))
    assert (dataset.seq_len, dataset.sample_method) == (15, "evenly")
    clip = dataset[0]["img"]
    assert [type(frame) for frame in clip] == [Image.Image] * 15  # there is no transform


def test_each_frame_is_transformed_by_itself(make_tracklets: MakeTracklets) -> None:
    train, _ = build_transforms(8, 4, "random_erase")
    dataset = NewDataset(make_tracklets(train={7: [1]}), seq_len=6, transform=train)
    random.seed(0)
    erased = {frame.eq(frame[0, 0, 0]).sum().item() for frame in dataset[0]["img"]}
    assert len(erased) > 1


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"sample_method": "evnly"}, UnknownNameError, "Did you mean 'evenly'"),
        ({"seq_len": 0}, ConfigError, "seq_len=0"),
        ({"mode": "probe"}, DataError, "no mode 'probe'"),
        ({"train": [(("a.png",), 1, 0), ("b.png", 2, 0)]}, DataError, "item 1 of 'train'.*'b.png'"),
        ({"query": [((), 1, 0)]}, DataError, "item 0 of 'query' .*one or more paths"),
    ],
)
def test_mistakes_are_refused(options: dict[str, Any], error: type, words: str) -> None:
    splits: dict[str, Any] = {"train": [], "query": [], "gallery": []}
    with pytest.raises(error, match=words):
        VideoDataset(**(splits | options))


def test_by_name_it_is_a_view_of_one_split(
    make_tracklets: MakeTracklets, plugins_with: PluginsWith
) -> None:
    splits = make_tracklets(train={7: [9]}, test={1: [3], 2: [12]})
    plugins = plugins_with(walk=lambda root: splits)
    query = init_video_dataset(
        "walk", transform=TRANSFORM, mode="query", seq_len=3, sample_method="all", plugins=plugins
    )
    assert isinstance(query, VideoDataset)
    assert [len(query[row]["img"]) for row in (0, 1)] == [3, 12]
    everything = init_video_dataset("walk", combineall=True, seq_len=3, plugins=plugins)
    assert [row["pid"] for row in map(everything.__getitem__, range(5))] == [0, 1, 2, 1, 2]
    with pytest.raises(UnknownNameError, match="Did you mean 'random'"):
        init_video_dataset("walk", sample_method="randm", plugins=plugins)


def test_a_set_of_images_is_refused(plugins_with: PluginsWith) -> None:
    images = Splits([("a.png", 1, 0)], [], [])
    with pytest.raises(DataError, match=r"holds images.*data.type=image \(ImageDataManager\)"):
        init_video_dataset("shop", plugins=plugins_with(shop=lambda root: images))


@pytest.fixture
def name() -> Iterator[str]:
    yield "registered_walk"
    PLUGIN.remove("datasets", "registered_walk")


def test_a_script_registers_its_own(make_tracklets: MakeTracklets, name: str) -> None:
    splits = make_tracklets(train={7: [9]})

    class Mine(NewDataset):
        def __init__(self, root: str = "", **kwargs: Any) -> None:
            super().__init__(splits, **kwargs)

    register_video_dataset(name, Mine)
    dataset = init_video_dataset(name, root="anywhere", transform=TRANSFORM, seq_len=3)
    assert isinstance(dataset, Mine)
    assert frames_of(dataset[0]["img"]) == [0, 3, 6]
    with pytest.raises(UserError, match="registered before"):
        register_video_dataset(name, NewDataset)
