"""A checkpoint's values stand between what was written for a run and what was not."""

from __future__ import annotations

from typing import Any

import pytest

from reidcore.config import Draft, check_config, read_config
from reidcore.config.recorded import RecordedValues
from reidcore.errors import CheckpointError

RECORDED = {
    "model": {"name": "osnet_x0_5", "head": {"pool": "gem", "gem_p": 4.0, "neck": None}},
    "train": {"lr": 0.01, "max_epoch": 5},
    "loss": {"name": "softmax", "terms": {"softmax": 1.0, "triplet": 0.5}},
}


def merged(*overrides: str, values: dict[str, Any] = RECORDED, **options: Any) -> Draft:
    draft = read_config("quickstart", overrides)
    return RecordedValues("a.pth", values, **options).under(draft)


def test_it_goes_before_recipes_and_after_what_was_written() -> None:
    config = merged("train.max_epoch=7").config
    assert config.model.name == "osnet_x0_5"
    assert (config.train.lr, config.train.max_epoch) == (0.01, 7)
    assert config.origin("train.lr").text == "checkpoint a.pth"
    assert (config.data.height, config.train.batch_size) == (
        read_config("quickstart").config.data.height,
        read_config("quickstart").config.train.batch_size,
    )


def test_or_before_defaults_alone() -> None:
    recorded = {"data": {"height": 999, "norm_mean": [0.5]}}
    config = merged(values=recorded, are_over_recipes=False).config
    assert config.data.height == read_config("quickstart").config.data.height
    assert config.data.norm_mean == [0.5]


@pytest.mark.parametrize(
    ("override", "terms"),
    [
        ("loss.name=triplet", None),
        ("loss.terms.triplet=2", {"softmax": 1.0, "triplet": 2.0}),
        ("train.lr=1", {"softmax": 1.0, "triplet": 0.5}),
    ],
)
def test_a_loss_is_one_run_s_or_the_others(override: str, terms: dict[str, float] | None) -> None:
    assert merged(override).config.loss.terms == terms


def test_terms_in_a_file_replace_the_recorded_ones() -> None:
    draft = read_config({"loss": {"terms": {"softmax": 3.0}}})
    config = RecordedValues("a.pth", RECORDED).under(draft).config
    assert config.loss.terms == {"softmax": 3.0}


def test_options_go_with_what_they_are_options_of() -> None:
    head = check_config(merged("model.head.pool=avg")).model.head
    assert (head.pool, head.model_extra) == ("avg", {})
    assert merged("model.name=osnet_x0_25").config.model.head.pool is None
    draft = read_config({"model": {"name": "osnet_x1_0"}})
    recorded = {"model": {"name": "osnet_x1_0", "feature_dim": 64}}
    assert RecordedValues("a.pth", recorded).under(draft).config.model.feature_dim == 64


def test_each_difference_is_told_once() -> None:
    draft = read_config("quickstart", ["train.max_epoch=7", "data.save_dir=x"])
    recorded = RecordedValues("a.pth", {**RECORDED, "data": {"save_dir": "log", "k_tfm": 1}})
    config = check_config(recorded.under(draft))
    told = [str(each) for each in recorded.differences(draft, config)]
    assert "train.max_epoch is 7 (override 'train.max_epoch=7'), in the checkpoint 5" in told
    assert "train.lr is 0.01, as in the checkpoint" in told
    assert "model.name is 'osnet_x0_5', as in the checkpoint" in told
    assert not [line for line in told if "save_dir" in line or "k_tfm" in line]


def test_another_model_head_or_source_is_refused() -> None:
    draft = read_config(None, ["model.head.neck=bnneck", "train.lr=0.5"])
    recorded = RecordedValues("a.pth", RECORDED)
    differences = list(recorded.differences(draft, check_config(recorded.under(draft))))
    with pytest.raises(CheckpointError, match=r"model\.head\.neck is 'bnneck'") as caught:
        recorded.refuse_another_meaning(differences)
    assert "train.lr" not in str(caught.value)
