"""The options of PML's classes, and parts that are written by name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pytorch_metric_learning.miners import DistanceWeightedMiner
from pytorch_metric_learning.regularizers import SparseCentersRegularizer
from reid_plugins_metric_learning.library import offered
from reid_plugins_metric_learning.options import PART_KINDS, Part, construct, options_of

from reidcore.errors import ConfigError, UnknownNameError, UnknownOptionError, UserError
from reidcore.registry import choose

NEEDED: dict[str, dict[str, Any]] = {
    "RankedListLoss": {"margin": 0.4, "Tn": 1.0},
    "SparseCentersRegularizer": {"centers_per_class": 2},
    "ThresholdReducer": {"low": 0.0},
}
CLASSES = [(kind, name) for kind in ("losses", *PART_KINDS.values()) for name in offered(kind)]


@pytest.mark.parametrize(("kind", "name"), sorted(set(CLASSES)))
def test_each_option_may_be_given(kind: str, name: str) -> None:
    """PML's classes fill some parameters of their bases, and a second value is a TypeError."""
    made = offered(kind)[name]
    options = {each.name: each.default for each in options_of(made)} | NEEDED.get(name, {})
    assert inspect.Parameter.empty not in options.values()
    built = construct(made, options, num_classes=3, feature_dim=4)
    assert type(built).__name__ == name


def test_what_the_run_knows_is_no_option() -> None:
    known = {"num_classes", "embedding_size", "descriptors_dim", "collect_stats"}
    for kind, name in CLASSES:
        assert not known & {each.name for each in options_of(offered(kind)[name])}, name


def test_a_part_is_a_name_or_a_name_with_options() -> None:
    written = {"DistanceWeightedMiner": {"cutoff": 0.25, "distance": {"LpDistance": {"p": 2}}}}
    miner = Part.read("miners", written).build()
    assert type(miner) is DistanceWeightedMiner
    assert miner.cutoff == 0.25
    assert Part.read("distances", "LpDistance") == Part("distances", "LpDistance", {})
    assert Part.read("distances", {"LpDistance": None}).build().p == 2
    assert Part.read("distances", {"LpDistance": {"p": 1}}).build().p == 1


def test_a_part_is_given_what_the_run_knows() -> None:
    part = Part.read("regularizers", {"SparseCentersRegularizer": {"centers_per_class": 5}})
    regularizer = part.build(num_classes=7, feature_dim=4)
    assert type(regularizer) is SparseCentersRegularizer
    assert regularizer.same_class_mask.shape == (7 * 5, 7 * 5)


@pytest.mark.parametrize(
    ("kind", "written", "error", "message"),
    [
        ("miners", 3, ConfigError, "3 is no miner"),
        ("miners", {}, ConfigError, "is no miner"),
        ("miners", {"HDCMiner": {}, "AngularMiner": {}}, ConfigError, "is no miner"),
        ("miners", {"HDCMiner": [1]}, ConfigError, r"options of HDCMiner are \[1\]"),
        ("miners", {"HDCMiner": {"share": 1}}, UnknownOptionError, "no option 'share'"),
        ("distances", {"LpDistance": {"p": "a"}}, ConfigError, "cannot take p: expected a"),
        ("distances", "Euclid", UnknownNameError, "no distance named 'Euclid'"),
        ("reducers", "DoNothingReducer", UserError, "no scalar"),
        (
            "miners",
            {"TripletMarginMiner": {"type_of_triplets": "hart"}},
            ConfigError,
            "expected 'all', 'easy', 'hard' or 'semihard', not 'hart'",
        ),
        (
            "miners",
            {"AngularMiner": {"distance": {"LpDistance": {"pover": 2}}}},
            ConfigError,
            "cannot take distance.*Did you mean 'power'",
        ),
    ],
)
def test_what_is_written_wrong_is_told(
    kind: str, written: Any, error: type[UserError], message: str
) -> None:
    with pytest.raises(error, match=message):
        Part.read(kind, written)


@pytest.mark.parametrize(
    ("name", "option"),
    [("SmoothAPLoss", "temperature"), ("ArcFaceLoss", "scale"), ("NCALoss", "softmax_scale")],
)
@pytest.mark.parametrize("value", [0, -1.0])
def test_scales_that_turn_a_loss_around_are_refused(name: str, option: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{option}: expected more than 0"):
        choose("losses", f"pml/{name}", {option: value}).make(num_classes=4, feature_dim=8)


@pytest.mark.parametrize(
    ("name", "option", "value", "expected"),
    [
        ("ArcFaceLoss", "margin", 700, "less than 180"),
        ("SubCenterArcFaceLoss", "margin", -1, "at least 0"),
        ("TupletMarginLoss", "margin", 180, "less than 180"),
        ("AngularLoss", "alpha", 120, "less than 90"),
        ("CosFaceLoss", "margin", 3, "at most 2"),
        ("CircleLoss", "m", 100, "at most 1"),
        ("MultiSimilarityLoss", "beta", -50, "more than 0"),
        ("MarginLoss", "nu", -1, "at least 0"),
    ],
)
def test_values_beyond_their_unit_are_refused(
    name: str, option: str, value: float, expected: str
) -> None:
    with pytest.raises(ConfigError, match=rf"cannot take {option}: expected .*{expected}"):
        choose("losses", f"pml/{name}", {option: value})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CircleLoss", {"m": 1, "gamma": 1e5}),
        ("ContrastiveLoss", {"pos_margin": 9, "neg_margin": 0}),
        ("TripletMarginLoss", {"margin": -9}),
    ],
)
def test_options_that_leave_nothing_to_learn_are_refused(
    name: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=f"pml/{name}.*it is .*, and nothing would be learnt"):
        choose("losses", f"pml/{name}", options).make(num_classes=4, feature_dim=8)


def test_a_miner_that_chooses_nothing_of_random_features_is_no_fault() -> None:
    options = {"miner": "PairMarginMiner"}
    choose("losses", "pml/TripletMarginLoss", options).make(num_classes=4, feature_dim=8)
