"""What holds for every command: ``-h``, ``-v``, ``-q``, colours, and where such options belong."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

Program = Callable[..., Any]


@pytest.mark.parametrize(
    "words", [[], ["run"], ["weights"], ["weights", "ls"], ["data", "check"], ["new"]]
)
def test_h_is_help_everywhere(words: list[str]) -> None:
    # Each in a process of its own: click's commands keep the first help option they are asked for.
    short, long = (
        subprocess.run(
            [sys.executable, "-m", "reidcore", *words, option], capture_output=True, text=True
        )
        for option in ("-h", "--help")
    )
    assert (short.returncode, short.stderr) == (0, "")
    assert short.stdout == long.stdout
    assert "-h, --help" in short.stdout


def test_quiet_tells_results_alone(trained: Any) -> None:
    loud = trained("test", trained.checkpoint)
    quiet = trained("-q", "test", trained.checkpoint)
    assert quiet.code == 0
    assert quiet.out.startswith("Results (%)")
    assert quiet.out in loud.out
    assert len(quiet.out.splitlines()) == 7  # three of heading, three of figures, one of conditions
    assert len(loud.out.splitlines()) > 6


def test_verbose_tells_more(trained: Any) -> None:
    usual = trained("test", trained.checkpoint).out
    verbose = trained("-v", "test", trained.checkpoint).out
    assert "plugins: core, " in verbose
    assert "plugins: " not in usual


def test_verbose_and_quiet_are_opposites(program: Program) -> None:
    done = program("-v", "-q", "ls")
    assert (done.code, done.out) == (2, "")
    assert "-v and -q are opposites" in done.err


@pytest.mark.parametrize("words", [["ls", "-q"], ["run", "quickstart", "--debug"], ["env", "-v"]])
def test_a_global_option_after_the_command_is_told_its_place(
    program: Program, words: list[str]
) -> None:
    done = program(*words)
    assert done.code == 2
    assert f"Write it before the command: reidcore {words[-1]} ..." in done.err


def test_json_of_a_test_is_its_record_and_all_of_standard_output(trained: Any) -> None:
    done = trained("test", trained.checkpoint, "--json")
    record = json.loads(done.out)
    written = json.loads((trained.checkpoint.parent / "test_results.json").read_text())
    assert record.keys() == written.keys()
    assert record["targets"]["synthetic"]["mAP"] == written["targets"]["synthetic"]["mAP"]
    assert "Results (%)" in done.err


def in_terminal(*words: str, **environment: str) -> str:
    """Return what a program writes whose standard error is a terminal."""
    ours, theirs = pty.openpty()
    own = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-m", "reidcore", *words],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**own, "TERM": "xterm", **environment},
        check=False,
    )
    os.close(theirs)
    text = os.read(ours, 10_000).decode()
    os.close(ours)
    return text


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_errors_are_coloured_on_a_terminal_that_wants_it(
    environment: dict[str, str], is_coloured: bool
) -> None:
    told = in_terminal("show", "model", "osnet_x1_00", **environment)
    assert "Did you mean 'osnet_x1_0'" in told
    assert ("\x1b[" in told) == is_coloured


def test_errors_in_a_pipe_are_plain(reidcore: Program) -> None:
    assert "\x1b" not in reidcore("ls", "modles").stderr


@pytest.mark.parametrize(
    "words", [["run", "quickstart"], ["complexity", "osnet_x0_25"], ["test", "quickstart"]]
)
def test_a_device_that_is_not_there_is_told_before_any_work(
    program: Program, words: list[str]
) -> None:
    done = program(*words, "--device", "cuda:99")
    assert done.code == 2
    assert "there is no device 'cuda:99' on this machine" in done.err
    assert "Loaded" not in done.out


def test_the_device_of_the_command_line_is_recorded(trained: Any) -> None:
    done = trained("test", trained.checkpoint, "--device", "cpu", "--json")
    record = json.loads(done.out)
    assert (record["device"], record["config"]["use_gpu"]) == ("cpu", False)
