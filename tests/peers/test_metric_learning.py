"""Losses of pytorch-metric-learning are losses here, and its figures are ours."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.evaluation import AnyCamera, FeatureDistances, Labels, evaluate
from reidcore.registry import choose
from reidcore.testing import tiny_run


class Margin:
    """A plugin that registers a loss of theirs."""

    @hookimpl
    def reid_register_losses(self, registry) -> None:
        registry.add("margin", margin)


def margin(num_classes: int, margin: float = 0.1) -> torch.nn.Module:
    from pytorch_metric_learning.losses import TripletMarginLoss

    return TripletMarginLoss(margin=margin)


def test_a_loss_of_theirs_is_a_loss_term(metric_learning, tmp_path) -> None:
    terms = "loss.terms={softmax: 1.0, margin: 0.5}"
    run = tiny_run(Margin(), save_dir=tmp_path, overrides=[terms])
    assert run.result["targets"]["tiny"]["mAP"] > 0


def test_precision_at_1_is_theirs(metric_learning) -> None:
    for name in ("faiss", "sklearn"):
        pytest.importorskip(name)
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    generator = torch.Generator().manual_seed(5)
    query, gallery = (torch.randn(n, 16, generator=generator) for n in (20, 80))
    pids = [torch.randint(0, 5, (n,), generator=generator) for n in (20, 80)]
    theirs = AccuracyCalculator(include=("precision_at_1",)).get_accuracy(
        query, pids[0], gallery, pids[1]
    )
    cameras = [torch.zeros(n, dtype=torch.int64) for n in (20, 80)]
    labels = Labels(*(each.numpy() for each in (*pids, *cameras)))
    own = evaluate(FeatureDistances(query, gallery, "euclidean"), labels, protocol=AnyCamera())
    assert own.cmc[0] == pytest.approx(theirs["precision_at_1"])


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Return features of 5 identities with 4 images each, and the identities."""
    draw = torch.Generator().manual_seed(2)
    middles = torch.randn(5, 8, generator=draw).repeat_interleave(4, dim=0)
    return middles + torch.randn(20, 8, generator=draw), torch.arange(5).repeat_interleave(4)


# Ours with its options, and theirs with its arguments.
PAIRS: list[tuple[str, dict[str, Any], str, dict[str, float]]] = [
    ("circle", {"margin": 0.25, "scale": 64}, "CircleLoss", {"m": 0.25, "gamma": 64}),
    ("contrastive", {}, "ContrastiveLoss", {}),
    ("multi_similarity", {"epsilon": None}, "MultiSimilarityLoss", {"alpha": 2, "beta": 50}),
    ("multi_similarity", {}, "MultiSimilarityLoss", {"alpha": 2, "beta": 50}),
    ("supcon", {}, "SupConLoss", {}),
]


@pytest.mark.parametrize(("name", "options", "theirs", "arguments"), PAIRS)
def test_losses_over_pairs_cost_what_theirs_do(
    metric_learning, name: str, options: dict[str, Any], theirs: str, arguments: dict[str, float]
) -> None:
    from pytorch_metric_learning import losses, miners

    features, pids = batch()
    own = choose("losses", name, options).make(num_classes=5)(features, pids)
    mines = name == "multi_similarity" and not options
    chosen = miners.MultiSimilarityMiner(0.1)(features, pids) if mines else None
    expected = getattr(losses, theirs)(**arguments)(features, pids, chosen)
    assert own.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "theirs", "margin", "converted"),
    [
        ("arcface", "ArcFaceLoss", 0.5, math.degrees(0.5)),
        ("cosface", "CosFaceLoss", 0.35, 0.35),
    ],
)
def test_classifiers_with_a_margin_cost_what_theirs_do(
    metric_learning, name: str, theirs: str, margin: float, converted: float
) -> None:
    from pytorch_metric_learning import losses

    features, pids = batch()
    own = choose("classifiers", name, {"scale": 30.0, "margin": margin}).make(
        feature_dim=8, num_classes=5
    )
    other = getattr(losses, theirs)(5, 8, margin=converted, scale=30)
    with torch.no_grad():
        other.W.copy_(own.weight.T)
    logits = own(features, pids)
    cost = torch.nn.functional.cross_entropy(logits, pids).item()
    assert cost == pytest.approx(other(features, pids).item(), rel=1e-4)
