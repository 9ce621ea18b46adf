"""A wheel built from the checkout, and processes that see only what was installed from it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


def checked(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    """Run a command and show what it said if it fails."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def pip_install(source: Path, target: Path) -> None:
    """Install a wheel or a project into a folder, without its dependencies."""
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-compile"]
    checked(sys.executable, "-m", "pip", "install", *options, "--target", target, source)


def copy_checkout(destination: Path) -> None:
    """Copy the files that are or will be committed, as a clone would have them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = checked(*command, cwd=ROOT).stdout
    for name in filter(None, listed.split("\0")):
        if name.startswith(("tests/", "docs/", "benchmarks/")) or not (ROOT / name).is_file():
            continue
        copy = destination / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    (destination / "tests").mkdir()
    (destination / "tests" / "test_nothing.py").write_text("")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built once for all test processes, without the compiled kernel."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with FileLock(shared / "wheel.lock"):
        built = list(shared.glob("wheel/*.whl"))
        if not built:
            copy_checkout(shared / "checkout")
            build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
            environment = {**os.environ, "REIDCORE_NO_EXTENSION": "1"}
            checked(
                *build, "-o", shared / "wheel", shared / "checkout", cwd=shared, env=environment
            )
            built = list(shared.glob("wheel/*.whl"))
    (path,) = built
    return path


@pytest.fixture
def target(wheel, tmp_path) -> Path:
    """A folder into which the wheel was installed."""
    folder = tmp_path / "target"
    pip_install(wheel, folder)
    return folder


@pytest.fixture
def reidcore(target, tmp_path) -> Run:
    """Run the installed ``reidcore``, outside the checkout.

    ``-S`` leaves out the .pth files of this environment, an editable install's among them; its
    packages are then plain folders of the path, and the target comes before them.
    """
    here = tmp_path / "here"
    here.mkdir()
    path = os.pathsep.join([str(target), sysconfig.get_path("purelib")])

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        own = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-S", target / "bin" / "reidcore", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=here,
            env={**os.environ, **own, "PYTHONWARNINGS": "ignore"},
            timeout=240,
        )

    return run


@pytest.fixture
def install(target, tmp_path) -> Callable[[str, dict[str, str]], Path]:
    """Write a project from its files, pip-install it beside the wheel, and return its folder."""

    def write_and_install(name: str, files: dict[str, str]) -> Path:
        project = tmp_path / "projects" / name
        for file, text in files.items():
            (project / file).parent.mkdir(parents=True, exist_ok=True)
            (project / file).write_text(dedent(text))
        pip_install(project, target)
        return project

    return write_and_install
