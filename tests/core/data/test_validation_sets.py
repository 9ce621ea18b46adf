"""Identities that a data manager holds out of training, as sets to validate on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from reidcore.data import ImageDataManager, ImageDataset, Splits, VideoDataManager, from_folders
from reidcore.errors import ConfigError
from reidcore.plugins import Plugins


def manager(plugins: Plugins, sources: Any, **arguments: Any) -> ImageDataManager:
    given = {"height": 16, "width": 8, "batch_size": 4, "workers": 0, "validation_share": 0.25}
    return ImageDataManager(plugins=plugins, sources=sources, **(given | arguments))


@pytest.fixture
def shops(make_tree: Callable[..., Any], plugins_with: Callable[..., Plugins]) -> Plugins:
    """Two datasets of 8 and 4 people by 2 cameras."""
    test = {90: 4, 91: 4}
    first = make_tree("first", train=dict.fromkeys(range(8), 4), test=test, cameras=2)
    second = make_tree("second", train=dict.fromkeys(range(4), 4), test=test, cameras=2)
    return plugins_with(
        first=lambda root: from_folders(first),
        second=lambda root: from_folders(second),
        validation=lambda root: from_folders(second),
    )


def test_a_manager_holds_out_of_each_source_and_loads_both_sides(shops: Plugins) -> None:
    data = manager(shops, ["first", "second"])
    assert data.num_train_pids == 6 + 3
    assert data.train_table is not None
    assert sorted(set(data.train_table.pids.tolist())) == list(range(9))
    tables, loaders = data.validation_dataset["validation"], data.validation_loader["validation"]
    assert {split: table.counts.ids for split, table in tables.items()} == {
        "query": 3,
        "gallery": 3,
    }
    assert not {*map(str, data.train_table.paths)} & {*map(str, tables["gallery"].paths)}
    for split, loader in loaders.items():
        batches = list(loader)
        assert (
            torch.cat([batch["pid"] for batch in batches]).tolist() == tables[split].pids.tolist()
        )
        assert [path for batch in batches for path in batch["impath"]] == list(tables[split].paths)
    assert data.fingerprints()["validation"].keys() == {"query", "gallery"}
    assert "validation" not in data.test_loader


def test_a_dataset_that_reads_its_items_itself_gives_them_the_numbers_of_the_table(
    make_tree: Callable[..., Any], plugins_with: Callable[..., Plugins]
) -> None:
    class Own(ImageDataset):
        def __getitem__(self, index: int) -> dict[str, Any]:
            return super().__getitem__(index)

    trees = [make_tree(name, dict.fromkeys(range(4), 4), {9: 4}, cameras=2) for name in "ab"]
    made = [Own(*from_folders(tree), verbose=False) for tree in trees]
    data = manager(plugins_with(a=lambda root: made[0], b=lambda root: made[1]), ["a", "b"])
    for split, loader in data.validation_loader["validation"].items():
        table = data.validation_dataset["validation"][split]
        assert torch.cat([batch["pid"] for batch in loader]).tolist() == table.pids.tolist()


def test_who_is_learnt_from_under_combineall_may_be_held_out(shops: Plugins) -> None:
    data = manager(shops, "first", combineall=True, validation_share=0.5)
    assert data.num_train_pids == 5


def test_tracklets_are_held_out_too(
    make_tracklets: Callable[..., Splits], plugins_with: Callable[..., Plugins]
) -> None:
    walks = make_tracklets("walks", train={7: [3, 3], 8: [3, 3], 9: [3, 3]}, test={1: [3, 3]})
    data = VideoDataManager(
        plugins=plugins_with(walks=lambda root: walks),
        sources="walks",
        height=8,
        width=4,
        batch_size=2,
        workers=0,
        seq_len=2,
        validation_share=0.3,
    )
    assert data.num_train_pids == 2
    loaders = data.validation_loader["validation"]
    batches = {split: next(iter(loader)) for split, loader in loaders.items()}
    assert batches["query"]["img"].shape == (1, 2, 3, 8, 4)
    assert batches["query"]["pid"].tolist() == batches["gallery"]["pid"].tolist()
    assert batches["query"]["camid"].tolist() != batches["gallery"]["camid"].tolist()


def test_a_test_holds_nobody_out(shops: Plugins) -> None:
    data = manager(shops, "first", test_only=True)
    assert (data.num_train_pids, data.validation_loader) == (8, {})


def test_a_target_of_that_name_is_refused(shops: Plugins) -> None:
    with pytest.raises(ConfigError, match="a target is called 'validation'"):
        manager(shops, "first", targets="validation")
    assert manager(shops, "first", targets="validation", validation_share=0.0).test_loader
