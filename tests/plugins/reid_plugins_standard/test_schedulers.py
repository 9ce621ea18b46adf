import json
from pathlib import Path

import pytest
import torch
from torch import nn

from reidcore.errors import ConfigError, UnknownNameError
from reidcore.optim import build_lr_scheduler, build_optimizer

TABLES = json.loads(Path(__file__).parents[2].joinpath("fixtures/optim/lr_tables.json").read_text())
STEPS = {
    "single_step[20]": ("single_step", 20, 60),
    "single_step[20,40](last used)": ("single_step", [20, 40], 60),
    "single_step20_staged": ("single_step", 20, 60),
    "multi_step[20,40]": ("multi_step", [20, 40], 60),
    "cosine60": ("cosine", 1, 60),
    "cosine60_staged": ("cosine", 1, 60),
    "cosine100_ep100": ("cosine", 1, 100),
}


def optimizer(plugins, net=None, **kwargs):
    return build_optimizer(net or nn.Linear(1, 1), "sgd", lr=0.0015, plugins=plugins, **kwargs)


def rates(optimizer, scheduler, epochs):
    table = []
    for _ in range(epochs):
        table.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return table


@pytest.mark.parametrize("case", STEPS)
def test_rates_are_the_references(case, net, plugins):
    name, stepsize, max_epoch = STEPS[case]
    staged = "staged" in case
    layers = {"staged_lr": True, "new_layers": "classifier"} if staged else {}
    sgd = optimizer(plugins, net, **layers)
    scheduler = build_lr_scheduler(sgd, name, stepsize, max_epoch=max_epoch, plugins=plugins)
    expected = TABLES[case]
    for got, wanted in zip(rates(sgd, scheduler, len(expected)), expected, strict=True):
        assert got == pytest.approx(wanted, rel=1e-12)


def test_a_long_multi_step_is_the_references_every_ten_epochs(plugins):
    sgd = optimizer(plugins)
    scheduler = build_lr_scheduler(sgd, "multi_step", [150, 225, 300], plugins=plugins)
    expected = TABLES["multi_step[150,225,300]ep350"]
    assert rates(sgd, scheduler, 351)[::10] == [pytest.approx(row) for row in expected]


def test_cosine_past_its_end_is_the_references(plugins):
    sgd = optimizer(plugins)
    scheduler = build_lr_scheduler(sgd, "cosine", max_epoch=60, plugins=plugins)
    expected = TABLES["cosine60_ep65_past_end"]
    tail = rates(sgd, scheduler, 58 + len(expected))[58:]
    assert [rate for (rate,) in tail] == pytest.approx([r for (r,) in expected], abs=1e-15)


def test_single_step_says_that_it_drops_all_but_the_last_step(plugins, caplog):
    build_lr_scheduler(optimizer(plugins), "single_step", [20, 40], plugins=plugins)
    assert "last of stepsize [20, 40]" in caplog.text
    caplog.clear()
    build_lr_scheduler(optimizer(plugins), "single_step", [20], plugins=plugins)
    assert not caplog.text


@pytest.mark.parametrize(
    ("name", "stepsize", "message"),
    [
        ("multi_step", 20, r"list of epochs.*\[20\]"),
        ("multi_step", [], "whole epochs"),
        ("single_step", [], "whole epochs"),
        ("single_step", 20.0, "whole epochs"),
        ("single_step", 0, "at least 1"),
        ("multi_step", [10, -1], "at least 1"),
    ],
)
def test_steps_that_do_not_suit_are_refused(name, stepsize, message, plugins):
    with pytest.raises(ConfigError, match=message):
        build_lr_scheduler(optimizer(plugins), name, stepsize, plugins=plugins)


def test_cosine_needs_an_epoch(plugins):
    with pytest.raises(ConfigError, match="max_epoch"):
        build_lr_scheduler(optimizer(plugins), "cosine", max_epoch=0, plugins=plugins)


def test_unknown_scheduler_names_the_nearest(plugins):
    with pytest.raises(UnknownNameError, match="multi_step"):
        build_lr_scheduler(optimizer(plugins), "multistep", plugins=plugins)


def test_a_plugins_scheduler_gets_only_what_it_takes(plugins):
    scheduler = build_lr_scheduler(
        optimizer(plugins), "flat", plugins=plugins, section={"height": 2.0}
    )
    assert isinstance(scheduler, torch.optim.lr_scheduler.LambdaLR)
    assert scheduler.get_last_lr() == [0.003]
