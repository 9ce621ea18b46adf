from __future__ import annotations

from typing import Any

import pytest
import torch

from reidcore.data.images.decode import UnreadableImageError
from reidcore.data.loader.collate import Failure, Skipped, collate
from reidcore.errors import DataError


def _item(value: float, **more: Any) -> dict[str, Any]:
    labels = {"pid": int(value), "camid": 1, "impath": f"{value}.jpg", "dsetid": 0}
    return {"img": torch.full((3, 2, 1), value)} | labels | more


def test_items_become_torchreids_batch() -> None:
    batch = collate([_item(1), _item(2)])
    assert isinstance(batch, dict)
    assert list(batch) == ["img", "pid", "camid", "dsetid", "impath"]
    assert batch["img"].shape == (2, 3, 2, 1)
    assert batch["pid"].dtype == torch.int64
    assert batch["pid"].tolist() == [1, 2]
    assert batch["impath"] == ["1.jpg", "2.jpg"]


def test_several_views_of_an_image_become_several_batches() -> None:
    items = [_item(1) | {"img": [torch.zeros(3, 2, 1), torch.ones(3, 2, 1)]}] * 4
    batch = collate(items)
    assert isinstance(batch, dict)
    assert [tuple(view.shape) for view in batch["img"]] == [(4, 3, 2, 1)] * 2


def test_what_was_left_out_is_listed() -> None:
    batch = collate([_item(1), Skipped("x.jpg", "truncated"), _item(2)])
    assert isinstance(batch, dict)
    assert batch["pid"].tolist() == [1, 2]
    assert batch["skipped"] == [("x.jpg", "truncated")]
    assert collate([Skipped("x.jpg", "truncated")]) == {"skipped": [("x.jpg", "truncated")]}


def test_a_failure_outweighs_the_batch_and_keeps_its_type_and_words() -> None:
    error = UnreadableImageError("x.jpg", "truncated")
    outcome = collate([_item(1), Failure.of(error), Skipped("y.jpg", "gone")])
    assert isinstance(outcome, Failure)
    assert type(outcome.error()) is DataError
    assert str(outcome.error()) == str(error)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (_item(2, mask=1), "different keys"),
        (_item(2) | {"img": torch.zeros(3, 4, 1)}, "differ in shape"),
    ],
)
def test_items_that_do_not_go_together_are_a_failure(other: dict[str, Any], words: str) -> None:
    outcome = collate([_item(1), other])
    assert isinstance(outcome, Failure)
    assert words in str(outcome.error())
