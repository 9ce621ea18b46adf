"""The log of a run: times, warnings and tracebacks, and nothing for a terminal alone."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reid_plugins_writers.log_file import RunLog

from reidcore import hookimpl
from reidcore._logging import configure_if_bare
from reidcore.config import load_config
from reidcore.errors import UserError
from reidcore.plugins import make_plugins
from reidcore.testing import tiny_run

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (INFO|RESULT|WARNING|ERROR) ")


@contextlib.contextmanager
def talkative() -> Iterator[None]:
    """Let the core say as much as it does in a program that configures no logging."""
    logger = logging.getLogger("reidcore")
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)


@pytest.fixture(autouse=True)
def _info() -> Iterator[None]:
    with talkative():
        yield


class Talking:
    """Tells something at every level, on the way."""

    @hookimpl
    def reid_epoch_start(self) -> None:
        logging.getLogger("reidcore.acme").info("\x1b[31mred\x1b[0m and\ttab")
        logging.getLogger("acme").warning("of another logger")
        warnings.warn("of Python", stacklevel=1)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("log")
    with talkative(), warnings.catch_warnings():
        warnings.simplefilter("always")
        tiny_run(Talking(), save_dir=folder)
        tiny_run(Talking(), save_dir=folder, overrides=["test.evaluate=true"])
    assert "epoch" not in (folder / "test.log").read_text()
    return (folder / "train.log").read_text()


def test_every_record_has_its_time(logged: str) -> None:
    lines = logged.splitlines()
    assert all(LINE.match(line) or line.startswith("  ") for line in lines)
    assert any("Results (%)" in line for line in lines)


def test_it_holds_what_was_told_before_the_run_had_a_folder(logged: str) -> None:
    assert logged.index("=> Loaded tiny") < logged.index(" INFO plugins: ")
    assert logged.index(" INFO plugins: ") < logged.index("Results written to")


def test_it_holds_the_lines_that_a_live_display_leaves_out(logged: str) -> None:
    assert "epoch: [1/1]" in logged


def test_it_holds_warnings_of_others_and_of_python(logged: str) -> None:
    assert " WARNING of another logger\n" in logged
    assert " WARNING UserWarning: of Python (" in logged


def test_it_holds_no_control_sequences(logged: str) -> None:
    assert r" INFO \x1b[31mred\x1b[0m and" + "\ttab\n" in logged
    assert "\x1b" not in logged


def test_no_name_can_pretend_to_be_a_record(tmp_path: Path) -> None:
    log = RunLog()
    log.open(tmp_path / "a.log")
    logging.getLogger("reidcore").warning("the file %s", "a\n2026-01-01 00:00:00 ERROR lost")
    log.close()
    assert len(re.findall(LINE, (tmp_path / "a.log").read_text())) == 2
    assert len(re.findall(rf"(?m)^{LINE.pattern}", (tmp_path / "a.log").read_text())) == 1


def test_it_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    tiny_run(save_dir=tmp_path)
    first = path.read_text()
    tiny_run(
        save_dir=tmp_path,
        overrides=["train.max_epoch=2", f"model.resume={tmp_path}/model.pth.tar-1"],
    )
    assert path.read_text().startswith(first)
    assert "epoch 2/2" in path.read_text().removeprefix(first)
    assert "epoch 1/2" not in path.read_text().removeprefix(first)


def test_the_traceback_of_a_failure_is_in_it(tmp_path: Path) -> None:
    class Failing:
        @hookimpl
        def reid_step_end(self) -> None:
            raise RuntimeError("an observer fails")

    with pytest.raises(RuntimeError):
        tiny_run(Failing(), save_dir=tmp_path)
    logged = (tmp_path / "train.log").read_text()
    assert " ERROR The run did not finish\n  Traceback (most recent call last):\n" in logged
    assert "RuntimeError: an observer fails" in logged


def listening() -> tuple[Any, ...]:
    """Return all that takes in what a process tells."""
    loggers = [logging.getLogger(name) for name in ("", "reidcore")]
    return *(list(each.handlers) for each in loggers), logging.lastResort, warnings.showwarning


def test_nothing_listens_once_a_run_is_over(tmp_path: Path) -> None:
    before = listening()
    tiny_run(save_dir=tmp_path)
    assert listening() == before


@pytest.mark.parametrize("setting", ["model.name=nosuchnet", "model.resume=no_such_file.pth"])
def test_nothing_listens_where_a_run_could_not_start(tmp_path: Path, setting: str) -> None:
    before = listening()
    with pytest.raises(UserError):
        tiny_run(save_dir=tmp_path, overrides=[setting])
    assert listening() == before


def test_nothing_listens_where_the_plugins_were_not_made_current(tmp_path: Path) -> None:
    before, made = listening(), make_plugins()
    made.hook.reid_configure(config=load_config({}, plugins=made))
    assert listening() == before


def test_a_plugin_may_configure_logging_while_it_listens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    told = io.StringIO()
    log = RunLog()
    log.open(tmp_path / "a.log")
    logging.basicConfig(stream=told, format="own %(message)s")
    logging.getLogger("reidcore").warning("of the core")
    logging.getLogger("acme").warning("of another logger")
    log.close()
    assert "own of another logger\n" in told.getvalue()
    lines = (tmp_path / "a.log").read_text().splitlines()
    assert [line.partition(" WARNING ")[2] for line in lines] == [
        "of the core",
        "of another logger",
    ]


def test_the_core_shows_what_it_tells_while_the_log_alone_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("reidcore")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)
    log = RunLog()
    configure_if_bare()
    logger.info("epoch 1")
    log.close()
    assert capsys.readouterr().out == "epoch 1\n"


def test_a_full_disk_is_told_once(tmp_path: Path, caplog: Any) -> None:
    log = RunLog()
    log.open(Path("/dev/full"))
    logging.getLogger("reidcore").info("one")
    logging.getLogger("reidcore").info("two")
    log.close()
    told = "The log /dev/full cannot be written (No space left on device): the run goes on without"
    assert caplog.messages == [told, "one", "two"] or caplog.messages == ["one", told, "two"]


def test_warnings_of_others_are_shown_as_ever(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    log = RunLog()
    logging.getLogger("acme").warning("of another logger")
    log.close()
    assert capsys.readouterr().err == "of another logger\n"


def test_what_cannot_be_encoded_is_escaped(tmp_path: Path) -> None:
    log = RunLog()
    log.open(tmp_path / "a.log")
    log.tell(logging.WARNING, "the file caf\udce9.jpg")
    log.close()
    assert (tmp_path / "a.log").read_text().endswith("the file caf\\udce9.jpg\n")
