"""A doctored training state is refused before anything of it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from reidcore.errors import CheckpointError
from reidcore.utils import resume_from_checkpoint, save_checkpoint

Doctor = Callable[[dict[str, Any]], Any]


def parts(scheduler: type = torch.optim.lr_scheduler.MultiStepLR, **options: Any) -> Any:
    torch.manual_seed(1)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    schedule = scheduler(optimizer, **(options or {"milestones": [2, 4]}))
    return model, optimizer, schedule


def state() -> dict[str, Any]:
    model, optimizer, scheduler = parts()
    return {
        "state_dict": model.state_dict(),
        "epoch": 1,
        "rank1": 0.5,
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "reidcore": {},
    }


def group(**changes: Any) -> Doctor:
    return lambda held: held["optimizer"]["param_groups"][0].update(changes)


def schedule(**changes: Any) -> Doctor:
    return lambda held: held["scheduler"].update(changes)


def put(*place: Any, value: Any) -> Doctor:
    def change(held: dict[str, Any]) -> None:
        for key in place[:-1]:
            held = held[key]
        held[place[-1]] = value

    return change


DOCTORED = [
    (put("rank1", value="best"), "rank1 is 'best'"),
    (put("rank1", value=float("nan")), "rank1 is nan"),
    (put("rank1", value=7.0), "rank1 is 7.0"),
    (put("epoch", value=10**12), "epoch is 1000000000000"),
    (put("epoch", value=1.5), "epoch is 1.5"),
    (put("state_dict", "weight", value="x"), "state_dict.weight is 'x'"),
    (put("state_dict", "weight", value=torch.ones(2, 3) * 1j), "has weight of complex64, the mod"),
    (put("optimizer", value="adam"), "optimizer is 'adam'"),
    (put("optimizer", "param_groups", value=5), "param_groups is 5"),
    (put("optimizer", "param_groups", 0, value=5), r"param_groups\[0\] is 5"),
    (put("optimizer", "state", 0, "exp_avg", value=torch.ones(7)), r"state\[0\].exp_avg.*\(7,\)"),
    (lambda held: held["optimizer"].pop("state"), "state is missing"),
    (put("optimizer", "state", 99, value={}), r"state\[99\] is of no parameter"),
    (put("optimizer", "state", 0, value=3), r"state\[0\] is 3"),
    (put("optimizer", "state", value=3), "state is 3"),
    (group(lr="fast"), r"param_groups\[0\].lr is 'fast'"),
    (group(lr=float("nan")), r"param_groups\[0\].lr is nan"),
    (group(betas=["a", 0.9]), r"param_groups\[0\].betas\[0\] is 'a'"),
    (group(betas="slow"), r"param_groups\[0\].betas is 'slow'"),
    (lambda held: held["optimizer"]["param_groups"][0].pop("lr"), r"param_groups\[0\].lr is miss"),
    (put("scheduler", value=[1]), r"scheduler is \[1\]"),
    (schedule(step="x"), "step is 'x'"),
    (schedule(get_lr=None), "get_lr is None"),
    (schedule(last_epoch="x"), "last_epoch is 'x'"),
    (schedule(base_lrs=["x"]), r"base_lrs\[0\] is 'x'"),
    (schedule(base_lrs=[]), "base_lrs has 0 items"),
    (put("reidcore", "step", value=-6), "reidcore.step is -6"),
    (put("reidcore", "history", value="all"), "reidcore.history is 'all'"),
    (put("reidcore", "scaler", value={"scale": "x"}), "reidcore.scaler.scale is 'x'"),
    (put("reidcore", "rng", value={"python": 1}), "reidcore.rng.python is 1"),
]


@pytest.mark.parametrize(("doctor", "told"), DOCTORED)
def test_a_doctored_state_is_refused_and_changes_nothing(
    doctor: Doctor, told: str, tmp_path: Path
) -> None:
    held = state()
    doctor(held)
    torch.save(held, tmp_path / "doctored.pth")
    model, optimizer, scheduler = parts()
    with torch.no_grad():
        model.weight.zero_()
    with pytest.raises(CheckpointError, match=rf"doctored\.pth.*{told}"):
        resume_from_checkpoint(tmp_path / "doctored.pth", model, optimizer, scheduler)
    assert not model.weight.any()


@pytest.mark.parametrize(
    ("scheduler", "options"),
    [
        (torch.optim.lr_scheduler.MultiStepLR, {"milestones": [2, 4]}),
        (torch.optim.lr_scheduler.CosineAnnealingLR, {"T_max": 4}),
        (torch.optim.lr_scheduler.OneCycleLR, {"max_lr": 0.1, "total_steps": 9}),
        (torch.optim.lr_scheduler.ReduceLROnPlateau, {}),
        (torch.optim.lr_scheduler.LambdaLR, {"lr_lambda": lambda epoch: 0.5**epoch}),
    ],
)
def test_every_schedulers_own_state_is_taken(scheduler: type, options: Any, tmp_path: Path) -> None:
    options = options or {"patience": 3}
    first = parts(scheduler, **options)
    names = ("state_dict", "optimizer", "scheduler")
    held = {key: part.state_dict() for key, part in zip(names, first, strict=True)}
    rank1 = np.float64(0.5)
    path = save_checkpoint({**held, "epoch": np.int64(3), "rank1": rank1}, tmp_path)
    model, optimizer, again = parts(scheduler, **options)
    assert resume_from_checkpoint(path, model, optimizer, again) == 3
    assert again.state_dict().keys() == first[2].state_dict().keys()
