"""PML's losses as the registry makes them: every one takes steps, and what does not fit is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_engines.losses import BranchWeighted
from reid_plugins_metric_learning.criterion import Memory, MetricLoss
from reid_plugins_metric_learning.names import members
from torch import Tensor

from reidcore.config import load_config
from reidcore.errors import ConfigError, UnknownOptionError, UserError
from reidcore.models import Outputs
from reidcore.registry import choose
from reidcore.testing import TinyWorld, conformance, make_plugins

PIDS = torch.arange(8) // 2
NEEDED = {"RankedListLoss": {"margin": 0.4, "Tn": 1}}
LEARNING = {
    "ArcFaceLoss",
    "CosFaceLoss",
    "LargeMarginSoftmaxLoss",
    "NormalizedSoftmaxLoss",
    "P2SGradLoss",
    "ProxyAnchorLoss",
    "ProxyNCALoss",
    "SoftTripleLoss",
    "SphereFaceLoss",
    "SubCenterArcFaceLoss",
}


def made(name: str, **options: Any) -> MetricLoss:
    component = choose("losses", f"pml/{name}", NEEDED.get(name, {}) | options)
    criterion = component.make(num_classes=4, feature_dim=16)
    if "memory_size" in options:
        assert isinstance(criterion, BranchWeighted)
        criterion = criterion.criterion
    assert isinstance(criterion, MetricLoss)
    return criterion


def features(seed: int = 0) -> Tensor:
    return torch.randn(8, 16, generator=torch.Generator().manual_seed(seed)).requires_grad_()


@pytest.mark.parametrize("name", members())
def test_it_takes_two_steps(name: str) -> None:
    criterion = made(name)
    learnt = list(criterion.parameters())
    assert bool(learnt) == (name in LEARNING)
    # What is learnt needs no pairs in a batch, and the others learn nothing without them.
    assert criterion.needs_positives == criterion.needs_negatives == (name not in LEARNING)
    assert criterion.takes == "features"
    assert criterion.across_ranks
    for seed in range(2):
        given = features(seed)
        value = criterion(given, PIDS)
        assert value.shape == ()
        value.backward()
        assert given.grad is not None
        assert given.grad.isfinite().all()
        assert given.grad.abs().sum() > 0
        assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in learnt)


@pytest.mark.parametrize("name", ["MultiSimilarityLoss", "NCALoss", "SmoothAPLoss", "ArcFaceLoss"])
def test_it_keeps_the_contracts_of_losses(name: str) -> None:
    class Checks(conformance.LossConformance):
        pass

    Checks.name = f"pml/{name}"
    checks = Checks()
    for check in (each for each in dir(Checks) if each.startswith("test_")):
        getattr(checks, check)()


def test_to_make_a_loss_draws_nothing() -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    made("TripletMarginLoss", miner="DistanceWeightedMiner", triplets_per_anchor=2)
    assert torch.equal(torch.rand(3), expected)


def test_a_memory_and_weights_are_as_large_as_the_run_says() -> None:
    memory = made("SupConLoss", memory_size=100).loss
    assert isinstance(memory, Memory)
    assert memory.embedding_memory.shape == (100, 16)
    assert made("SoftTripleLoss", centers_per_class=3).loss.fc.shape == (16, 4 * 3)


def test_branches_are_weighed_and_a_memory_holds_one() -> None:
    branches = tuple(features(seed) for seed in range(3))
    outputs, batch = Outputs([], branches), {"pid": PIDS}
    make = choose("losses", "pml/SupConLoss", {"branch_weights": [1, 0, 0.5]}).make
    expected = made("SupConLoss")(branches[0], PIDS) + 0.5 * made("SupConLoss")(branches[2], PIDS)
    assert make(num_classes=4, feature_dim=16)(outputs, batch).item() == expected.item()
    options = {"memory_size": 8, "branch_weights": [0, 1, 0]}
    one = choose("losses", "pml/SupConLoss", options).make(num_classes=4, feature_dim=16)
    one(outputs, batch)
    assert torch.equal(one.criterion.loss.embedding_memory, branches[1])
    assert made("ArcFaceLoss", embedding_size=5).loss.W.shape == (5, 4)
    bare = choose("losses", "pml/SupConLoss", {"memory_size": 8}).make(
        num_classes=4, feature_dim=16
    )
    with pytest.raises(
        UserError, match=r"pml/SupConLoss\.branch_weights has 1 weight.* 3 branches"
    ):
        bare(outputs, batch)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "ArcFaceLoss",
            {"distance": "LpDistance"},
            r"loss\.pml/ArcFaceLoss\.distance: .*'LpDistance'.* that fit: CosineSimilarity\.$",
        ),
        ("HistogramLoss", {"distance": "LpDistance"}, "fit: CosineSimilarity, DotProductSimil"),
        ("RankedListLoss", {"miner": "HDCMiner"}, r"\.miner: .*Leave miner out\.$"),
        ("PNPLoss", {"miner": "HDCMiner"}, r"\.miner: .*Leave miner out\.$"),
        (
            "TripletMarginLoss",
            {"miner": {"DistanceWeightedMiner": {"distance": "CosineSimilarity"}}},
            r"requires the distance metric to be LpDistance\. DistanceWeightedMiner fits by its",
        ),
        (
            "TripletMarginLoss",
            {"reducer": "PerAnchorReducer"},
            "the reducer 'PerAnchorReducer': Triplet reduction not supported. Those that fit: Avg",
        ),
        (
            "TripletMarginLoss",
            {"reducer": "ThresholdReducer"},
            "At least one of low or high must be specified",
        ),
        (
            "SoftTripleLoss",
            {"distance": "LpDistance"},
            r"AssertionError \(assert self\.distance\.is_inverted\)",
        ),
        (
            "MultiSimilarityLoss",
            {"alpha": 1e300},
            "refuses the options: on random features it is nan",
        ),
        ("ProxyAnchorLoss", {"memory_size": 8}, r"memory_size: .*choose one of .*, TripletMargin"),
        ("NCALoss", {"memory_size": 8}, r"memory_size: .*does not serve this loss"),
        ("SupConLoss", {"memory_size": 8, "across_ranks": False}, "across_ranks is false"),
        (
            "SupConLoss",
            {"memory_size": 8, "branch_weights": [1, 0, 0.5]},
            "a memory holds the features of one",
        ),
        ("SupConLoss", {"memory_size": 0}, "memory_size: expected at least 1"),
        ("DynamicSoftMarginLoss", {"across_ranks": False}, "of which a checkpoint keeps one"),
        ("TripletMarginLoss", {"triplets_per_anchor": "none"}, "triplets_per_anchor: expected"),
    ],
)
def test_what_does_not_fit_is_told(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(name, **options)


def test_an_option_that_there_is_not_is_told_with_near_ones() -> None:
    with pytest.raises(UnknownOptionError, match=r"no option 'alfa'. Did you mean 'alpha'"):
        made("MultiSimilarityLoss", alfa=2)


@pytest.mark.parametrize(
    ("name", "options"), [("ArcFaceLoss", {}), ("SupConLoss", {"memory_size": 9})]
)
def test_a_model_must_say_how_many_features_it_gives(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="how many features"):
        choose("losses", f"pml/{name}", options).make(num_classes=4, feature_dim=None)


def configured(tmp_path: Path, text: str) -> Any:
    (tmp_path / "run.yaml").write_text(f"data: {{sources: [tiny], targets: [tiny]}}\n{text}")
    return load_config(tmp_path / "run.yaml", plugins=make_plugins(TinyWorld()))


def test_a_configuration_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    text = (
        "loss:\n  terms: {pml/TripletMarginLoss: 1.0}\n  pml/TripletMarginLoss:\n"
        "    miner: {TripletMarginMiner: {margn: 0.1}}\n    margin: a\n    memory: 3\n"
    )
    with pytest.raises(ConfigError) as error:
        configured(tmp_path, text)
    told = str(error.value)
    assert "loss.pml/TripletMarginLoss.miner" in told
    assert "no option 'margn'. Did you mean 'margin'?" in told
    assert "loss.pml/TripletMarginLoss.margin: expected" in told
    assert "loss.pml/TripletMarginLoss.memory: unknown key" in told
    with pytest.raises(UserError, match=r"loss\.terms: .*'TripletLoss'.*'TripletMarginLoss'"):
        configured(tmp_path, "loss: {terms: {pml/TripletLoss: 1.0}}\n")
