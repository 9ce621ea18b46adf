"""One rule: what was asked wrongly exits 2; a plugin's failure exits 1 with its name."""

from __future__ import annotations

import signal
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from reidcore.cli.app import main
from reidcore.cli.exit_codes import exit_code
from reidcore.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    PluginDefectError,
    PluginError,
    ToldElsewhereError,
    UnknownNameError,
    UserError,
)
from reidcore.testing import TinyNet, fake_dataset

LEAVER = """
    import sys

    from reidcore import data, hookimpl
    from reidcore.testing import TinyWorld

    world = TinyWorld()
    reid_register_models = world.reid_register_models

    class Reads(data.ImageDataset):
        def __init__(self, root, **options):
            super().__init__(*data.from_folders(root / "tiny"), **options)

        def __getitem__(self, index):
            sys.exit(0)

    @hookimpl
    def reid_register_datasets(registry):
        registry.add("leaving", Reads)
        registry.add("none", lambda root: None)
        registry.add("gone", "reid_no_such_module:data")
"""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PluginDefectError("a"), 1),
        (ValueError("a"), 1),
        *((kind("a"), 2) for kind in (CheckpointError, ConfigError, DataError)),
        *((kind("a"), 2) for kind in (PluginError, UnknownNameError, UserError)),
        (SystemExit(0), 0),
        (SystemExit(None), 0),
        (SystemExit(3), 3),
        (SystemExit("text"), 1),
    ],
)
def test_the_kind_of_an_error_is_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(error, debug=False) == code
    told = capsys.readouterr().err
    if isinstance(error, Exception):
        assert ("For the traceback: reidcore --debug ..." in told) == (code == 1)
    else:
        assert told == ("text\n" if error.code == "text" else "")


@pytest.mark.parametrize(("is_mistake", "code"), [(True, 2), (False, 1)])
def test_what_another_process_tells_is_not_told_again(
    is_mistake: bool, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(ToldElsewhereError(is_mistake), debug=False) == code
    assert capsys.readouterr() == ("", "")


def test_other_processes_than_the_first_say_who_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "3")
    exit_code(UserError("a"), debug=False)
    assert capsys.readouterr().err == "Error: a\n"  # one process, whatever its number
    monkeypatch.setenv("WORLD_SIZE", "4")
    exit_code(UserError("a"), debug=False)
    assert capsys.readouterr().err == "Error: process 3: a\n"
    assert exit_code(KeyboardInterrupt(signal.SIGTERM), debug=False) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == ""  # the first one tells that


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin ``leaver.py`` and a dataset for it."""
    folder = tmp_path_factory.mktemp("shop")
    fake_dataset(folder / "tiny", ids=2)
    (folder / "leaver.py").write_text(dedent(LEAVER))
    torch.save(TinyNet(2).state_dict(), folder / "tiny.pth")
    return folder


def run(folder: Path, *words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["-p", str(folder / "leaver.py"), *words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("dataset", "told"),
    [
        ("leaving", "plugin 'leaver' ended the program in Reads.__getitem__ (SystemExit: 0)"),
        ("none", "dataset 'none' of plugin 'leaver' gave None"),
        ("gone", "dataset 'gone' of plugin 'leaver' cannot be loaded from"),
    ],
)
@pytest.mark.parametrize("look", ["ranks", "actmap"])
def test_what_a_dataset_does_wrong_in_a_command_exits_1_with_its_name(
    folder: Path, capsys: pytest.CaptureFixture[str], look: str, dataset: str, told: str
) -> None:
    subject = ["-d", dataset, "-m", "tinynet", "--root", str(folder), "--height", "32"]
    more = ["--width", "16", "--save-dir", str(folder / "look"), "--weights", folder / "tiny.pth"]
    assert run(folder, "visualize", look, *subject, *map(str, more)) == 1
    assert told in capsys.readouterr().err


def test_what_is_asked_for_wrongly_exits_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.py").write_text("1 / 0\n")
    assert run(folder, "-p", str(folder / "broken.py"), "ls", "models") == 2
    assert "plugin 'broken' is broken: ZeroDivisionError" in capsys.readouterr().err
    assert run(folder, "--no-plugin", "nobody", "ls", "models") == 2
    assert run(folder, "show", "dataset", "leavin") == 2


COMMAND = """
    import sys

    import click

    from reidcore import hookimpl

    @hookimpl
    def reid_run_start(engine):
        pass

    @click.command()
    @click.pass_obj
    def leave(session):
        session.plugins()
        sys.exit("closed")
"""


def test_a_command_of_a_plugins_own_may_exit(site, capsys: pytest.CaptureFixture[str]) -> None:
    site.install_module("acme-shop", COMMAND)
    (points,) = site.folder.glob("*/entry_points.txt")
    points.write_text(points.read_text() + "[reidcore.commands]\nleave = acme_shop:leave\n")
    with pytest.raises(SystemExit) as ended:
        main(["leave"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "closed\n"
