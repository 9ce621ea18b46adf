"""Who takes the step, read from the plugin list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, NonFiniteLossError, StepOutcome
from reidcore.engine.step import as_outcome, plan_step
from reidcore.errors import PluginError, UserError
from reidcore.plugins import make_plugins

MakeEngine = Callable[..., Engine]


class First:
    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Any) -> StepOutcome | None:
        return None


class Second(First):
    pass


class Adds:
    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Any:
        return (yield)


def test_two_replacements_are_refused_at_the_start_with_both_names(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    with pytest.raises(PluginError, match=r"'Second' and 'First' both replace.*train.step="):
        make_engine(First(), Second()).run(save_dir=str(tmp_path), max_epoch=1)
    assert not list(tmp_path.iterdir())


def test_train_step_chooses_between_two() -> None:
    plugins = make_plugins(entry_points=False, extra=[First(), Second()])
    chosen = plan_step(plugins, "First")
    assert chosen.replacement is not None
    assert chosen.replacement.name == "First"
    assert plan_step(plugins, "core").replacement is None


def test_train_step_must_name_a_replacement() -> None:
    plugins = make_plugins(entry_points=False, extra=[First()])
    with pytest.raises(PluginError, match="Did you mean 'First'"):
        plan_step(plugins, "Frist")


def test_a_declined_batch_goes_to_the_core(make_engine: MakeEngine, tmp_path: Path) -> None:
    result = make_engine(First()).run(save_dir=str(tmp_path), max_epoch=1)
    assert result["training"][0]["softmax"] > 0
    assert result["step"]["replacement"] == "First"


def test_a_loss_wrapper_that_was_never_called_is_an_error(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class HandWritten(Engine):
        def forward_backward(self, data: Any) -> dict[str, float]:
            return {"loss": 1.0}

    engine = make_engine(Adds(), engine_class=HandWritten)
    with pytest.raises(UserError, match=r"'Adds' adds a loss term.*HandWritten.*engine.losses"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


def test_a_loss_that_is_no_number_is_told_with_its_terms(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Poison:
        @hookimpl(wrapper=True)
        def reid_compute_losses(self) -> Any:
            losses = yield
            return {name: value * float("nan") for name, value in losses.items()}

    engine = make_engine(Poison())
    before = {key: value.clone() for key, value in engine.model.named_parameters()}
    with pytest.raises(NonFiniteLossError, match=r"softmax nan.*train.lr"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)
    for key, value in engine.model.named_parameters():
        assert torch.equal(value, before[key])


def test_a_dictionary_of_numbers_is_an_outcome() -> None:
    outcome = as_outcome({"loss": 2.0, "acc": 50.0}, "Mine")
    assert outcome.figures() == {"loss": torch.tensor(2.0), "acc": torch.tensor(50.0)}


def test_a_loss_that_a_step_gives_beside_its_terms_is_not_added_to_them() -> None:
    given = {"loss_t": 1.0, "loss_x": 2.0, "loss": 2.5}
    assert as_outcome(given, origin="a test").figures() == {
        name: torch.tensor(value) for name, value in given.items()
    }


def test_anything_else_is_a_defect_of_the_engine() -> None:
    with pytest.raises(TypeError, match="step of Mine returned NoneType"):
        as_outcome(None, "Mine")
