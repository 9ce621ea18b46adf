"""``docs/commands.md`` has every command, the keys of ``--json``, and how completion is set up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from reidcore.cli.app import root

Run = Callable[..., Any]
PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return what the page says below a title."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


JSON = section("JSON")


def keys(command: str) -> set[str]:
    """Return the keys that the page names for a command."""
    row = re.search(rf"^\| `{command}` \| (.*) \|$", JSON, re.M)
    assert row is not None
    return {key for key in re.findall(r"`([^`]+)`", row[1]) if not key.startswith("-")}


def commands(group: click.Group = root, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command in and below a group, by the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command, words = group.get_command(context, name), f"{above}{name}"
        assert command is not None
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield words, command
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} ")


def test_the_table_has_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z-]+(?: [a-z-]+)*)", section("All commands"), re.M)
    assert set(rows) == dict(commands()).keys()


def test_every_command_that_prints_json_is_named_there() -> None:
    named = set(re.findall(r"`([a-z -]+)`", JSON))
    printing = {
        words
        for words, command in commands()
        if any("--json" in option.opts for option in command.params)
    }
    assert printing <= named


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["ls", "losses"], "ls"),
        (["env"], "env"),
        (["plugins", "--verbose"], "plugins"),
        (["weights", "ls"], "weights ls"),
    ],
)
def test_json_has_the_keys_that_are_documented(
    reidcore: Run, words: list[str], command: str
) -> None:
    done = reidcore(*words, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    records = found if isinstance(found, list) else [found]
    assert {key for record in records for key in record} == keys(command)


def test_json_of_a_component_has_the_keys_that_are_documented(reidcore: Run) -> None:
    shown = [("model", "osnet_x1_0"), ("recipe", "quickstart"), ("weights", "osnet_x1_0")]
    records = [json.loads(reidcore("show", *words, "--json").stdout) for words in shown]
    assert {key for record in records for key in record} == keys("show")


@pytest.mark.parametrize("shell", ["zsh", "fish", "bash"])
def test_the_line_of_a_shell_prints_its_script(shell: str) -> None:
    assert f"_REIDCORE_COMPLETE={shell}_source reidcore" in PAGE
    done = subprocess.run(
        [sys.executable, "-m", "reidcore"],
        capture_output=True,
        text=True,
        env={"_REIDCORE_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_REIDCORE_COMPLETE={shell}_complete" in done.stdout
