"""What stands on a terminal while a run goes on, and after it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from reid_plugins_writers.console import LiveConsole
from rich.table import Table

from reidcore.engine.meters import Position
from reidcore.engine.run import IN_PROGRESS
from reidcore.evaluation import table
from reidcore.evaluation.result import RankingResult

EPOCHS, BATCHES = 60, 4
WIDTHS = [60, 80, 120]
FIGURES = {"softmax": 5.1234, "triplet": 0.28411, "loss": 5.4075, "acc": 45.3125, "lr": 0.0003}


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """The core's logger, without what other tests attached to it."""
    logger = logging.getLogger("reidcore")
    kept = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [], False
    logger.setLevel(logging.INFO)
    yield logger
    logger.handlers, logger.level, logger.propagate = kept


def an_engine() -> Any:
    return SimpleNamespace(progress=lambda loader, label: loader, active_run=None, config=None)


def at(epoch: int, batch: int) -> Any:
    return SimpleNamespace(
        position=Position(epoch, EPOCHS, batch, BATCHES, 1000.0),
        shows_figures=True,
        figures=lambda: FIGURES,
    )


def attach(log: logging.Logger, terminal: Any) -> logging.Handler:
    """Let the program log to the terminal, as a bare script does."""
    handler = logging.StreamHandler(terminal)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    return handler


def replay(log: logging.Logger, terminal: Any, watch: Callable[[], None] = lambda: None) -> Table:
    """Replay the calls of a run of 60 epochs and a test; return its table."""
    engine = an_engine()
    console = LiveConsole(engine, terminal.console(), refreshes=False)
    log.info("plugins: core, standard")
    for epoch in range(1, EPOCHS + 1):
        for batch in range(1, BATCHES + 1):
            engine.active_run = at(epoch, batch)
            log.info("epoch: [%d/%d][%d/%d]", epoch, EPOCHS, batch, BATCHES, extra=IN_PROGRESS)
            console.step_done(engine)
            watch()
        log.info("epoch %d/%d  loss 5.407  lr 0.0003  12.3 s", epoch, EPOCHS)
        console.epoch_done(engine)
    for split in ("query", "gallery"):
        for _ in engine.progress([1, 2, 3], f"market1501: {split}"):
            watch()
    shown = table({"name_of_22_characters_": _result()})
    log.info("the table as text", extra={"renderable": shown})
    log.info("Results written to log/results.json")
    console.close(engine)
    return shown


def _result() -> RankingResult:
    import numpy as np

    ones = np.ones(3)
    return RankingResult(np.ones(50), 0.849, 0.6, ones, ones, np.ones(3, dtype=np.int64), 50)


@pytest.mark.parametrize("columns", WIDTHS)
def test_each_epoch_leaves_one_line_and_the_table_stays(
    log: logging.Logger, make_terminal: Any, columns: int
) -> None:
    terminal = make_terminal(columns)
    attach(log, terminal)
    replay(log, terminal)
    lines = terminal.lines
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert epochs == [f"epoch {n}/60  loss 5.407  lr 0.0003  12.3 s" for n in range(1, 61)]
    text = "\n".join(lines)
    assert "84.9" in text
    assert "Results (%)" in text
    assert lines[0] == "plugins: core, standard"
    assert lines[-1] == "Results written to log/results.json"
    # Nothing is left of the live line, nor of lines that it stood for.
    assert "eta" not in text
    assert "[1/4]" not in text
    assert "the table as text" not in text


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_shows_names_and_headings_whole(
    log: logging.Logger, make_terminal: Any, columns: int
) -> None:
    terminal = make_terminal(columns)
    attach(log, terminal)
    replay(log, terminal)
    heading = next(line for line in terminal.lines if "Target" in line)
    ranks = ["Rank-1", "Rank-5", "Rank-10", "Rank-20"]
    assert heading.split() == ["Target", "mAP", "mINP", *ranks, "Queries", "Skipped"]
    row = next(line for line in terminal.lines if "84.9" in line)
    assert row.split() == ["name_of_22_characters_", "84.9", "60.0", *["100.0"] * 4, "3", "0"]


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_live_line_moves_at_the_bottom_in_every_epoch(
    log: logging.Logger, make_terminal: Any, columns: int
) -> None:
    terminal = make_terminal(columns)
    attach(log, terminal)
    seen: list[str] = []

    def watch() -> None:
        seen.append(terminal.lines[-1])

    replay(log, terminal, watch)
    training = seen[: EPOCHS * BATCHES]
    for number, line in enumerate(training):
        epoch, batch = number // BATCHES + 1, number % BATCHES + 1
        assert line.startswith(f"epoch {epoch}/60")
        assert f" {batch}/{BATCHES} " in line
        left = (EPOCHS - epoch + 1) * BATCHES - batch
        assert f"eta {Position(epoch, EPOCHS, batch, BATCHES, 1000.0).eta}" in line, left
        assert len(line) < columns
    assert seen[-3:] == [line for line in seen[-3:] if line.startswith("market1501: gallery")]


def test_only_one_line_is_live(log: logging.Logger, make_terminal: Any) -> None:
    terminal = make_terminal(80)
    attach(log, terminal)
    live: list[int] = []

    def watch() -> None:
        live.append(sum("━" in line or "╌" in line for line in terminal.lines))

    replay(log, terminal, watch)
    assert set(live) == {1}


def test_handlers_and_loaders_are_given_back(log: logging.Logger, make_terminal: Any) -> None:
    terminal = make_terminal(80)
    handler = attach(log, terminal)
    elsewhere = logging.NullHandler()
    log.addHandler(elsewhere)
    before, engine = set(log.handlers), an_engine()
    progress = engine.progress
    console = LiveConsole(engine, terminal.console(), refreshes=False)
    assert handler not in log.handlers
    assert elsewhere in log.handlers
    console.close(engine)
    assert set(log.handlers) == before
    assert engine.progress is progress


def test_the_level_of_the_programs_handler_holds(log: logging.Logger, make_terminal: Any) -> None:
    terminal = make_terminal(80)
    attach(log, terminal).setLevel(logging.WARNING)
    engine = an_engine()
    console = LiveConsole(engine, terminal.console(), refreshes=False)
    log.info("a whisper")
    log.warning("a word")
    console.close(engine)
    assert terminal.lines == ["a word"]


def test_a_failing_loader_takes_its_line_away(log: logging.Logger, make_terminal: Any) -> None:
    terminal = make_terminal(80)
    engine = an_engine()
    console = LiveConsole(engine, terminal.console(), refreshes=False)

    def failing() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        list(engine.progress(failing(), "market1501: query"))
    console.close(engine)
    assert terminal.lines == []


def test_names_do_not_steer_the_terminal(log: logging.Logger, make_terminal: Any) -> None:
    terminal = make_terminal(80)
    attach(log, terminal)
    engine = an_engine()
    console = LiveConsole(engine, terminal.console(), refreshes=False)
    seen = []
    for _ in engine.progress(iter([1]), "shop\x1b[2J\n: query"):
        log.warning("a \x1b[2J word")
        seen = list(terminal.lines)
    console.close(engine)
    assert seen[0] == r"a \x1b[2J word"
    assert seen[-1].startswith(r"shop\x1b[2J\n: query")
