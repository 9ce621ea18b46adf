"""Ctrl-C waits for a safe place."""

from __future__ import annotations

import signal
import threading

import pytest

from reidcore.engine.interrupts import Interrupted, Interruption


def test_the_first_ctrl_c_asks_and_the_second_stops_at_once() -> None:
    interruption = Interruption()
    with interruption.listening():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted):
            interruption.check()
    interruption.check()


def test_the_former_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interruption().listening():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


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
