"""A run in a folder where another one was, or is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from reidcore import hookimpl
from reidcore._run_folder import LOCK
from reidcore.engine import Engine, Interrupted, RunPlan
from reidcore.engine.hook_results import files_of_runs
from reidcore.errors import PluginDefectError, UserError, quoted
from reidcore.plugins import make_plugins
from reidcore.utils import load_checkpoint, resume_from_checkpoint
from tests.stopping import StopAfter

MakeEngine = Callable[..., Engine]


@pytest.fixture
def other_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function after which the runs so far are those of another process."""
    return lambda: monkeypatch.setattr("reidcore._run_folder._trained_in", set())


def names_in(folder: Path) -> set[str]:
    return {path.name.split(".out.")[0] for path in folder.iterdir()}


def lines_of(folder: Path) -> int:
    return len((folder / "metrics.jsonl").read_text().splitlines())


RUN = {"model.pth.tar-2", "model-best.pth.tar", "results.json", "metrics.jsonl", "events"}


def test_a_training_anew_moves_another_processs_run_aside_whole(
    make_engine: MakeEngine,
    tmp_path: Path,
    other_process: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    (tmp_path / "notes.txt").write_text("mine")
    weights = load_checkpoint(tmp_path / "model.pth.tar-2")["state_dict"]["conv.weight"]
    first = {name: (tmp_path / name).read_bytes() for name in RUN - {"events"}}
    lines = lines_of(tmp_path)
    other_process()
    make_engine(seed=4).run(save_dir=str(tmp_path), max_epoch=1)
    aside = tmp_path / "earlier-1"
    assert names_in(aside) >= RUN
    assert {name: (aside / name).read_bytes() for name in first} == first
    assert "model.pth.tar-2" not in names_in(tmp_path)
    assert {"model.pth.tar-1", "results.json", "notes.txt"} <= names_in(tmp_path)
    assert len(json.loads((tmp_path / "results.json").read_text())["training"]) == 1
    assert lines_of(tmp_path) < lines
    assert len(list(tmp_path.glob("events.*"))) == 1
    assert f"held another run (model.pth.tar-2 and 1 more): moved to {aside}" in caplog.text
    assert not weights.equal(
        load_checkpoint(tmp_path / "model.pth.tar-1")["state_dict"]["conv.weight"]
    )


def test_a_second_run_of_the_process_goes_on(make_engine: MakeEngine, tmp_path: Path) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    assert {"model.pth.tar-1", "model.pth.tar-2"} <= names_in(tmp_path)
    assert not (tmp_path / "earlier-1").exists()


def test_so_do_tests_and_runs_that_go_on(
    make_engine: MakeEngine, tmp_path: Path, other_process: Callable[[], None]
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    other_process()
    make_engine().run(save_dir=str(tmp_path), test_only=True)
    make_engine().run(save_dir=str(tmp_path), max_epoch=2, start_epoch=1)
    assert {"model.pth.tar-1", "model.pth.tar-2", "test_results.json"} <= names_in(tmp_path)
    other_process()
    make_engine().run(save_dir=str(tmp_path), test_only=True)  # is no training of this process
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    assert (tmp_path / "earlier-1" / "model.pth.tar-2").is_file()


def test_and_one_that_was_stopped_in_its_first_epoch(
    make_engine: MakeEngine, tmp_path: Path, other_process: Callable[[], None]
) -> None:
    with pytest.raises(Interrupted):
        make_engine(StopAfter(1)).run(save_dir=str(tmp_path), max_epoch=1)
    other_process()
    engine = make_engine()
    path = tmp_path / "model-interrupted.pth.tar-0"
    start = resume_from_checkpoint(path, engine.model, engine.optimizer, engine.scheduler)
    engine.run(save_dir=str(tmp_path), max_epoch=1, start_epoch=start)
    assert {path.name, "model.pth.tar-1"} <= names_in(tmp_path)
    assert not (tmp_path / "earlier-1").exists()


def test_a_plan_that_overwrites_removes_it(make_engine: MakeEngine, tmp_path: Path) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    lines = lines_of(tmp_path)
    make_engine().execute(
        RunPlan.checked(save_dir=str(tmp_path), max_epoch=1, overwrites=True, print_freq=3)
    )
    assert "model.pth.tar-2" not in names_in(tmp_path)
    assert lines_of(tmp_path) < lines
    assert len(list(tmp_path.glob("events.*"))) == 1
    assert not (tmp_path / "earlier-1").exists()


class FailsIn:
    """Fails in a hook, the first time that it is called."""

    def __init__(self, name: str, error: type[BaseException] = RuntimeError) -> None:
        def fail() -> None:
            raise error("broken")

        setattr(self, name, hookimpl(fail))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def train(engine: Engine, folder: Path, overwrites: bool) -> None:
    engine.execute(RunPlan.checked(save_dir=str(folder), max_epoch=1, overwrites=overwrites))


@pytest.mark.parametrize("name", ["reid_run_start", "reid_epoch_start"])
@pytest.mark.parametrize("overwrites", [False, True])
def test_a_start_that_fails_costs_the_earlier_run_nothing(
    make_engine: MakeEngine,
    tmp_path: Path,
    other_process: Callable[[], None],
    overwrites: bool,
    name: str,
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    (tmp_path / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    other_process()
    for _ in range(2):  # the second one is another run's neither
        with pytest.raises(RuntimeError, match="broken"):
            train(make_engine(FailsIn(name)), tmp_path, overwrites)
        assert contents(tmp_path) == before
    train(make_engine(), tmp_path, overwrites)
    assert (tmp_path / "earlier-1").exists() != overwrites
    assert "model.pth.tar-2" not in names_in(tmp_path)


def test_a_run_that_fails_after_its_first_step_leaves_the_run_it_was_to_overwrite(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    before = contents(tmp_path)
    with pytest.raises(RuntimeError, match="broken"):
        train(make_engine(FailsIn("reid_epoch_end")), tmp_path, overwrites=True)
    assert contents(tmp_path / "earlier-1").items() <= before.items()
    assert "model.pth.tar-2" in names_in(tmp_path / "earlier-1")
    assert "metrics.jsonl" in names_in(tmp_path)
    assert f"The run before is kept in {tmp_path / 'earlier-1'}" in caplog.text


def test_it_is_there_until_the_new_run_has_a_checkpoint(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Looks:
        seen: ClassVar[list[bool]] = []

        @hookimpl
        def reid_epoch_start(self) -> None:
            self.seen.append((tmp_path / "earlier-1" / "model.pth.tar-2").exists())

    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    plan = RunPlan.checked(save_dir=str(tmp_path), max_epoch=2, overwrites=True)
    make_engine(Looks()).execute(plan)
    assert Looks.seen == [True, False]


def test_a_run_that_goes_on_does_not_remove_what_it_goes_on_from(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=1, eval_freq=1)
    make_engine().execute(
        RunPlan.checked(save_dir=str(tmp_path), start_epoch=1, max_epoch=2, overwrites=True)
    )
    assert {"model.pth.tar-1", "model.pth.tar-2"} <= names_in(tmp_path)


def test_a_training_has_its_folder_alone_and_tests_may_write_there(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Meanwhile:
        """Runs other engines in the folder of the training under way."""

        @hookimpl
        def reid_epoch_end(self) -> None:
            with pytest.raises(UserError, match="another run writes to"):
                make_engine().run(save_dir=str(tmp_path), max_epoch=1)
            make_engine().run(save_dir=str(tmp_path), test_only=True)

    make_engine(Meanwhile()).run(save_dir=str(tmp_path), max_epoch=1)
    assert {"model.pth.tar-1", "results.json", "test_results.json"} <= names_in(tmp_path)
    assert LOCK not in names_in(tmp_path)
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)  # the lock is gone


def test_a_run_that_is_refused_leaves_the_engine_as_it_was(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    engine = make_engine()
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(UserError, match=r"No space left on device\. .*: save_dir=FOLDER"):
            engine.run(save_dir=str(tmp_path), test_only=True)
    assert engine.active_run is None
    engine.run(save_dir=str(tmp_path), max_epoch=1)


@pytest.mark.parametrize("answer", ["notes.txt", ["*"], [".."], ["a/b"], [1], 5])
def test_files_that_are_none_are_a_defect_of_their_plugin(
    make_engine: MakeEngine, tmp_path: Path, answer: object
) -> None:
    class Odd:
        @hookimpl
        def reid_run_files(self) -> object:
            return answer

    with pytest.raises(PluginDefectError, match=r"Odd' gave .* in reid_run_files; it must return"):
        make_engine(Odd()).run(save_dir=str(tmp_path), max_epoch=1)


def test_a_long_answer_is_quoted_in_short_with_the_plugins_origin(tmp_path: Path) -> None:
    answer = {"a" * 50: "b" * 50, "c" * 500: 1}

    class Odd:
        @hookimpl
        def reid_run_files(self) -> object:
            return answer

    made = make_plugins(extra=[Odd()])
    made.get("Odd").distribution = "reid-odd"
    with pytest.raises(PluginDefectError) as told:
        files_of_runs(made, tmp_path)
    assert f"plugin 'Odd' (reid-odd) gave {quoted(answer)} in reid_run_files" in str(told.value)
