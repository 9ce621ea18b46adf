"""Schedules by steps and warm-ups in a run: each step's rate, resumed in mid-epoch, refused."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.config import load_config
from reidcore.engine import Engine, Interrupted, Precision, StepOutcome
from reidcore.errors import ConfigError, UserError
from reidcore.testing import TinyWorld, make_plugins, tiny_run

MakeEngine = Callable[..., Engine]
BY_STEP = {"step_by": "step", "steps_per_epoch": 3, "warmup_epochs": 1, "warmup_factor": 0.1}


class Rates:
    """Keeps the rate of each batch, and asks for the run's end after one of them."""

    def __init__(self, stop_after: int = 0) -> None:
        self.rates: list[float] = []
        self.stop_after = stop_after

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.rates.append(engine.get_current_lr())
        if len(self.rates) == self.stop_after:
            engine.interruption.ask()


def run_of(make_engine: MakeEngine, folder: Path, rates: Rates, **options: Any) -> Engine:
    engine = make_engine(rates, **options)
    engine.run(save_dir=str(folder), max_epoch=options.get("max_epoch", 4))
    return engine


def test_each_step_has_its_rate_and_the_record_that_of_the_last(tmp_path: Path) -> None:
    rates = Rates()
    keys = ["lr_scheduler=polynomial", "lr_step_by=step", "warmup_epochs=1", "warmup_factor=0.5"]
    overrides = [f"train.{key}" for key in (*keys, "max_epoch=2", "lr=0.012")]
    result = tiny_run(rates, save_dir=tmp_path, overrides=overrides).result
    whole = [0.012 * (1 - step / 6) for step in range(6)]
    rise = [0.5, 0.5 + 0.5 / 3, 0.5 + 1 / 3, 1, 1, 1]
    assert rates.rates == pytest.approx([a * b for a, b in zip(whole, rise, strict=True)])
    assert [epoch["lr"] for epoch in result["training"]] == [rates.rates[2], rates.rates[5]]


def test_a_step_is_one_of_the_optimizer(make_engine: MakeEngine, tmp_path: Path) -> None:
    rates = Rates()
    pace = {"step_by": "step", "steps_per_epoch": 2}
    accumulated = Precision(accumulate=2)
    run_of(make_engine, tmp_path, rates, scheduler="polynomial", precision=accumulated, pace=pace)
    expected = [0.01 * (1 - step / 8) for epoch in range(4) for step in (2 * epoch, 2 * epoch + 1)]
    # three batches an epoch: the first two are one step, the third is the other
    assert rates.rates == pytest.approx(
        [rate for pair in zip(*[iter(expected)] * 2, strict=True) for rate in (pair[0], *pair)]
    )


class Overflow:
    """Lets the second step's gradients be infinite, and leaves out the fifth step's batch."""

    def __init__(self) -> None:
        self.step = 0

    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Generator[None, Any, Any]:
        losses = yield
        self.step += 1
        factor = {2: 1e9, 5: torch.nan}.get(self.step, 1.0)
        return {name: loss * factor for name, loss in losses.items()}

    @hookimpl(wrapper=True)
    def reid_forward_backward(self) -> Generator[None, Any, Any]:
        try:
            return (yield)
        except FloatingPointError:
            return StepOutcome.skipped()


def test_steps_that_are_left_out_count(make_engine: MakeEngine, tmp_path: Path) -> None:
    all_taken, some_left = Rates(), Rates()
    run_of(make_engine, tmp_path / "a", all_taken, pace=BY_STEP)
    engine = make_engine(some_left, Overflow(), pace=BY_STEP, precision=Precision(amp="fp16"))
    scale = engine.accelerator.scaler.get_scale()
    engine.run(save_dir=str(tmp_path / "b"), max_epoch=4)
    assert engine.accelerator.scaler.get_scale() < scale
    assert some_left.rates == all_taken.rates


class OwnStep(Engine):
    """Steps its optimizer by hand, past the engine's verbs."""

    def forward_backward(self, data: Any) -> dict[str, float]:
        images, pids = self.parse_data_for_train(data)
        assert self.optimizer is not None
        loss = torch.nn.functional.cross_entropy(self.model(images), pids)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item()}


