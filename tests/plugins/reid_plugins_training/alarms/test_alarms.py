"""Each alarm is told once, with its remedy, where it is due; a healthy run hears none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from reid_plugins_training.alarms import ALARMS
from reid_plugins_training.alarms.data import NeverSampled, WaitingForData
from reid_plugins_training.alarms.features import mean_cosine
from torch import Tensor, nn

from reidcore import hookimpl
from reidcore.data import SampleTable
from reidcore.engine import Engine
from reidcore.models import Outputs
from reidcore.registry import Registrar
from reidcore.testing import TinyNet, TinyRun

Train = Callable[..., TinyRun]
PAIRS = ("sampler.train_sampler=RandomIdentitySampler", "sampler.num_instances=2")
LONG = ("train.max_epoch=5", "train.print_freq=1")


class PointNet(TinyNet):
    """Gives every image the same features, whatever it learns."""

    def embed(self, maps: Tensor) -> Tensor:
        return super().embed(maps) * 0 + 1


class IdleNet(TinyNet):
    """Has a layer that nothing reads."""

    def __init__(self, num_classes: int, **options: Any) -> None:
        super().__init__(num_classes, **options)
        self.idle = nn.Linear(8, 2)


class OddWorld:
    """Models and a sampler that something is wrong with."""

    @hookimpl
    def reid_register_models(self, registry: Registrar) -> None:
        registry.add("pointnet", PointNet)
        registry.add("idlenet", IdleNet)

    @hookimpl
    def reid_register_samplers(self, registry: Registrar) -> None:
        registry.add("forgetful", Forgetful)


class Forgetful:
    """Shows the first half of the identities alone."""

    def __init__(self, table: SampleTable, batch_size: int, seed: int) -> None:
        self.rows = np.resize(np.flatnonzero(table.pids < 3), 16)

    def order(self, epoch: int) -> np.ndarray:
        return self.rows


class FreezeIdle:
    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        engine.model.idle.requires_grad_(False)


class NoRate:
    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        for group in engine.optimizers[0].param_groups:
            group["lr"] = 0.0


@pytest.fixture
def alarms(train: Train, caplog: pytest.LogCaptureFixture) -> Callable[..., list[str]]:
    """Return a function that trains, and returns what the alarms told."""

    def told(*settings: str, plugins: tuple[Any, ...] = ()) -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            train("log", *settings, plugins=(OddWorld(), *plugins))
        return [each.message for each in caplog.records if "alarms" in each.name]

    return told


# -- a run -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param((), id="softmax"),
        pytest.param((*PAIRS, "loss.terms={softmax: 1, triplet: 1}"), id="softmax and triplet"),
        pytest.param((*PAIRS, "loss.name=dml"), id="mutual"),
        pytest.param(("train.fixbase_epoch=2",), id="frozen at first"),
        pytest.param(
            ("settings.training.freeze={layers: conv, steps: 3}",), id="frozen for an epoch's steps"
        ),
    ],
)
def test_a_healthy_run_is_silent(
    settings: tuple[str, ...], alarms: Callable[..., list[str]]
) -> None:
    assert alarms(*LONG, *settings) == []


def test_features_at_one_point_are_told_once_with_a_remedy(
    alarms: Callable[..., list[str]],
) -> None:
    terms = (*PAIRS, "loss.terms={softmax: 1, triplet: 0.5}")
    found = alarms(*LONG, "model.name=pointnet", *terms)
    (stuck,) = [each for each in found if "stays at its margin, 0.3" in each]
    (alike,) = [each for each in found if "mean cosine 1.0000" in each]
    assert "train.lr" in stuck
    assert "train.lr" in alike


def test_a_first_epoch_on_random_weights_is_not_judged(
    alarms: Callable[..., list[str]],
) -> None:
    assert alarms("train.max_epoch=1", "train.print_freq=1", "model.name=pointnet") == []


def test_parameters_without_gradient_are_named(alarms: Callable[..., list[str]]) -> None:
    (found,) = alarms(*LONG, "model.name=idlenet")
    assert "No loss has a gradient for idle.weight, idle.bias:" in found
    assert alarms(*LONG, "model.name=idlenet", plugins=(FreezeIdle(),)) == []


def test_a_rate_of_zero_is_told(alarms: Callable[..., list[str]]) -> None:
    (found,) = alarms(*LONG, plugins=(NoRate(),))
    assert "The learning rate is 0" in found


def test_identities_that_never_come_are_counted_and_named(
    alarms: Callable[..., list[str]],
) -> None:
    (found,) = alarms("train.max_epoch=6", "sampler.train_sampler=forgetful")
    names = ", ".join(f"000{pid}_c1_000000.png" for pid in (4, 5, 6))
    assert found.startswith(f"3 of 6 identities were in no batch so far, those of {names}:")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("collapse", ("model.name=pointnet",)),
        ("gradients", ("model.name=idlenet",)),
        ("classes", ("train.max_epoch=6", "sampler.train_sampler=forgetful")),
    ],
)
def test_an_alarm_can_be_turned_off(
    name: str, settings: tuple[str, ...], alarms: Callable[..., list[str]]
) -> None:
    assert alarms(*LONG, *settings, f"settings.training.alarms.{name}=false") == []
    assert name in ALARMS


def test_other_processes_have_no_alarms(
    alarms: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "is_main_process", property(lambda _: False))
    assert alarms(*LONG, "model.name=idlenet") == []


def test_figures_are_read_only_where_they_are_shown(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    for alarm in ALARMS.values():
        monkeypatch.setattr(alarm, "symptom", lambda _, engine, __: reads.append(engine.epoch))
    train("log", "train.print_freq=100")  # of three batches the last is shown
    assert len(reads) == 2 * len(ALARMS)


# -- what they measure -----------------------------------------------------------------------------


def test_the_mean_cosine_is_that_of_all_pairs() -> None:
    torch.manual_seed(1)
    left, right = torch.randn(5, 3), torch.randn(5, 4)
    joined = nn.functional.normalize(torch.cat([left, right], 1), dim=1)
    pairs = (joined @ joined.T)[~torch.eye(5, dtype=torch.bool)]
    measured = mean_cosine(Outputs(left, (left, right)))
    assert measured == pytest.approx(pairs.mean().item(), abs=1e-6)
    assert mean_cosine(Outputs(left, left[:1])) == 0


def of_epochs(orders: Iterator[np.ndarray], identities: int) -> Iterator[SimpleNamespace]:
    """Yield an engine after each epoch, that saw one image of each identity of an order."""
    table = SampleTable.of([(f"{pid}.png", pid, 0) for pid in range(identities)])
    facts = SimpleNamespace(train_table=table)
    for order in orders:
        loader = SimpleNamespace(batch_rows=lambda order=order: [order])
        yield SimpleNamespace(train_loader=loader, data_facts=facts)


def test_what_chance_leaves_out_of_an_epoch_is_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    false_alarms = 0
    for seed in range(100):
        rng, alarm = np.random.default_rng(seed), NeverSampled()
        caplog.clear()
        for engine in of_epochs((rng.permutation(751)[:736] for _ in range(8)), 751):
            alarm.epoch_done(engine)  # type: ignore[arg-type]
        false_alarms += len(caplog.records)
    assert false_alarms <= 3


def test_one_identity_that_a_sampler_forgets_is_found(caplog: pytest.LogCaptureFixture) -> None:
    rng, alarm = np.random.default_rng(0), NeverSampled()
    for engine in of_epochs((rng.permutation(750)[:736] for _ in range(4)), 751):
        alarm.epoch_done(engine)  # type: ignore[arg-type]
    assert "1 of 751 identities were in no batch so far, those of 750.png" in caplog.text


@pytest.mark.parametrize(
    ("seconds", "waited", "is_told"), [(20, 7, True), (20, 5.5, False), (6, 4, False)]
)
def test_waiting_for_images_is_told_where_it_is_worth_a_word(
    seconds: float, waited: float, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    epoch = {"epoch": 2, "seconds": seconds, "data_seconds": waited}
    engine: Any = SimpleNamespace(record=SimpleNamespace(history=[epoch]))
    alarm = WaitingForData()
    alarm.epoch_done(engine)
    alarm.epoch_done(engine)
    told = ["Epoch 2 waited for images for 35%" in each for each in caplog.messages]
    assert told == ([True] if is_told else [])
