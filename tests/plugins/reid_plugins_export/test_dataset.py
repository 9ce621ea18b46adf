"""Which dataset is read, and with which options."""

from __future__ import annotations

import pytest
from reid_plugins_export.dataset import DatasetChoice, first_target

from reidcore.data import Sample, Splits
from reidcore.errors import UserError

WRITTEN = {"data": {"root": "usual", "datasets": {"mine": {"shop": {"root": "b", "part": 2}}}}}


@pytest.fixture
def plugins(plugins_with):
    """Plugins with the dataset ``shop``, whose one query is called as it was opened."""

    def shop(root: str, *, part: int = 1, note: str = ""):
        one = [Sample(f"{root}/{part}{note}.jpg", 0, 0)]
        return Splits(one, one, one)

    return plugins_with(shop=shop)


@pytest.mark.parametrize(
    ("choice", "config", "query"),
    [
        (DatasetChoice("shop"), {}, "reid-data/1.jpg"),
        (DatasetChoice("shop"), {"data": {"root": "usual"}, "shop": {"part": 3}}, "usual/3.jpg"),
        (DatasetChoice("shop", "own", {"part": 4}), {"shop": {"part": 3}}, "own/4.jpg"),
        (DatasetChoice("mine"), WRITTEN, "usual/b/2.jpg"),
        (DatasetChoice("mine", "own", {"note": "x"}), WRITTEN, "own/b/2x.jpg"),
        (DatasetChoice("mine", None, {"part": 5}), WRITTEN, "usual/b/5.jpg"),
    ],
)
def test_what_is_asked_goes_before_what_the_run_had(choice, config, query, plugins) -> None:
    assert list(choice.read(config, plugins).query.paths.files()) == [query]


def test_an_option_that_the_dataset_has_not_is_refused(plugins) -> None:
    for name in ("shop", "mine"):
        with pytest.raises(UserError, match="no option 'parts'"):
            DatasetChoice(name, None, {"parts": 1}).read(WRITTEN, plugins)


def test_the_first_target_is_taken_and_else_the_first_source() -> None:
    assert first_target({"data": {"targets": ["a", "b"], "sources": ["c"]}}) == "a"
    assert first_target({"data": {"targets": [], "sources": ["c"]}}) == "c"
    with pytest.raises(UserError, match="no dataset is named"):
        first_target({})
