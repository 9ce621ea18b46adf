"""A configuration, the command line and Python agree on what a dataset takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reidcore.config import load_config
from reidcore.data import ImageDataManager, init_image_dataset
from reidcore.data.sample import Splits
from reidcore.engine.build import build_datamanager
from reidcore.errors import UserError
from reidcore.plugins import Plugins

SPLITS = Splits([("a.jpg", 5, 0), ("b.jpg", 3, 0)], [("q.jpg", 1, 0)], [("g.jpg", 1, 1)])


class Mine:
    """A dataset whose parameters bear the names of things that the core decides."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def __call__(self, root: str, mode: str = "own", split_id: int = 0, workers: int = 1) -> Splits:
        self.calls.append({"mode": mode, "split_id": split_id, "workers": workers})
        return SPLITS


@pytest.fixture
def mine() -> Mine:
    return Mine()


@pytest.fixture
def plugins(plugins_with: Callable[..., Plugins], mine: Mine) -> Plugins:
    return plugins_with(mine=mine)


Asker = Callable[[dict[str, Any], int], None]


@pytest.fixture(params=["yaml", "command line", "section", "keyword"])
def ask(request: pytest.FixtureRequest, plugins: Plugins) -> Asker:
    """Return a function that makes the dataset with options of its own, and of a split."""

    def from_config(source: dict[str, Any], overrides: list[str]) -> None:
        base = {"sources": ["mine"], "targets": ["mine"], "workers": 0}
        source = {**source, "data": {**base, **source.get("data", {})}, "use_gpu": False}
        source |= {"model": {"name": "osnet_x0_25"}, "train": {"batch_size": 1}}
        build_datamanager(load_config(source, overrides, plugins=plugins), plugins)

    def make(own: dict[str, Any], split_id: int) -> None:
        by_hand: dict[str, Any] = {"sources": "mine", "batch_size": 1, "plugins": plugins}
        by_hand |= {"split_id": split_id, "workers": 0}
        match request.param:
            case "yaml":
                from_config({"mine": own, "data": {"split_id": split_id}}, [])
            case "command line":
                words = [f"mine.{key}={value}" for key, value in own.items()]
                from_config({}, [*words, f"data.split_id={split_id}"])
            case "section":
                ImageDataManager(sections={"mine": own}, **by_hand)
            case "keyword":
                ImageDataManager(mine=own, **by_hand)

    return make


def test_an_option_reaches_the_dataset_and_the_split_is_the_runs(ask: Asker, mine: Mine) -> None:
    ask({"workers": 7}, 2)
    assert mine.calls == [{"mode": "own", "split_id": 2, "workers": 7}]


@pytest.mark.parametrize("own", [{"mode": "query"}, {"split_id": 1}, {"wrokers": 1}])
def test_what_is_no_option_is_refused_before_anything_is_read(
    ask: Asker, mine: Mine, own: dict[str, Any]
) -> None:
    with pytest.raises(UserError, match=rf"{next(iter(own))}"):
        ask(own, 0)
    assert mine.calls == []


def test_a_value_of_another_type_is_refused_in_the_same_words(ask: Asker, mine: Mine) -> None:
    with pytest.raises(UserError, match=r"workers: expected a whole number, not 'many'"):
        ask({"workers": "many"}, 0)
    assert mine.calls == []


def test_a_dataset_by_its_name_takes_the_same(mine: Mine, plugins: Plugins) -> None:
    init_image_dataset("mine", split_id=2, workers=7, mode="train", plugins=plugins)
    assert mine.calls == [{"mode": "own", "split_id": 2, "workers": 7}]
    with pytest.raises(UserError, match=r"workers: expected a whole number, not 'many'"):
        init_image_dataset("mine", workers="many", plugins=plugins)
