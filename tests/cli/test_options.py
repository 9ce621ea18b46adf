"""What plugins' commands share with the core's."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import click
import pytest
import torch
from click.testing import CliRunner

from reidcore._lazy import load_target
from reidcore.cli import (
    Arguments,
    CheckpointOptions,
    Session,
    checkpoint_options,
    configuration_command,
    device_option,
    find_device,
    json_alone,
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


def test_a_configuration_command_reads_its_words() -> None:
    read = []

    @configuration_command("")
    def count(session: Session, arguments: Arguments) -> None:
        read.append(arguments)

    words = ["a", "-p", "x.py", "--root", "d", "k=v", "--device", "cpu"]
    done = CliRunner().invoke(count, words, obj=Session())
    assert done.exit_code == 0, done.output
    assert read == [Arguments("a", ("k=v",), {"root": "d"}, "cpu", extra=("x.py",))]
    assert read[0].flags == {"data": {"root": "d"}, "use_gpu": False}


def test_torchreids_flags_have_a_group_of_their_own_in_the_help() -> None:
    helped = CliRunner().invoke(load_target("reidcore.cli.run:run"), ["--help"]).output
    _, own, theirs = re.split(r"^(?:Options|Torchreid's flags):\n", helped, flags=re.M)
    for option in ("-p, --plugin FILE", "--device", "--resume", "--print-config"):
        assert option in own
    for flag in ("--config-file FILE", "--root DIR", "-s, --sources NAME...", "--transforms"):
        assert flag in theirs
        assert flag not in own


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "no device is named 'nonsense'. Use cpu, cuda, cuda:1 for the second GPU"),
        ("cude", "no device is named 'cude'. Did you mean 'cuda'"),
        ("cuda:", "no device is named 'cuda:'"),
        ("cuda:99", "there is no device 'cuda:99' on this machine"),
    ],
)
def test_a_device_that_is_not_there_is_told_with_those_that_are(name, message) -> None:
    @click.command()
    @device_option
    def look(device: str | None) -> None:
        find_device(device)

    refused = CliRunner().invoke(look, ["--device", name]).exception
    assert isinstance(refused, UserError)
    assert str(refused).startswith(message)
    if name == "cuda:99":
        assert "Use " in str(refused)
        assert str(refused).endswith("cpu.")


def test_without_a_name_the_best_device_is_found() -> None:
    assert find_device("cpu") == torch.device("cpu")
    assert (find_device().type == "cpu") == (
        not (torch.cuda.is_available() or torch.backends.mps.is_available())
    )


def test_json_stands_alone_on_standard_output(capsys) -> None:
    with json_alone(True) as write:
        click.echo("a log line")
        write({"name": "Å"})
    shown = capsys.readouterr()
    assert (json.loads(shown.out), shown.err) == ({"name": "Å"}, "a log line\n")
    with json_alone(False) as write:
        click.echo("a log line")
        write({})
    assert capsys.readouterr().out == "a log line\n"


def test_checkpoint_options_make_the_command_line_of_a_test() -> None:
    made = []

    @click.command()
    @checkpoint_options
    def look(**options: object) -> None:
        made.append(CheckpointOptions(**options))  # type: ignore[arg-type]

    words = ["-d", "shop", "-m", "osnet_x1_0", "--weights", "w.pth", "--height", "64"]
    assert CliRunner().invoke(look, words).exit_code == 0
    arguments = made[0].arguments("test.visrank=true")
    assert arguments.data == {"sources": ["shop"], "targets": ["shop"]}
    assert list(arguments.overrides) == [
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
    arguments = CheckpointOptions(**CHOSEN, **SIZE, weights=str(path)).arguments()
    assert arguments.config == str(path)
    assert not any(word.startswith("model.name") for word in arguments.overrides)


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
        options.arguments()
    assert str(refused.value) == message
