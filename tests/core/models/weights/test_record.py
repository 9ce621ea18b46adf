"""A doctored record is refused by its file, its field and its value, whatever reads it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from reidcore.config import load_config
from reidcore.errors import CheckpointError
from reidcore.inference import FeatureExtractor
from reidcore.inference.checkpoint_metadata import read_metadata
from reidcore.models import export_weights, load_pretrained_weights
from reidcore.models.weights.record import record_of

MODEL = {"name": "osnet_x0_25", "num_classes": 4, "head": {}, "image_size": [64, 32]}


def cyclic() -> dict[str, Any]:
    nested: dict[str, Any] = {"name": "osnet_x0_25"}
    nested["options"] = nested
    return nested


def shared() -> list[Any]:
    """A billion values of a hundred, each list holding one other ten times."""
    laughs: list[Any] = ["ha"] * 10
    for _ in range(9):
        laughs = [laughs] * 10
    return laughs


DOCTORED = [
    ({"preprocessing": {"height": 10**9}}, "preprocessing.height is 1000000000"),
    ({"preprocessing": {"height": -1}}, "preprocessing.height is -1"),
    ({"preprocessing": {"width": "64"}}, "preprocessing.width is '64'"),
    ({"preprocessing": {"norm_std": [0.2, 0.0, 0.2]}}, r"preprocessing.norm_std\[1\] is 0.0"),
    ({"preprocessing": {"norm_mean": [float("nan")] * 3}}, r"norm_mean\[0\] is nan"),
    ({"preprocessing": {"letterbox": [1, 2]}}, r"preprocessing.letterbox is \[1, 2\]"),
    ({"preprocessing": {"letterbox": [1, 2, 900]}}, r"preprocessing.letterbox\[2\] is 900"),
    ({"preprocessing": {"resize": "mine"}}, "preprocessing.resize is 'mine'"),
    ({"preprocessing": {"reading": "mine"}}, "preprocessing.reading is 'mine'"),
    ({"preprocessing": {"value_range": [9, 1]}}, r"preprocessing.value_range is \[9, 1\]"),
    ({"preprocessing": {"value_range": "all"}}, r"preprocessing.value_range"),
    ({"preprocessing": {"x": torch.ones(2)}}, r"preprocessing.x is a tensor \(2,\)"),
    ({"model": {**MODEL, "name": 5}}, "model.name is 5"),
    ({"model": {**MODEL, "head": {"embedding": 10**10}}}, "model.head.embedding is 10000000000"),
    ({"model": {**MODEL, "head": {"neck": "x"}}}, "model.head.neck is 'x'"),
    (
        {"model": {**MODEL, "options": {"feature_dim": 10**10}}},
        "model.options.feature_dim is 10000000000",
    ),
    ({"model": {**MODEL, "options": ["a"]}}, r"model.options is \['a'\]"),
    ({"model": {**MODEL, "image_size": [10**6, 64]}}, r"model.image_size\[0\] is 1000000"),
    ({"model": {**MODEL, "num_cameras": -2}}, "model.num_cameras is -2"),
    ({"model": cyclic()}, "model.options is .*sections at most 32 deep"),
    ({"test": {"dist_metric": 5}}, "test.dist_metric is 5"),
    ({"test": {"normalize_feature": "yes"}}, "test.normalize_feature is 'yes'"),
    ({"test": {"more": shared()}}, "test.more is .*at most 1,000,000 values"),
    ({"config": "all"}, "config is 'all'"),
    ({"config": {"model": ["osnet"]}}, r"config.model is \['osnet'\]"),
    (
        {"config": {"model": {"head": {"embedding": 10**10}}}},
        "config.model.head.embedding is 10000000000",
    ),
    (
        {"config": {"model": {"depths": [1, 10**5000]}}},
        r"config.model.depths\[1\] is a number of some 5,000 digits, expected a number of at most",
    ),
    ({"config": {"data": {"height": 10**5000}}}, "data.height is a number of some 5,000 digits"),
    (
        {"config": {"a": {"b": [{"c": 1 + 1j}]}}},
        r"config.a.b\[0\].c is \(1\+1j\), expected a plain",
    ),
    ({"step": 10**5000}, "step is a number of some 5,000 digits"),
    ({"skipped": ["a.jpg"] * 10**6}, r"skipped is \['a.jpg', .*\(1,000,000 items\)"),
    ({"config": {"data": {"height": 10**9}}}, "config.data.height is 1000000000"),
    ({"config": {"data": {"targets": 5}}}, r"config.data.targets.* is 5"),
    ({"config": {"test": {"ranks": ["one"]}}}, r"config.test.ranks\[0\] is 'one'"),
    ({"config": {"train": {"lr": "fast"}}}, "config.train.lr is 'fast'"),
    ({"config": {"plugins": [5]}}, r"config.plugins\[0\] is 5"),
    ({"config": {"folder": {7.5: "x"}}}, "config.folder is .*whose keys are text"),
    ({"version": 5}, "version is 5"),
    ({"step": "3"}, "step is '3'"),
    ({"hooks": {"mine": 3}}, "hooks.mine is 3"),
    ({"history": [{"rank1": 0.5}]}, r"history\[0\].epoch is missing"),
    ({"history": [{"epoch": 1, "rank1": "best"}]}, r"history\[0\].rank1 is 'best'"),
    ({"meters": {"figures": {}}}, "meters.batch_seconds is missing"),
    ({"skipped": ["a.jpg"]}, r"skipped is \['a.jpg'\]"),
    ("foreign", "it is 'foreign'"),
]


@pytest.mark.parametrize(("record", "told"), DOCTORED, ids=range(len(DOCTORED)))
def test_a_doctored_record_is_refused_by_field_and_value(record, told, tmp_path):
    path = tmp_path / "doctored.pth"
    torch.save({"state_dict": nn.Linear(2, 2).state_dict(), "reidcore": record}, path)
    with pytest.raises(CheckpointError, match=rf"doctored\.pth.*{told}") as refused:
        read_metadata(path)
    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize(
    "use",
    [
        lambda path: load_pretrained_weights(nn.Linear(2, 2), path),
        lambda path: export_weights(path, path.with_suffix(".safetensors")),
        lambda path: FeatureExtractor(model_path=path, device="cpu"),
    ],
)
def test_whoever_reads_a_record_reads_it_through_the_schema(use, tmp_path):
    record = {"model": {**MODEL, "head": {"embedding": 10**10}}}
    torch.save({"state_dict": nn.Linear(2, 2).state_dict(), "reidcore": record}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth.*model\.head"):
        use(tmp_path / "a.pth")


def test_a_record_in_safetensors_is_read_through_the_schema(tmp_path):
    from reidcore.models import save_weights

    save_weights(nn.Linear(2, 2), tmp_path / "a.safetensors", {"test": {"dist_metric": [1]}})
    with pytest.raises(CheckpointError, match=r"a\.safetensors.*test\.dist_metric is \[1\]"):
        read_metadata(tmp_path / "a.safetensors")


def test_the_record_of_a_run_is_taken_whole():
    config = load_config(None, ["loss.name=triplet", "data.targets=cuhk03"]).model_dump(mode="json")
    config["train"]["of_another_version"] = 5
    record = {
        "version": "9.0",
        "epoch": 3,
        "config": config,
        "model": {**MODEL, "of_another_version": {"a": [1, None]}},
        "history": [{"epoch": 1, "loss": float("nan"), "rank1": None}],
    }
    assert record_of({"reidcore": record}, "a.pth") == record
