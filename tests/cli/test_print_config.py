"""``reidcore run --print-config``: what it prints can be run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from reidcore.cli.app import main

TALKING = """
from reidcore import hookimpl

@hookimpl
def reid_configure(config):
    print("something to tell")
"""


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["run", *words, "--print-config"])
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown.err
    return shown.out, shown.err


def test_what_is_printed_is_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = printed(capsys, "quickstart", "train.max_epoch=3")
    file = tmp_path / "again.yaml"
    file.write_text(first)
    second, _ = printed(capsys, str(file))
    assert yaml.safe_load(first) == yaml.safe_load(second)
    assert yaml.safe_load(first)["train"]["max_epoch"] == 3
    assert f"again.yaml:{first.splitlines().index('train:') + 2}" in second


def test_json_is_a_configuration_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown, _ = printed(capsys, "quickstart", "train.lr=1e-7", "--json")
    assert json.loads(shown)["train"]["lr"] == 1e-7
    file = tmp_path / "again.yaml"
    file.write_text(shown)
    assert json.loads(printed(capsys, str(file), "--json")[0]) == json.loads(shown)


def test_nothing_else_stands_in_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = tmp_path / "teller.py"
    plugin.write_text(TALKING)
    out, err = printed(capsys, "quickstart", "-p", str(plugin))
    assert "something to tell" not in out
    assert "something to tell" in err
