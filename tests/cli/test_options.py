"""What plugins' commands share with the core's."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from reidcore.cli import (
    CheckpointOptions,
    Session,
    checkpoint_options,
    configuration_command,
    device_option,
    json_option,
    root_option,
)
from reidcore.errors import UserError

CHOSEN = {"root": None, "dataset": None, "model": None, "save_dir": "log"}
SIZE = {"height": None, "width": None}


def test_the_facade_loads_nothing_heavy() -> None:
    heavy = {"torch", "numpy", "yaml", "pydantic", "rich"}
    code = f"import sys, reidcore.cli; print({heavy!r} & set(sys.modules) or 'none')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "none\n"


def test_shared_options_are_named_alike() -> None:
    @click.command()
    @json_option
    @root_option
    @device_option
    def show(as_json: bool, root: str, device: str | None) -> None:
        click.echo(f"{as_json} {root} {device}")

    assert CliRunner().invoke(show, []).output == "False reid-data None\n"
    words = ["--json", "--root", "data", "--device", "cpu"]
    assert CliRunner().invoke(show, words).output == "True data cpu\n"


def test_a_configuration_command_leaves_its_words_alone() -> None:
    @configuration_command("")
    def count(session: Session, extra: tuple[str, ...], words: tuple[str, ...]) -> None:
        click.echo(f"{extra} {words}")

    done = CliRunner().invoke(count, ["a", "-p", "x.py", "--root", "d", "k=v"], obj=Session())
    assert done.output == "('x.py',) ('a', '--root', 'd', 'k=v')\n"


def test_checkpoint_options_make_the_command_line_of_a_test() -> None:
    made = []

    @click.command()
    @checkpoint_options
    def look(**options: object) -> None:
        made.append(CheckpointOptions(**options))  # type: ignore[arg-type]

    words = ["-d", "shop", "-m", "osnet_x1_0", "--weights", "w.pth", "--height", "64"]
    assert CliRunner().invoke(look, words).exit_code == 0
    assert made[0].words("test.visrank=true") == [
        *("-s", "shop", "-t", "shop"),
        "model.name=osnet_x1_0",
        "model.pretrained=false",
        "model.load_weights=w.pth",
        "data.save_dir=log",
        "data.height=64",
        "test.evaluate=true",
        "test.visrank=true",
    ]


def test_a_checkpoint_that_tells_its_model_stands_for_the_configuration(tmp_path) -> None:
    path = tmp_path / "model.pth.tar-8"
    path.write_bytes(b"PK\x03\x04")
    words = CheckpointOptions(**CHOSEN, **SIZE, weights=str(path)).words()
    assert words[0] == str(path)
    assert not any(word.startswith("model.name") for word in words)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({}, "no checkpoint at 'gone.pth'. Check the path, or give -m."),
        ({"model": "osnet_x1_0"}, "no dataset is named. Give -d, or leave out -m as well."),
    ],
)
def test_what_nobody_tells_is_asked_for(chosen, message) -> None:
    options = CheckpointOptions(**{**CHOSEN, **chosen}, **SIZE, weights="gone.pth")
    with pytest.raises(UserError) as refused:
        options.words()
    assert str(refused.value) == message
