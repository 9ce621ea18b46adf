"""Layers do not learn at first, their statistics stay, and then they learn like the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from reid_plugins_training.freezing import LayerFreezing
from torch import Tensor

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.errors import ConfigError, UnknownNameError, UserError
from reidcore.testing import TinyRun
from tests.plugins.reid_plugins_training.comparing import assert_same

Train = Callable[..., TinyRun]


class Changes:
    """Notes for each batch which layers, and which statistics, are not as they were before it."""

    def __init__(self) -> None:
        self.by_batch: list[set[str]] = []
        self.before: dict[str, Tensor] = {}
        self.told = 0

    @hookimpl(tryfirst=True)
    def reid_run_start(self, engine: Engine) -> None:
        self.before = self.copied(engine)
        changed = engine.trained_parameters_changed

        def counted() -> None:
            self.told += 1
            changed()

        engine.trained_parameters_changed = counted  # type: ignore[method-assign]

    @hookimpl(tryfirst=True)
    def reid_step_end(self, engine: Engine) -> None:
        now = self.copied(engine)
        changed = {key for key, value in now.items() if not torch.equal(value, self.before[key])}
        self.by_batch.append(
            {"statistics" if "running" in key else key.split(".")[0] for key in changed}
        )
        self.before = now

    def copied(self, engine: Engine) -> dict[str, Tensor]:
        held = engine.model.state_dict().items()
        return {key: value.clone() for key, value in held if "tracked" not in key}


def _layer(key: str) -> str:
    return "statistics" if "running" in key else key.split(".")[0]


BODY = {"conv", "norm", "statistics"}
HEAD = {"classifier"}


@pytest.mark.parametrize(
    ("setting", "learning"),
    [
        ("layers: [conv, norm], epochs: 1", [HEAD] * 3 + [HEAD | BODY] * 3),
        ("layers: [conv, norm], steps: 2", [HEAD] * 2 + [HEAD | BODY] * 4),
        ("layers: [conv, norm], steps: 4", [HEAD] * 4 + [HEAD | BODY] * 2),
        ("layers: [conv, norm], epochs: 9", [HEAD] * 6),
        (
            "layers: [conv, norm], steps: 2, bn_eval: false",
            [HEAD | {"statistics"}] * 2 + [HEAD | BODY] * 4,
        ),
        ("layers: conv.weight, epochs: 1", [HEAD | BODY] * 6),  # its bias learns
    ],
)
def test_layers_learn_when_their_time_is_over(
    train: Train, setting: str, learning: list[set[str]]
) -> None:
    changes = Changes()
    run = train("run", f"settings.training.freeze={{{setting}}}", plugins=(changes,))
    assert changes.by_batch == learning
    assert changes.told == 2  # when they are frozen, and when they are opened
    assert all(each.requires_grad for each in run.engine.model.parameters())


def test_a_parameter_alone_is_held(train: Train) -> None:
    learns: list[bool] = []

    class Weight:
        @hookimpl(tryfirst=True)
        def reid_step_end(self, engine: Engine) -> None:
            conv: Any = engine.model.conv
            learns.append(conv.weight.requires_grad)
            assert conv.bias.requires_grad

    train("run", "settings.training.freeze={layers: conv.weight, steps: 4}", plugins=(Weight(),))
    assert learns == [False] * 4 + [True] * 2


def test_with_accumulation_steps_are_those_of_the_optimizer(train: Train) -> None:
    changes = Changes()
    train(
        "run",
        "settings.training.freeze={layers: [conv, norm], steps: 2}",
        "train.accumulate=2",
        plugins=(changes,),
    )
    opened = [bool(each & {"conv"}) for each in changes.by_batch]
    # Two batches, and the rest of one, in the first epoch: both are of the classifier alone.
    assert opened == [False, False, False, False, True, False]


@pytest.mark.parametrize(
    ("fixbase", "epochs", "learning"),
    [
        # fixbase trains the classifier alone, the freezing holds the convolution.
        (1, 2, [{"classifier"}, {"classifier", "norm", "statistics"}, HEAD | BODY]),
        (2, 1, [{"classifier"}, {"classifier"}, HEAD | BODY]),
        (1, 1, [{"classifier"}, HEAD | BODY, HEAD | BODY]),
    ],
)
def test_a_layer_learns_once_neither_this_nor_fixbase_holds_it(
    train: Train, fixbase: int, epochs: int, learning: list[set[str]]
) -> None:
    changes = Changes()
    train(
        "run",
        f"settings.training.freeze={{layers: [conv], epochs: {epochs}}}",
        f"train.fixbase_epoch={fixbase}",
        "train.open_layers=[classifier]",
        "train.max_epoch=3",
        plugins=(changes,),
    )
    assert changes.by_batch == [each for each in learning for _ in range(3)]


def test_what_was_frozen_before_stays_frozen(train: Train) -> None:
    class MyOwn:
        @hookimpl
        def reid_model_built(self, model: Any) -> None:
            model.conv.bias.requires_grad_(False)

    run = train(
        "run", "settings.training.freeze={layers: [conv, norm], steps: 2}", plugins=(MyOwn(),)
    )
    model: Any = run.engine.model
    assert not model.conv.bias.requires_grad
    assert model.conv.weight.requires_grad


def test_a_run_that_fails_leaves_the_layers_as_they_were(train: Train) -> None:
    class Fail:
        model: Any

        @hookimpl
        def reid_step_end(self, engine: Engine) -> None:
            self.model = engine.model
            assert not self.model.conv.weight.requires_grad
            raise RuntimeError("no more")

    fail = Fail()
    with pytest.raises(RuntimeError, match="no more"):
        train("run", "settings.training.freeze={layers: [conv], epochs: 1}", plugins=(fail,))
    assert all(each.requires_grad for each in fail.model.parameters())


@pytest.mark.parametrize(
    ("duration", "batches"), [("steps: 4", 2), ("steps: 4", 4), ("steps: 4", 5), ("epochs: 1", 2)]
)
def test_a_resumed_run_is_the_run_that_never_stopped(
    train: Train, train_in_parts: Train, duration: str, batches: int
) -> None:
    freeze = f"settings.training.freeze={{layers: [conv, norm], {duration}}}"
    assert_same(train("whole", freeze), train_in_parts("parts", freeze, batches=batches))


def test_it_is_told(train: Train, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        train("run", "settings.training.freeze={layers: [conv, norm], steps: 1}")
    told = [each for each in caplog.messages if each.startswith(("Frozen", "Opened"))]
    assert told == ["Frozen for 1 step: conv, norm", "Opened: conv, norm"]


@pytest.mark.parametrize(("epochs", "is_told"), [(1, False), (2, True)])
def test_layers_that_never_learn_are_told(
    train: Train, caplog: pytest.LogCaptureFixture, epochs: int, is_told: bool
) -> None:
    freeze = f"settings.training.freeze={{layers: [conv], epochs: {epochs}}}"
    train("run", freeze, "train.max_epoch=2")
    assert ("they never learn" in caplog.text) == is_told


@pytest.mark.parametrize(
    ("setting", "error", "told"),
    [
        ("layers: [conf], epochs: 1", UnknownNameError, "no layer named 'conf'.*\n?.*'conv'"),
        ("layers: [conv]", ConfigError, "expected either epochs or steps, not"),
        (
            "layers: [conv], epochs: 1, steps: 1",
            ConfigError,
            "expected either epochs or steps, not",
        ),
        ("layers: [conv], epochs: 0", ConfigError, "freeze.epochs: expected"),
        ("layers: [], epochs: 1", ConfigError, "freeze.layers: expected"),
        ("layers: [conv, norm, classifier], steps: 9", UserError, "nothing is left to learn"),
    ],
)
def test_what_cannot_be_frozen_is_refused(
    train: Train, setting: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=f"(?s){told}"):
        train("run", f"settings.training.freeze={{{setting}}}")


def test_so_is_holding_what_fixbase_trains_alone(train: Train) -> None:
    with pytest.raises(UserError, match=r"fixbase_epoch trains classifier alone at first, which"):
        train(
            "run",
            "settings.training.freeze={layers: [classifier], epochs: 1}",
            "train.fixbase_epoch=1",
            "train.open_layers=[classifier]",
        )


def test_by_hand(train: Train) -> None:
    changes = Changes()
    train("run", plugins=(changes, LayerFreezing(["conv", "norm"], epochs=1)))
    assert changes.by_batch == [HEAD] * 3 + [HEAD | BODY] * 3
