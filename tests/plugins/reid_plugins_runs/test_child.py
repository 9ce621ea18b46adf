"""Processes that a sweep starts end with it, by the signal that ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from reid_plugins_runs.child import run_reidcore

STUB = """#!{python}
import os, signal, sys, time
from pathlib import Path

def leave(number, frame):
    Path("stopped").write_text(str(number))
    sys.exit(128 + number)

for stop in (signal.SIGINT, signal.SIGTERM):
    signal.signal(stop, leave)
Path("words").write_text(" ".join(sys.argv[1:]))
if "wait" in sys.argv:
    time.sleep(30)
sys.exit(7 if "REIDCORE_STEP" in os.environ else 1)
"""


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a script in the place of Python, which tells what it was given."""
    script = tmp_path / "python"
    script.write_text(STUB.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(script))
    return tmp_path


def test_the_exit_code_of_a_step_is_handed_on(stub) -> None:
    assert run_reidcore(["run", "quickstart"]) == 7
    assert (stub / "words").read_text().endswith("-m reidcore run quickstart")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_process_whose_end_is_waited_for(stub, stop) -> None:
    def ask() -> None:
        while not (stub / "words").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), stop)

    before = signal.getsignal(stop)
    thread = threading.Thread(target=ask)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as ended:
        run_reidcore(["wait"])
    thread.join()
    assert ended.value.args == (stop,)
    assert (stub / "stopped").read_text() == str(int(stop))
    assert signal.getsignal(stop) is before


def test_a_signal_that_comes_while_the_process_starts_reaches_it(stub, monkeypatch) -> None:
    class Starting(subprocess.Popen):
        def __init__(self, *words, **options) -> None:
            super().__init__(*words, **options)
            while not (stub / "words").exists():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Starting)
    with pytest.raises(KeyboardInterrupt):
        run_reidcore(["wait"])
    assert (stub / "stopped").read_text() == str(int(signal.SIGTERM))
