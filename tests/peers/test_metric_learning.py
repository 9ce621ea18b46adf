"""Losses of pytorch-metric-learning are losses here, and its figures are ours."""

from __future__ import annotations

import pytest
import torch

from reidcore import hookimpl
from reidcore.evaluation import AnyCamera, FeatureDistances, Labels, evaluate
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
        pytest.importorskip(name, reason=f"its figures need {name}, which is not here")
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
