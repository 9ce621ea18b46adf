"""Signals to stop wait for a safe place."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted, interrupts
from reidcore.engine.interrupts import Interruption
from reidcore.errors import DataError
from reidcore.utils import load_checkpoint

MakeEngine = Callable[..., Engine]

STOPS = [signal.SIGINT, signal.SIGTERM]
if hasattr(signal, "SIGHUP"):
    STOPS.append(signal.SIGHUP)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as its only element."""
    now = [100.0]
    monkeypatch.setattr(interrupts.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture(autouse=True)
def _default_handlers() -> Iterator[None]:
    """Whatever handles signals in the process that tests."""
    former = {signum: signal.getsignal(signum) for signum in STOPS}
    for signum in STOPS[1:]:
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for signum, handler in former.items():
        signal.signal(signum, handler)


@pytest.mark.parametrize("signum", STOPS)
def test_the_first_signal_asks_and_the_second_stops_at_once(
    signum: signal.Signals, clock: list[float]
) -> None:
    interruption = Interruption()
    with interruption.listening():
        signal.raise_signal(signum)
        clock[0] += 2.0
        with pytest.raises(KeyboardInterrupt) as at_once:
            signal.raise_signal(signum)
        with pytest.raises(Interrupted) as stopped:
            interruption.check()
    assert not isinstance(at_once.value, Interrupted)
    assert at_once.value.args == stopped.value.args == (signum,)
    interruption.check()


def test_what_comes_with_the_first_sigterm_is_the_same_wish(clock: list[float]) -> None:
    """``timeout`` signals a program and, at once, its group."""
    interruption = Interruption()
    with interruption.listening():
        for signum in STOPS[1:] * 2:
            signal.raise_signal(signum)
        with pytest.raises(Interrupted) as stopped:
            interruption.check()
    assert stopped.value.args == (signal.SIGTERM,)


def test_two_fast_ctrl_c_stop_at_once(clock: list[float]) -> None:
    with Interruption().listening():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_former_handlers_come_back() -> None:
    before = [signal.getsignal(signum) for signum in STOPS]
    with Interruption().listening():
        assert all(signal.getsignal(signum) not in before for signum in STOPS)
    assert [signal.getsignal(signum) for signum in STOPS] == before


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
@pytest.mark.parametrize("signum", STOPS)
def test_what_the_program_handles_or_ignores_is_left_to_it(
    signum: signal.Signals, handler: Any
) -> None:
    """``nohup`` starts programs that ignore SIGHUP."""
    signal.signal(signum, handler)
    with Interruption().listening():
        assert signal.getsignal(signum) is handler
        assert signal.getsignal(next(other for other in STOPS if other != signum)) is not handler


def test_a_run_within_a_run_listens_as_well() -> None:
    outer, inner = Interruption(), Interruption()
    with outer.listening():
        with inner.listening():
            signal.raise_signal(signal.SIGTERM)
        outer.check()
        with pytest.raises(Interrupted):
            inner.check()


def test_another_thread_listens_to_nothing_and_works() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work() -> None:
        with Interruption().listening():
            seen.append(signal.getsignal(signal.SIGINT) is before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]


@pytest.mark.parametrize("signum", STOPS)
def test_a_signal_leaves_the_epoch_under_way(
    make_engine: MakeEngine, tmp_path: Path, signum: signal.Signals
) -> None:
    class Stop:
        @hookimpl
        def reid_step_end(self, engine: Engine) -> None:
            if engine.active_run and engine.active_run.position.batch == 2:
                signal.raise_signal(signum)

    with pytest.raises(Interrupted) as stopped:
        make_engine(Stop()).run(save_dir=str(tmp_path), max_epoch=2)
    own = load_checkpoint(tmp_path / "model-interrupted.pth.tar-0")["reidcore"]
    assert (own["epoch"], own["step"]) == (0, 2)
    assert stopped.value.args == (signum,)


@pytest.mark.parametrize("asked", [False, True])
def test_a_loader_whose_workers_were_stopped_along_has_not_failed(asked: bool) -> None:
    """``systemd`` signals every process of a unit."""

    def batches() -> Iterator[int]:
        yield 1
        if asked:
            interruption.ask(signal.SIGTERM)
        raise DataError("a worker process was killed")

    interruption = Interruption()
    with pytest.raises(Interrupted if asked else DataError):
        list(interruption.stoppable(batches()))


def test_of_several_processes_none_stops_by_itself_as_if_all_had_agreed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What they leave together, such as a checkpoint, would wait for the others."""

    def batches() -> Iterator[int]:
        interruption.ask(signal.SIGTERM)
        yield from ()
        raise DataError("a worker process was killed")

    monkeypatch.setattr("reidcore.engine.interrupts.rank_and_world", lambda: (0, 2))
    interruption = Interruption()
    with pytest.raises(KeyboardInterrupt) as stopped:
        list(interruption.stoppable(batches()))
    assert not isinstance(stopped.value, Interrupted)
    assert stopped.value.args == (signal.SIGTERM,)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="takes a pseudo-terminal")
def test_output_to_a_terminal_that_is_gone_is_no_error() -> None:
    master, terminal = os.openpty()
    kept = os.dup(1)
    try:
        os.dup2(terminal, 1)
        os.close(terminal)
        os.close(master)
        with pytest.raises(OSError, match="Input/output"):
            os.write(1, b"lost")
        with Interruption().listening():
            signal.raise_signal(signal.SIGHUP)
        os.write(1, b"lost")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