def test_an_engine_of_ones_own_follows_the_schedule(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    standard, own = Rates(), Rates()
    run_of(make_engine, tmp_path / "a", standard, pace=BY_STEP)
    run_of(make_engine, tmp_path / "b", own, pace=BY_STEP, engine_class=OwnStep)
    assert own.rates == standard.rates
    assert len(set(own.rates)) == 12


class Both:
    """Keeps the rates of two models."""

    def __init__(self) -> None:
        self.rates: list[tuple[float, float]] = []

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.rates.append((engine.get_current_lr("model"), engine.get_current_lr("second")))


def test_several_models_each_follow_their_own(make_engine: MakeEngine, tmp_path: Path) -> None:
    both = Both()
    engine = make_engine(both, engine_class=OwnStep, pace=BY_STEP, scheduler="constant")
    other = make_engine(pace={"warmup_epochs": 2, "warmup_factor": 0.5}, scheduler="constant")
    engine.register_model("second", other.model, other.optimizer, other.scheduler)
    engine.run(save_dir=str(tmp_path), max_epoch=3)
    first, second = zip(*both.rates, strict=True)
    assert first == pytest.approx([0.001, 0.004, 0.007, *[0.01] * 6])
    assert second == pytest.approx([0.005] * 3 + [0.0075] * 3 + [0.01] * 3)


@pytest.mark.parametrize("stop", [4, 5])
@pytest.mark.parametrize("pace", [BY_STEP, {"warmup_steps": 7, "steps_per_epoch": 3}])
def test_a_run_stopped_within_an_epoch_goes_on_bit_for_bit(
    make_engine: MakeEngine, tmp_path: Path, pace: dict[str, Any], stop: int
) -> None:
    all_rates, first, second = Rates(), Rates(stop), Rates()
    whole = run_of(make_engine, tmp_path / "whole", all_rates, pace=pace)
    with pytest.raises(Interrupted):
        run_of(make_engine, tmp_path / "parts", first, pace=pace)
    resumed = make_engine(second, pace=pace)
    start = resumed.resume(str(tmp_path / "parts" / "model-interrupted.pth.tar-1"))
    resumed.run(save_dir=str(tmp_path / "parts"), max_epoch=4, start_epoch=start)
    assert first.rates + second.rates == all_rates.rates
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


def test_a_start_without_a_state_goes_on_along_the_curve(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    whole, rest = Rates(), Rates()
    run_of(make_engine, tmp_path / "whole", whole, pace=BY_STEP)
    engine = make_engine(rest, pace=BY_STEP)
    engine.run(save_dir=str(tmp_path / "rest"), max_epoch=4, start_epoch=2)
    assert rest.rates == pytest.approx(whole.rates[6:])


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pace", "length"),
    [({"warmup_epochs": 5}, "5"), ({"warmup_steps": 14, "steps_per_epoch": 3}, "4.667")],
)
def test_a_warm_up_longer_than_the_run_is_refused_at_start(
    make_engine: MakeEngine, tmp_path: Path, pace: dict[str, Any], length: str
) -> None:
    with pytest.raises(UserError, match=rf"warm-up of {length} epochs is longer.*4 epochs.*Lower"):
        make_engine(pace=pace).run(save_dir=str(tmp_path), max_epoch=4)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["warmup_epochs=3", "max_epoch=2"], "warm-up of 3 epochs is longer than the run of 2"),
        (["warmup_epochs=1", "warmup_steps=1"], "both give the warm-up's length"),
        (["lr_step_by=batch"], "'epoch' or 'step'"),
        (["warmup_factor=-0.1"], "at least 0"),
    ],
)
def test_a_configuration_is_refused_before_anything_is_read(
    overrides: list[str], message: str
) -> None:
    with make_plugins(TinyWorld()), pytest.raises(ConfigError, match=message):
        load_config({"model": {"name": "tinynet"}}, [f"train.{each}" for each in overrides])


def test_a_miscounted_epoch_is_told(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_engine(pace=BY_STEP | {"steps_per_epoch": 9}).run(save_dir=str(tmp_path), max_epoch=1)
    assert "counts 9 steps an epoch, which has 3: build it with steps_per_epoch=3" in caplog.text


# -- together --------------------------------------------------------------------------------------


def test_all_keys_compose_with_mutual_learning_and_resume_bit_for_bit(tmp_path: Path) -> None:
    """Average, clipping, groups, a warm-up by steps, a rest of an epoch, accumulation, bf16."""
    overrides = [
        "loss.name=dml",
        "settings.training.ema.decay=0.9",
        "settings.training.clip.norm=1.0",
        "train.groups={bias: {lr_mult: 2, weight_decay: 0}, new_layers: {lr_mult: 3}}",
        "train.optim=adamw",
        "train.lr_scheduler=one_cycle",
        "train.lr_step_by=step",
        "train.warmup_epochs=1",
        "train.batch_size=5",
        "train.drop_last=false",
        "train.accumulate=2",
        "train.amp=bf16",
        "train.max_epoch=3",
        "loss.dml.weight_t=0.0",
    ]
    rates, stopping = Rates(), Rates(stop_after=8)
    whole = tiny_run(rates, save_dir=tmp_path / "whole", overrides=overrides)
    root = tmp_path / "whole" / "data"
    with pytest.raises(Interrupted):
        tiny_run(stopping, save_dir=tmp_path / "parts", root=root, overrides=overrides)
    rest = Rates()
    resume = f"model.resume={tmp_path / 'parts' / 'model-interrupted.pth.tar-1'}"
    parts = tiny_run(rest, save_dir=tmp_path / "parts", root=root, overrides=[*overrides, resume])
    assert stopping.rates + rest.rates == rates.rates
    # five batches an epoch, so three steps of the optimizer
    assert len(set(rates.rates)) == 9
    for name in ("model", "model2"):
        first, second = (run.engine.states[name] for run in (whole, parts))
        assert first.optimizer is not None
        names = {group["name"] for group in first.optimizer.param_groups}
        assert names == {"other", "bias", "new_layers", "bias+new_layers"}
        for key, value in first.model.state_dict().items():
            assert torch.equal(value, second.model.state_dict()[key]), (name, key)
