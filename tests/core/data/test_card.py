from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from reidcore.data.by_name import open_datasets
from reidcore.data.card import DatasetCard, OfficialCount, described_by, differences
from reidcore.data.sample import Splits
from reidcore.data.table import SampleTable
from reidcore.plugins import Plugins
from reidcore.registry import Chooser

CARD = DatasetCard(
    title="Shop",
    folder="shop",
    layout="",
    paper="",
    source="",
    licence="",
    protocol="",
    counts=(
        OfficialCount("train", 2, 1_200, 1),
        OfficialCount("query", 1, 1, None, when={"labeled": False}),
        OfficialCount("query", 1, 7, None, when={"labeled": True}),
        OfficialCount("gallery", None, None),
    ),
)

SPLITS = Splits(
    [("1.jpg", 4, 0), ("2.jpg", 4, 1), ("3.jpg", 5, 1)], [("4.jpg", 9, 0)], [("5.jpg", 9, 1)]
)


@described_by(CARD)
def shop(root: Path, *, labeled: bool = False) -> Splits:
    return SPLITS


def told(**options: object) -> list[str]:
    tables = [SampleTable.of(split) for split in SPLITS]
    return [str(difference) for difference in differences(shop, tables, options)]


def test_what_differs_is_named_with_both_numbers() -> None:
    assert told() == ["train has 3 images (1,200)", "train has 2 cameras (1)"]


def test_counts_of_other_options_do_not_matter() -> None:
    assert told(labeled=True)[2:] == ["query has 1 image (7)"]


def test_a_dataset_without_a_card_has_no_official_counts() -> None:
    assert differences(lambda root: SPLITS, [], {}) == []


def test_it_is_told_in_one_line(
    plugins_with: Callable[..., Plugins], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "reidcore"):
        open_datasets(["shop"], "", Chooser(plugins_with(shop=shop)))
    assert [record.getMessage() for record in caplog.records] == [
        "shop is not as its authors published it: train has 3 images (1,200), "
        "train has 2 cameras (1)"
    ]
