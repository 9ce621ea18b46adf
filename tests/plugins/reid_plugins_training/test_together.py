"""Tricks act together, under several engines, and a resumed run goes on with all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from reidcore.testing import TinyRun
from reidcore.utils import load_checkpoint
from tests.plugins.reid_plugins_training.comparing import assert_same, figures, weights

Train = Callable[..., TinyRun]

TRICKS = (
    "settings.training.ema={decay: 0.8, ramp: true}",
    "settings.training.clip.norm=0.5",
    "settings.training.freeze={layers: [conv], steps: 3}",
    "settings.training.mixstyle={layers: [norm], p: 0.7}",
    "settings.training.early_stop.patience=1",
    "test.eval_freq=1",
)
MUTUAL = (
    "loss.name=dml",
    "sampler.train_sampler=RandomIdentitySampler",
    "sampler.num_instances=2",
)


@pytest.mark.parametrize("batches", [2, 4])
def test_all_of_them_with_accumulation_fixbase_and_a_schedule(
    train: Train, train_in_parts: Train, batches: int
) -> None:
    settings = [
        *TRICKS,
        "train.accumulate=2",
        "train.fixbase_epoch=1",
        "train.open_layers=[classifier]",
        "train.lr_scheduler=cosine",
    ]
    assert_same(train("whole", *settings), train_in_parts("parts", *settings, batches=batches))


def test_all_of_them_on_two_networks_that_teach_each_other(
    train: Train, train_in_parts: Train
) -> None:
    settings = [*TRICKS, *MUTUAL]
    whole = train("whole", *settings)
    parts = train_in_parts("parts", *settings, batches=4)
    assert_same(whole, parts)
    mine, yours = weights(whole, "model2"), weights(parts, "model2")
    assert all(torch.equal(value, yours[key]) for key, value in mine.items())
    assert {"model/grad_norm", "model2/grad_norm"} < figures(whole)[0].keys()


def test_the_average_that_validation_chose_is_what_is_tested_at_the_end(
    train: Train, tmp_path: Path
) -> None:
    run = train(
        "run",
        *TRICKS,
        "train.max_epoch=4",
        "test.select_on=validation",
        "test.validation_share=0.34",
        "settings.training.early_stop={patience: 2, min_delta: 1}",
    )
    path = tmp_path / "run" / "model-best.pth.tar"
    held, best = run.engine.model.state_dict(), load_checkpoint(path)["state_dict"]
    assert "2 tests in a row had no better rank1 on validation" in run.result["stopped"]
    assert all(torch.equal(value, best[key]) for key, value in held.items())
    again = train("test", f"model.load_weights={path}", "test.evaluate=true")
    assert again.result["targets"]["tiny"]["mAP"] == run.result["targets"]["tiny"]["mAP"]
