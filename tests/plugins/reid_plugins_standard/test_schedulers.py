import json
import math
from pathlib import Path

import pytest
import torch
from reid_plugins_standard.schedulers import flat_cosine
from torch import nn

from reidcore.config import Config
from reidcore.errors import ConfigError, UnknownNameError
from reidcore.optim import build_lr_scheduler, build_optimizer
from reidcore.plugins import make_plugins

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


def curve(plugins, name, stepsize=1, max_epoch=10, lr=0.0015, **section):
    sgd = build_optimizer(nn.Linear(1, 1), "sgd", lr=lr, plugins=plugins)
    scheduler = build_lr_scheduler(
        sgd, name, stepsize, max_epoch=max_epoch, plugins=plugins, section=section
    )
    return [rate for (rate,) in rates(sgd, scheduler, max_epoch)] + [sgd.param_groups[0]["lr"]]


def test_cosine_ends_at_its_lowest_rate(plugins):
    table = curve(plugins, "cosine", lr=1.0, eta_min=0.2)
    golden = [1.0, 0.98042261, 0.92360680, 0.83511410, 0.72360680, 0.6]
    assert table[:6] == pytest.approx(golden, abs=1e-8)
    assert table[10] == pytest.approx(0.2)


def test_flat_cosine_stays_then_falls(plugins):
    table = curve(plugins, "flat_cosine", 6, lr=1.0, eta_min=0.2)
    golden = [1.0] * 7 + [0.88284271, 0.6, 0.31715729, 0.2]
    assert table == pytest.approx(golden, abs=1e-8)
    held = curve(plugins, "flat_cosine", 4, lr=1.0, eta_min=0.2, hold=2)
    assert held == pytest.approx([*golden[2:], 0.2, 0.2], abs=1e-8)
    sgd = build_optimizer(nn.Linear(1, 1), "sgd", lr=1.0, plugins=plugins)
    by_steps = flat_cosine(
        sgd, stepsize=4, max_epoch=10, steps_per_epoch=2, eta_min=0.2, hold=1
    )  # an epoch is two of its steps
    assert [rate for (rate,) in rates(sgd, by_steps, 10)] == held[:-1]


def test_warmup_cosine_is_timms_for_every_group(plugins):
    """The formula of timm's CosineLRScheduler: t epochs of 120, 20 of them a rise."""
    for ahead in (0, 1):
        network = nn.Linear(2, 2)
        groups = {"bias": {"lr_mult": 2.0}}
        sgd = build_optimizer(network, "sgd", lr=2e-4, groups=groups, plugins=plugins)
        section = {"warmup": 20, "warmup_lr": 2e-6, "eta_min": 4e-7, "ahead": ahead}
        scheduler = build_lr_scheduler(
            sgd, "warmup_cosine", max_epoch=120, plugins=plugins, section=section
        )
        for epoch, row in enumerate(rates(sgd, scheduler, 122 - ahead)):
            t = min(epoch + ahead, 120)
            for rate, base in zip(sorted(row), (2e-4, 4e-4), strict=True):
                rise = 2e-6 + t * (base - 2e-6) / 20
                fall = 4e-7 + 0.5 * (base - 4e-7) * (1 + math.cos(math.pi * t / 120))
                assert rate == pytest.approx(rise if t < 20 else fall, rel=1e-12)


def test_warmup_cosine_by_steps_meets_itself_by_epochs(plugins):
    section = {"warmup": 2, "warmup_lr": 0.1, "eta_min": 0.01, "ahead": 1}
    by_epoch = curve(plugins, "warmup_cosine", max_epoch=6, lr=1.0, **section)
    sgd = build_optimizer(nn.Linear(1, 1), "sgd", lr=1.0, plugins=plugins)
    scheduler = build_lr_scheduler(
        sgd,
        "warmup_cosine",
        max_epoch=6,
        plugins=plugins,
        section=section,
        step_by="step",
        steps_per_epoch=5,
    )
    assert [row[0] for row in rates(sgd, scheduler, 6)] == pytest.approx(by_epoch[:6])


@pytest.mark.parametrize("key", ["warmup_epochs", "warmup_steps"])
def test_a_second_warmup_is_refused_before_anything_is_built(key):
    plugins = make_plugins()
    train = {"lr_scheduler": "warmup_cosine", key: 10}
    with plugins, pytest.raises(ConfigError, match=rf"{key} is 10, .* of its own, of 5 epochs"):
        plugins.hook.reid_configure(config=Config.model_validate({"train": train}))
    without = {"train": train, "warmup_cosine": {"warmup": 0}}
    for allowed in (without, {"train": {**train, "lr_scheduler": "cosine"}}):
        with plugins:
            plugins.hook.reid_configure(config=Config.model_validate(allowed))


def test_polynomial_falls_by_a_power_of_what_is_left(plugins):
    assert curve(plugins, "polynomial", max_epoch=4, lr=1.0) == pytest.approx(
        [1.0, 0.75, 0.5, 0.25, 0.0], abs=1e-12
    )
    assert curve(plugins, "polynomial", max_epoch=4, lr=1.0, power=2.0) == pytest.approx(
        [1.0, 0.5625, 0.25, 0.0625, 0.0], abs=1e-12
    )


def test_one_cycle_rises_to_the_optimizers_rate_and_falls(plugins):
    table = curve(plugins, "one_cycle", max_epoch=20, lr=1.0, pct_start=0.25, div_factor=10.0)
    assert table[0] == pytest.approx(0.1)
    assert max(table) == table[4] == pytest.approx(1.0)
    assert table[19] == pytest.approx(1e-5)


def test_constant_stays(plugins):
    assert curve(plugins, "constant", lr=0.3) == [0.3] * 11


@pytest.mark.parametrize(
    ("name", "stepsize", "section", "message"),
    [
        ("flat_cosine", 10, {}, "below max_epoch"),
        ("flat_cosine", [2, 4], {}, "one number"),
        ("flat_cosine", 8, {"hold": 2}, "max_epoch 10 and hold 2"),
        ("flat_cosine", 8, {"hold": -1}, "hold -1"),
        ("cosine", 1, {"eta_min": 0.01}, "lowest learning rate to begin with 0.0015"),
        ("flat_cosine", 5, {"eta_min": -1.0}, "eta_min is -1.0"),
        ("warmup_cosine", 1, {"warmup": 10}, "warmup 10 and ahead 0 in a run of 10 epochs"),
        ("warmup_cosine", 1, {"ahead": -1}, "ahead -1"),
        ("warmup_cosine", 1, {"warmup_lr": 0.01}, "warmup_lr is 0.01, and the lowest"),
        ("polynomial", 1, {"power": 0.0}, r"polynomial\.power is 0\.0"),
        ("one_cycle", 1, {"pct_start": 2.0}, "pct_start"),
        ("one_cycle", 1, {"pct_start": 0.1}, "pct_start 0.1 of 10, .* not beyond the first"),
    ],
)
def test_curves_that_cannot_be_are_refused(name, stepsize, section, message, plugins):
    with pytest.raises(ConfigError, match=message):
        curve(plugins, name, stepsize, **section)


def test_one_cycle_says_what_an_optimizer_without_momentum_lacks(plugins):
    plain = torch.optim.Adagrad(nn.Linear(1, 1).parameters(), lr=0.1)
    with pytest.raises(ConfigError, match="momentum"):
        build_lr_scheduler(plain, "one_cycle", max_epoch=5, plugins=plugins)
    build_lr_scheduler(
        plain, "one_cycle", max_epoch=5, plugins=plugins, section={"cycle_momentum": False}
    )
