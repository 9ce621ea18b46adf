"""A training that does not get better ends as a whole run, and stays ended when it is resumed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_training.early_stopping import EarlyStopping, last_improvement

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.errors import ConfigError, UserError
from reidcore.testing import TinyRun
from reidcore.utils import read_json

Train = Callable[..., TinyRun]

ON = ("settings.training.early_stop.patience=2", "test.eval_freq=1", "train.max_epoch=9")


class Figures:
    """Has tests after epochs find these figures in place of their own."""

    def __init__(self, *values: float) -> None:
        self.values = values

    @hookimpl(tryfirst=True)
    def reid_stop_training(self, engine: Engine) -> None:
        values = engine.record.selection.values
        for (epoch, _), value in zip(list(values.items()), self.values, strict=False):
            values[epoch] = value


@pytest.mark.parametrize(
    ("values", "settings", "epochs"),
    [
        pytest.param((0.1, 0.5, 0.4, 0.3, 0.9), [], 4, id="twice worse"),
        pytest.param((0.1, 0.5, 0.5, 0.5, 0.9), [], 4, id="equal is not better"),
        pytest.param((0.1, 0.5, 0.4, 0.6, 0.5, 0.5), [], 6, id="once worse"),
        pytest.param((0.3, 0.2, 0.1), [], 3, id="never better"),
        pytest.param(
            (0.1, 0.15, 0.18, 0.9),
            ["settings.training.early_stop.min_delta=0.1"],
            3,
            id="hardly better",
        ),
        pytest.param(
            (0.1, 0.15, 0.25, 0.3, 0.34),
            ["settings.training.early_stop.min_delta=0.1"],
            5,
            id="better than the last that counted",
        ),
    ],
)
def test_it_stops_after_so_many_tests_without_a_better_figure(
    train: Train, values: tuple[float, ...], settings: list[str], epochs: int
) -> None:
    run = train("run", *ON, *settings, plugins=(Figures(*values),))
    assert len(run.result["training"]) == epochs
    assert run.result["finished"] is True
    assert "2 tests in a row had no better rank1 on tiny than" in run.result["stopped"]


def test_the_run_ends_as_a_whole_one_and_stays_so(
    train: Train, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    figures = Figures(0.5, 0.4, 0.3)
    first = train("run", *ON, plugins=(figures,))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        again = train(
            "run", *ON, f"model.resume={tmp_path / 'run' / 'model.pth.tar-3'}", plugins=(figures,)
        )
    assert [epoch["epoch"] for epoch in again.result["training"]] == [1, 2, 3]
    for key in ("stopped", "selection"):
        assert again.result[key] == first.result[key]
    mAP = {run.result["targets"]["tiny"]["mAP"] for run in (first, again)}
    assert len(mAP) == 1
    assert read_json(tmp_path / "run" / "results.json")["stopped"] == first.result["stopped"]
    assert len([told for told in caplog.messages if told.startswith("Training stops")]) == 1


def test_with_more_patience_it_goes_on(train: Train, tmp_path: Path) -> None:
    figures = Figures(0.5, 0.4, 0.3)
    train("run", *ON, plugins=(figures,))
    path = tmp_path / "run" / "model.pth.tar-3"
    on = [*ON[1:2], "train.max_epoch=4", "settings.training.early_stop.patience=3"]
    again = train("run", *on, f"model.resume={path}", plugins=(figures,))
    assert len(again.result["training"]) == 4


class Watching:
    """Notes of each test whether it is the last on the targets."""

    def __init__(self) -> None:
        self.final: list[bool] = []

    @hookimpl
    def reid_evaluate(self, engine: Engine) -> None:
        self.final.append(engine.is_final_test)


class Listening(Watching):
    """Waits for a last test, as who saves the features does."""

    @hookimpl
    def reid_target_tested(self, engine: Engine) -> None:
        """Nothing is saved."""


def epochs_tested(folder: Path) -> list[int]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["epoch"] for line in lines if line["kind"] == "test"]


def test_targets_that_were_tested_before_the_stop_are_not_again(
    train: Train, tmp_path: Path
) -> None:
    tests = Watching()
    on = (*ON, "settings.writers.jsonl=true")
    run = train("run", *on, plugins=(tests, Figures(0.5, 0.4, 0.3)))
    assert tests.final == [False, False, False]
    assert run.result["targets"]
    assert run.result["selection"]["tested_epoch"] == 3
    assert epochs_tested(tmp_path / "run") == [1, 2, 3]


@pytest.mark.parametrize(
    ("tests", "settings"),
    [(Listening(), ()), (Watching(), ("test.visrank=true",))],
    ids=["a plugin listens", "pictures are drawn"],
)
def test_they_are_where_the_last_test_does_more(
    train: Train, tmp_path: Path, tests: Watching, settings: tuple[str, ...]
) -> None:
    on = (*ON, "settings.writers.jsonl=true", *settings)
    run = train("run", *on, plugins=(tests, Figures(0.5, 0.4, 0.3)))
    assert tests.final == [False, False, False, True]
    assert epochs_tested(tmp_path / "run") == [1, 2, 3]  # one line for each
    assert bool(run.result["targets"]["tiny"]["pictures"]) == bool(settings)


def test_weights_that_were_not_tested_before_the_stop_are(train: Train) -> None:
    class Stop:
        @hookimpl
        def reid_stop_training(self, engine: Engine) -> str | None:
            return "enough" if engine.record.history else None

    tests = Watching()
    run = train("run", "test.eval_freq=-1", plugins=(tests, Stop()))
    assert tests.final == [True]
    assert run.result["selection"]["tested_epoch"] == 1


def test_a_run_that_gets_better_comes_to_its_end(train: Train) -> None:
    run = train("run", *ON, "train.max_epoch=4", plugins=(Figures(0.1, 0.2, 0.3, 0.4),))
    assert len(run.result["training"]) == 4
    assert run.result["stopped"] is None


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.floats(0, 0.5),
)
def test_the_last_improvement_is_better_and_nothing_after_it_is(
    figures: list[float], min_delta: float
) -> None:
    values = dict(enumerate(figures, 1))
    best = last_improvement(values, min_delta)
    before = [value for epoch, value in values.items() if epoch < best]
    after = [value for epoch, value in values.items() if epoch > best]
    assert all(values[best] > value for value in before)
    assert all(value <= values[best] + min_delta for value in after)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["test.eval_freq=-1"], "one after its last epoch alone"),
        (["test.select_on=none", "test.eval_freq=1"], "and none is"),
        (["data.targets=[]", "test.eval_freq=1"], "and none is"),
    ],
)
def test_a_training_without_tests_is_refused(train: Train, settings: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        train("run", "settings.training.early_stop.patience=2", *settings)


@pytest.mark.parametrize("setting", ["{}", "{patience: 0}", "{patience: 1, min_delta: -1}"])
def test_patience_that_is_none_is_refused(train: Train, setting: str) -> None:
    with pytest.raises(ConfigError, match=r"settings\.training\.early_stop\.\w+: "):
        train("run", f"settings.training.early_stop={setting}")


def test_by_hand(train: Train) -> None:
    run = train("run", *ON[1:], plugins=(Figures(0.5, 0.4), EarlyStopping(patience=1)))
    assert len(run.result["training"]) == 2
