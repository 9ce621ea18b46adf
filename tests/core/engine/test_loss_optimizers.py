"""Losses with an optimizer of their own: made, held, stepped at its own rate, and continued."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from reidcore.engine import Engine
from reidcore.errors import CheckpointError, PluginDefectError, UserError

MakeEngine = Callable[..., Engine]


class Offset(nn.Module):
    """Learns a number; its gradient is 1 whatever the batch."""

    takes = "features"

    def __init__(self, rate: float = 1.0) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(1))
        self.rate = rate

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return self.offset.sum() + 0 * inputs.sum()

    def make_optimizer(self) -> Optimizer:
        return SGD(self.parameters(), lr=self.rate)


def test_its_rate_is_its_own_whatever_the_weight(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine, loss = make_engine(), Offset(rate=0.25)
    engine.terms["offset"] = (0.001, loss)
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert loss.offset.item() == pytest.approx(-3 * 0.25)  # three steps
    assert list(engine.loss_optimizers) == ["offset"]


def test_a_criterion_of_two_terms_has_one_optimizer(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine, loss = make_engine(), Offset()
    engine.terms |= {"one": (0.5, loss), "other": (0.25, loss)}
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert list(engine.loss_optimizers) == ["one"]
    assert loss.offset.item() == pytest.approx(-3)


def test_a_weight_of_nothing_leaves_it_alone(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine, loss = make_engine(), Offset()
    engine.terms["offset"] = (0.0, loss)
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert loss.offset.item() == 0.0


def test_one_of_the_users_takes_its_place_and_goes_on_bit_for_bit(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    def made() -> tuple[Engine, Offset]:
        engine, loss = make_engine(), Offset()
        engine.terms["offset"] = (0.5, loss)
        engine.loss_optimizers["offset"] = SGD(loss.parameters(), lr=0.1, momentum=0.9)
        return engine, loss

    whole, expected = made()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=2)
    first, _ = made()
    first.run(save_dir=str(tmp_path / "parts"), max_epoch=1)
    second, found = made()
    start = second.resume(str(tmp_path / "parts" / "model.pth.tar-1"))
    second.run(save_dir=str(tmp_path / "parts"), max_epoch=2, start_epoch=start)
    assert torch.equal(expected.offset, found.offset)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key


def test_the_state_of_another_kind_is_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    first, second = make_engine(), make_engine()
    first.terms["offset"], second.terms["offset"] = (1.0, Offset()), (1.0, loss := Offset())
    first.run(save_dir=str(tmp_path), max_epoch=1)
    second.loss_optimizers["offset"] = torch.optim.Adam(loss.parameters())
    start = second.resume(str(tmp_path / "model.pth.tar-1"))
    with pytest.raises(CheckpointError, match=r"offset of .*is no Adam"):
        second.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)


def test_what_is_none_is_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Odd(Offset):
        def make_optimizer(self) -> Any:
            return [1]

    engine = make_engine()
    engine.terms["odd"] = (1.0, Odd())
    with pytest.raises(PluginDefectError, match=r"Odd gave a list.*Optimizer in make_optimizer"):
        engine.run(save_dir=str(tmp_path / "a"), max_epoch=1)
    engine = make_engine()
    engine.loss_optimizers["sofmax"] = SGD(Offset().parameters(), lr=0.1)
    with pytest.raises(UserError, match=r"'sofmax', which is no loss.*'softmax'"):
        engine.run(save_dir=str(tmp_path / "b"), max_epoch=1)
