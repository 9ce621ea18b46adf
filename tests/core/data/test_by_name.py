from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reidcore.data import ImageDataManager
from reidcore.data.by_name import check_shared, init_image_dataset, open_datasets
from reidcore.data.dataset import MODES, ImageDataset
from reidcore.data.sample import Splits
from reidcore.errors import PluginDefectError, UnknownNameError, UserError
from reidcore.plugins import Plugins
from reidcore.registry import Chooser

PluginsWith = Callable[..., Plugins]

SPLITS = Splits([("a.jpg", 5, 0), ("b.jpg", 3, 0)], [("q.jpg", 1, 0)], [("g.jpg", 1, 1)])


class Calls:
    """A dataset factory that remembers how it was called."""

    spellings = {"shop_labeled": "labeled", "shop_gone": "not_an_option"}  # noqa: RUF012

    def __init__(self, result: Any = SPLITS) -> None:
        self.calls: list[tuple[Path, bool, int]] = []
        self.result = result

    def __call__(self, root: Path, *, labeled: bool = False, split_id: int = 0) -> Any:
        self.calls.append((root, labeled, split_id))
        return self.result


def test_options_go_to_the_datasets_that_declare_them(plugins_with: PluginsWith) -> None:
    shop, plain = Calls(), lambda root: SPLITS
    plugins = plugins_with(shop=shop, plain=plain)
    choose = Chooser(plugins, shared={"datasets": {"shop_labeled": True}})
    open_datasets(["shop", "plain"], "/r", choose, split_id=2)
    assert shop.calls == [(Path("/r"), True, 2)]


def test_a_dataset_s_own_section_wins(plugins_with: PluginsWith) -> None:
    shop = Calls()
    sections = {"shop": {"labeled": True}, "other": {"anything": 1}}
    shared = {"datasets": {"shop_labeled": False}}
    choose = Chooser(plugins_with(shop=shop), sections, shared)
    open_datasets(["shop"], "", choose, split_id=2)
    assert shop.calls == [(Path(), True, 2)]


@pytest.mark.parametrize(
    ("shared", "sections", "words"),
    [
        ({"shop_labelled": True}, {}, "Did you mean 'shop_labeled'"),
        ({"frobnicate": 1}, {}, "none of the datasets shop has an option 'frobnicate'"),
        (
            {},
            {"shop": {"labelled": 1}},
            "no option 'labelled'. Did you mean 'labeled'",
        ),
        ({}, {"shop": {"split_id": 1}}, "no option 'split_id'. The core gives 'split_id' itself"),
        ({}, {"shop": {"shop_gone": 1}}, "no option 'shop_gone'"),
        ({}, {"shop": {"root": "/"}}, "no option 'root'"),
    ],
)
def test_an_option_that_nobody_declares_is_refused(
    plugins_with: PluginsWith, shared: dict[str, Any], sections: dict[str, Any], words: str
) -> None:
    plugins = plugins_with(shop=Calls())
    with pytest.raises(UserError) as caught:
        ImageDataManager(sources="shop", sections=sections, plugins=plugins, **shared)
    assert words in str(caught.value)


def test_torchreids_habit_of_giving_every_option_to_every_dataset_is_understood(
    plugins_with: PluginsWith, caplog: pytest.LogCaptureFixture
) -> None:
    plugins = plugins_with(shop=Calls(), plain=lambda root: SPLITS)
    with caplog.at_level(logging.WARNING, "reidcore"):
        check_shared({"shop_labeled": False}, ["plain"], plugins)
        assert not caplog.records
        check_shared({"shop_labeled": True}, ["plain"], plugins)
    assert "shop_labeled=True has no effect" in caplog.text
    open_datasets(["plain"], "", Chooser(plugins), split_id=0)
    with pytest.raises(UserError, match="split_id"):
        open_datasets(["plain"], "", Chooser(plugins), split_id=1)


def test_a_class_written_for_torchreid_gets_its_root_by_keyword(
    plugins_with: PluginsWith, tmp_path: Path
) -> None:
    class NewDataset(ImageDataset):
        def __init__(self, **kwargs: Any) -> None:
            self.root = kwargs["root"]
            super().__init__(*SPLITS, **kwargs)

    dataset = init_image_dataset(
        "new",
        root=tmp_path,
        transform=str,
        mode="query",
        verbose=False,
        plugins=plugins_with(new=NewDataset),
    )
    assert isinstance(dataset, NewDataset)
    assert (dataset.root, dataset.mode, dataset.transform) == (tmp_path, "query", str)


def test_init_image_dataset_combines_and_relabels(plugins_with: PluginsWith) -> None:
    plugins = plugins_with(shop=lambda root: SPLITS)
    assert len(init_image_dataset("shop", plugins=plugins)) == 2
    everything = init_image_dataset("shop", combineall=True, plugins=plugins)
    assert [sample.pid for sample in everything.data] == [1, 0, 2, 2]
    assert everything.num_train_pids == 3


@pytest.mark.parametrize("result", [None, [1, 2], {"train": []}])
def test_a_factory_that_gives_something_else_is_named(
    plugins_with: PluginsWith, result: Any
) -> None:
    with pytest.raises(PluginDefectError, match="dataset 'shop' of plugin 'Shop' gave"):
        open_datasets(["shop"], "", Chooser(plugins_with(shop=Calls(result))))


def test_three_lists_and_objects_with_three_attributes_serve(plugins_with: PluginsWith) -> None:
    class Holder:
        train, query, gallery = SPLITS

    for result in (list(SPLITS), tuple(SPLITS), Holder(), SPLITS):
        dataset = open_datasets(["shop"], "", Chooser(plugins_with(shop=Calls(result))))["shop"]
        assert [len(getattr(dataset, mode)) for mode in MODES] == [
            2,
            1,
            1,
        ]


def test_malformed_samples_are_named_by_dataset(plugins_with: PluginsWith) -> None:
    bad = Splits([], [("q.jpg", "one", 0)], [])
    told = "dataset 'shop' of plugin .*: item 0 of 'query' of shop has pid='one'"
    with pytest.raises(PluginDefectError, match=told):
        open_datasets(["shop"], "", Chooser(plugins_with(shop=Calls(bad))))


def test_an_unknown_dataset_is_refused_with_the_nearest(plugins_with: PluginsWith) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'shop'"):
        open_datasets(["shopp"], "", Chooser(plugins_with(shop=Calls())))
