"""timm's optimizers by name: made, given their options, stepped and continued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_timm.optimizers import factory_of, members
from timm.optim import Lamb
from torch import nn

from reidcore.config import load_config
from reidcore.errors import ConfigError, UnknownNameError, UserError
from reidcore.optim import build_optimizer
from reidcore.optim.resume import check_kind, continue_optimizer
from reidcore.testing import TinyWorld, make_plugins, tiny_run


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))


def stepped(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        images = torch.randn(6, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(images).square().sum().backward()
        optimizer.step()


def usable() -> list[str]:
    """The names that need nothing else; those that compile what they do are slow to begin."""
    names = []
    for name in members():
        try:
            factory_of(name)
        except UserError:
            continue
        names += [] if name.startswith("kron") else [name]
    return names


def test_every_one_of_them_goes_on_bit_for_bit() -> None:
    assert len(usable()) > 60
    for name in usable():
        whole, first, second = network(), network(), network()
        rates = {"lr": 0.001, "weight_decay": 0.01, "groups": {"bias": {"weight_decay": 0.0}}}
        made: Any = [build_optimizer(each, f"timm/{name}", **rates) for each in (whole, first)]
        stepped(whole, made[0], range(4))
        stepped(first, made[1], range(2))
        second.load_state_dict(first.state_dict())
        resumed = build_optimizer(second, f"timm/{name}", **rates)
        check_kind(resumed, made[1].state_dict(), "a.pth")
        assert continue_optimizer(resumed, made[1].state_dict(), "a.pth") == [], name
        stepped(second, resumed, range(2, 4))
        for one, other in zip(whole.parameters(), second.parameters(), strict=True):
            assert torch.equal(one, other), name
            assert one.isfinite().all(), name


def test_options_are_those_of_timms_class(tmp_path: Path) -> None:
    overrides = ["train.optim=timm/lamb", "timm/lamb.eps=0.001", "timm/lamb.betas=[0.8, 0.9]"]
    optimizer = tiny_run(
        save_dir=tmp_path, overrides=[*overrides, "train.lr=0.002"]
    ).engine.optimizer
    assert isinstance(optimizer, Lamb)
    assert optimizer.defaults["eps"] == 0.001
    assert tuple(optimizer.defaults["betas"]) == (0.8, 0.9)
    assert optimizer.defaults["lr"] == 0.002


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (["train.optim=timm/lamc"], ConfigError, r"^train\.optim: .*'lamc'.*'lambc'"),
        (["train.optim=timm/lamb", "timm/lamb.epz=1"], ConfigError, "epz: unknown key.*'eps'"),
        (["train.optim=timm/lamb", "timm/lamb.eps=a"], ConfigError, r"timm/lamb\.eps: expected"),
        (["timm/lambs.eps=1"], ConfigError, "timm/lambs"),
        (["train.optim=timm/adahessian"], ConfigError, "needs second derivatives"),
    ],
)
def test_what_there_is_not_is_refused(
    overrides: list[str], error: type[Exception], message: str
) -> None:
    with make_plugins(TinyWorld()), pytest.raises(error, match=message):
        load_config({"model": {"name": "tinynet"}}, overrides)


def test_by_hand_it_is_refused_alike() -> None:
    with pytest.raises(UnknownNameError, match="'lambc'"):
        build_optimizer(network(), "timm/lamc")
    with pytest.raises(ConfigError, match=r"timm/adamw refuses its settings.*eps"):
        build_optimizer(network(), "timm/adamw", section={"eps": -1.0})
