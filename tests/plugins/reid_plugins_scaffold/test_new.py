"""Plugin packages that the command line writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from reid_plugins_scaffold.writing import KINDS, write_package

from reidcore.errors import PluginError, UserError
from reidcore.plugins import make_plugins

FILES = {
    "dataset": {"reid_my_dataset.py"},
    "model": {"reid_my_model/__init__.py", "reid_my_model/network.py"},
    "loss": {"reid_my_loss/__init__.py", "reid_my_loss/loss.py"},
    "engine": {"reid_my_engine/__init__.py", "reid_my_engine/engine.py"},
    "step": {"reid_my_step.py"},
}


def checked(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def test_every_kind_of_package_installs_is_listed_and_passes_its_tests(
    reidcore: Any, tmp_path: Path
) -> None:
    here, target = tmp_path / "here", tmp_path / "target"
    for kind in KINDS:
        done = reidcore("new", kind, f"my_{kind}")
        assert done.returncode == 0, done.stderr
        package = here / f"reid-my-{kind}"
        tests = f"test_reid_my_{kind}.py"
        written = {str(path.relative_to(package)) for path in package.rglob("*.*")}
        assert written == {"pyproject.toml", tests, *FILES[kind]}
        assert done.stdout.endswith(f"Next: cd {package.name} && pip install -e . && pytest\n")
    packages = sorted(here.iterdir())
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-compile"]
    checked("-m", "pip", "install", *options, "--target", target, *packages)

    listed = {
        (row["kind"], row["name"]): row["distribution"]
        for row in json.loads(reidcore("ls", "--json", path=target).stdout)
        if row["distribution"] != "reidcore"
    }
    assert listed == {
        ("datasets", "my_dataset"): "reid-my-dataset",
        ("models", "my_model"): "reid-my-model",
        ("losses", "my_loss"): "reid-my-loss",
        ("engines", "my_engine"): "reid-my-engine",
    }
    wraps = reidcore("plugins", "why", "reid_forward_backward", path=target).stdout
    assert wraps.startswith("1. 'my_step' (reid-my-step)  wraps")

    environment = {**os.environ, "PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}
    tests = sorted(here.glob("*/test_*.py"))
    assert len(tests) == len(KINDS)
    done = checked(
        *("-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", *tests),
        cwd=tmp_path,
        env=environment,
    )
    assert "10 passed" in done.stdout


@pytest.mark.parametrize(
    ("kind", "name", "error", "message"),
    [
        ("dataset", "3d", UserError, r"no name for a Python package.*such as 'my_3d'"),
        ("dataset", "my data!", UserError, r"no name for a Python package.*such as 'my_data'"),
        ("model", "class", UserError, r"no name for a Python package.*such as 'my_class'"),
        ("loss", "../up", UserError, r"no name for a Python package.*such as 'up'"),
        ("step", "reid-", UserError, "no name for a Python package"),
        ("model", "osnet_x1_0", PluginError, "'osnet' has the model 'osnet_x1_0'.*'my-osnet_x1_0'"),
        ("model", "osnet", PluginError, r"plugin 'osnet' \(reidcore\) is installed"),
        ("dataset", "reid-market1501", PluginError, "has the dataset 'market1501'"),
        ("step", "plugins_osnet", PluginError, "there is a module reid_plugins_osnet"),
        ("dataset", "train", PluginError, "the configuration has a section train"),
        ("loss", "terms", PluginError, r"the configuration has a key loss\.terms"),
    ],
)
def test_a_name_that_is_taken_or_unusable_is_refused_before_anything_is_written(
    kind: str, name: str, error: type[UserError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        write_package(kind, name, tmp_path / "new", make_plugins())
    assert list(tmp_path.iterdir()) == []


def test_spellings_of_a_name_give_one_package(tmp_path: Path) -> None:
    plugins = make_plugins()
    first, again = (
        write_package("step", name, tmp_path / name, plugins)[0].parent
        for name in ("my-guard", "reid_my_guard")
    )
    assert first.name == again.name == "reid-my-guard"
    for path in first.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "reid-mine").mkdir()
    with pytest.raises(UserError, match=r"is there already.*--dir"):
        write_package("loss", "mine", tmp_path, make_plugins())
    assert list((tmp_path / "reid-mine").iterdir()) == []


def test_a_package_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text, count = Path.write_text, 0

    def on_a_full_disk(path: Path, *arguments: Any, **options: Any) -> int:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, "No space left on device")
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", on_a_full_disk)
    with pytest.raises(UserError, match="No space left"):
        write_package("model", "mine", tmp_path, make_plugins())
    assert list(tmp_path.iterdir()) == []
