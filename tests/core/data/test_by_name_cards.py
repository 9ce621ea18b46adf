from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reidcore.data.by_name import init_image_dataset, init_video_dataset, open_datasets
from reidcore.data.card import DatasetCard, described_by
from reidcore.data.sample import Splits
from reidcore.data.video import VideoDataset
from reidcore.errors import PluginDefectError
from reidcore.plugins import Plugins
from reidcore.registry import Chooser

PluginsWith = Callable[..., Plugins]

CARD = DatasetCard(
    title="Corner Shop",
    folder="shop",
    layout="shop/\n    train/",
    paper="Nobody, Nowhere, 2020",
    source="https://example.org/shop",
    licence="free",
    protocol="somebody is searched for",
    junk_pids=(0,),
)
IMAGES = Splits(
    [("t.jpg", 5, 0)],
    [("q.jpg", 1, 0)],
    [("g.jpg", 1, 1), ("background.jpg", 0, 1)],
)


def factory(card: DatasetCard, splits: Splits = IMAGES) -> Callable[..., Splits]:
    @described_by(card)
    def shop(root: Path) -> Splits:
        return splits

    return shop


def test_the_card_tells_junk_folder_and_title(plugins_with: PluginsWith) -> None:
    plugins = plugins_with(shop=factory(CARD))
    dataset = open_datasets(["shop"], "/r", Chooser(plugins))["shop"]
    assert (dataset.title, dataset.dataset_dir) == ("Corner Shop", "/r/shop")
    together = init_image_dataset("shop", root="/r", combineall=True, plugins=plugins)
    assert [Path(path).name for path, *_ in together.train] == ["t.jpg", "q.jpg", "g.jpg"]


def test_a_card_that_does_not_combine_keeps_the_test_images_out(plugins_with: PluginsWith) -> None:
    plugins = plugins_with(shop=factory(replace(CARD, combines=False)))
    assert len(init_image_dataset("shop", combineall=True, plugins=plugins).train) == 1


def test_the_card_tells_the_kind_even_of_empty_splits(plugins_with: PluginsWith) -> None:
    walks = Splits([], [(("1.jpg", "2.jpg"), 1, 0)], [(("3.jpg",), 1, 1)])
    video = replace(CARD, data_type="video")
    plugins = plugins_with(walks=factory(video, walks), none=factory(video, Splits([], [], [])))
    assert isinstance(init_video_dataset("walks", plugins=plugins), VideoDataset)
    assert open_datasets(["none"], "", Chooser(plugins))["none"].data_type == "video"


@pytest.mark.parametrize("made", [None, ([], []), "abc"])
def test_anything_but_three_splits_is_refused(plugins_with: PluginsWith, made: Any) -> None:
    @described_by(CARD)
    def shop(root: Path) -> Any:
        return made

    with pytest.raises(PluginDefectError, match="'shop'"):
        open_datasets(["shop"], "", Chooser(plugins_with(shop=shop)))
