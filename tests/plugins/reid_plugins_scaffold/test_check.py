"""``reidcore plugins check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from reid_plugins_scaffold.check import check

from reidcore.cli import Session
from reidcore.errors import PluginError, UnknownNameError
from reidcore.testing import fake_dataset

PLUGIN = """
from reidcore import data, hookimpl


@hookimpl
def reid_register_losses(registry):
    registry.add("norms", lambda num_classes: norms, summary="feature norms")
    registry.add("powers", lambda num_classes, *, power: norms, summary="needs an option")


@hookimpl
def reid_register_datasets(registry):
    registry.add("shop", lambda root: data.from_folders(root / "shop"), summary="a shop")


def norms(outputs, batch):
    return outputs.features.norm(dim=1)RESULT
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "odd_shop.py"
    path.write_text(PLUGIN.replace("RESULT", ""))
    return path


@pytest.fixture
def sound_plugin(tmp_path: Path) -> Path:
    path = tmp_path / "good_shop.py"
    path.write_text(PLUGIN.replace("RESULT", ".square().mean()"))
    return path


def checked(*words: str, file: Path | None = None) -> Result:
    session = Session(extra=(str(file),) if file else ())
    done = CliRunner().invoke(check, words, obj=session, env={"COLUMNS": "120"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_what_fails_is_told_with_its_contract_and_exit_code_1(plugin: Path) -> None:
    done = checked("odd_shop", file=plugin)
    assert done.exit_code == 1
    rows = {line.split()[0]: line for line in done.output.splitlines() if line.strip()}
    assert "failed" in rows["norms"]
    assert "it needs power" in rows["powers"]
    assert "loss 'norms' of plugin 'odd_shop' gave a tensor (8,)" in done.output
    assert "documented: docs/contracts.md#losses" in done.output
    assert done.output.rstrip().endswith("failed")


def test_what_keeps_its_contracts_ends_with_exit_code_0(sound_plugin: Path, tmp_path: Path) -> None:
    fake_dataset(tmp_path / "data" / "shop")
    done = checked("good_shop", "--root", str(tmp_path / "data"), file=sound_plugin)
    assert done.exit_code == 0, done.output
    assert "0 failed" in done.output
    assert "no data" not in done.output


def test_kinds_are_chosen_in_the_singular_or_the_plural(sound_plugin: Path) -> None:
    for word in ("dataset", "datasets"):
        done = checked("good_shop", "--kind", word, "--json", file=sound_plugin)
        rows = json.loads(done.output)
        assert {row["kind"] for row in rows} == {"datasets"}
        assert {row["state"] for row in rows} == {"passed", "skipped"}
        assert all(row["contract"] for row in rows)


def test_a_distribution_brings_its_plugins_and_commands(site: Any) -> None:
    site.write("reid_till.till", PLUGIN.replace("RESULT", ".square().mean()"))
    site.write("reid_till.count", "import click\n\n\n@click.command()\ndef count():\n    pass\n")
    site.install("reid-till", {"till": "reid_till.till"})
    info = next(site.folder.glob("reid_till*.dist-info"))
    points = (info / "entry_points.txt").read_text()
    commands = "[reidcore.commands]\ntill = reid_till\ntill.count = reid_till.count:count\n"
    (info / "entry_points.txt").write_text(points + commands)
    for name in ("till", "reid-till", "reid_till"):
        done = checked(name, "--kind", "command", "--verbose")
        assert done.exit_code == 1
        assert "command 'till count' has no help" in done.output


def test_names_that_are_none_are_told_with_the_nearest(plugin: Path) -> None:
    with pytest.raises(PluginError, match=r"named 'odd_shp'\. Did you mean 'odd_shop'\?.*-p"):
        checked("odd_shp", file=plugin)
    with pytest.raises(UnknownNameError, match="Did you mean 'losses'"):
        checked("odd_shop", "--kind", "lossess", file=plugin)


def test_a_broken_plugin_is_told_as_such(site: Any) -> None:
    site.install_module("reid-broken", "import nothing_of_that_name\n")
    with pytest.raises(PluginError, match=r"reid_broken.*nothing_of_that_name"):
        checked("reid-broken")


def test_a_plugin_of_hooks_alone_has_nothing_to_check(tmp_path: Path) -> None:
    path = tmp_path / "listener.py"
    path.write_text(
        "from reidcore import hookimpl\n\n\n@hookimpl\ndef reid_run_start(engine): ...\n"
    )
    done = checked("listener", file=path)
    assert done.exit_code == 0
    assert "registers no such component" in done.output


def test_what_a_plugin_prints_and_fails_with_steers_nothing(tmp_path: Path) -> None:
    path = tmp_path / "loud_shop.py"
    fails = "def norms(features, pids):\n    raise ValueError(chr(27) + '[2J')\n"
    path.write_text(f"print('hello')\n{PLUGIN.replace('RESULT', '')}\n\n{fails}")
    words = ("loud_shop", "--kind", "loss")
    told = checked(*words, file=path).output
    assert r"\x1b[2J" in told
    assert "\x1b[2J" not in told
    rows = json.loads(checked(*words, "--json", file=path).stdout)
    assert {row["kind"] for row in rows} == {"losses"}
