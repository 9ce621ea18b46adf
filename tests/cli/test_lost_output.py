"""Commands whose output is lost, and runs that go on without theirs."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reidcore.cli.app import main
from reidcore.testing import fake_dataset
from reidcore.utils import read_json

PLUGIN = """
from reidcore import hookimpl
from reidcore.testing import TinyWorld

world = TinyWorld()
reid_register_models = world.reid_register_models
reid_register_datasets = world.reid_register_datasets

@hookimpl
def reid_step_end():
    print("a plugin's word", flush=True)
"""


class Lost(io.RawIOBase):
    """A file that takes nothing."""

    def __init__(self, code: int) -> None:
        self.code = code

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise OSError(self.code, os.strerror(self.code))


def lose_output(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    lost = io.TextIOWrapper(io.BufferedWriter(Lost(code)), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", lost)


def exit_code_of(*words: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


@pytest.mark.parametrize("words", [["ls", "models"], ["--help"], ["plugins", "--json"]])
def test_a_command_tells_that_its_output_is_lost(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lose_output(monkeypatch, errno.ENOSPC)
    assert exit_code_of(*words) == 2
    told = capsys.readouterr().err
    assert told == "Error: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", [["ls", "models"], ["--help"], ["plugins", "--json"]])
def test_a_command_says_nothing_to_a_reader_that_left(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lose_output(monkeypatch, errno.EPIPE)
    assert exit_code_of(*words) == 128 + 13
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EPIPE])
def test_a_run_goes_on_without_its_output(
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_dataset(tmp_path / "tiny", ids=2)
    plugin = tmp_path / "talking.py"
    plugin.write_text(PLUGIN)
    log = tmp_path / "log"
    words = ["run", "-p", str(plugin), f"data.root={tmp_path}", "data.sources=[tiny]"]
    words += ["data.targets=[tiny]", f"data.save_dir={log}", "model.name=tinynet"]
    words += ["data.workers=0", "data.height=32", "data.width=16", "train.batch_size=4"]
    lose_output(monkeypatch, code)
    assert exit_code_of(*words, "train.max_epoch=1", "use_gpu=false") == 0
    told = capsys.readouterr().err
    assert told.count("Standard output cannot be written") == 1
    assert "the work goes on" in told
    assert read_json(log / "results.json")["finished"]
    assert (log / "model-best.pth.tar").is_file()
    assert (log / "train.log").read_text().count("Standard output cannot be written") == 1


def test_tables_and_names_fit_a_terminal_of_ascii(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "reidcore", "ls", "models", "caf\u00e9"]
    shown = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert shown.returncode == 2
    assert rb"'caf\xe9'" in shown.stderr
    shown.stderr.decode("ascii")
