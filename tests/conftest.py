"""What tests of several parts share: the checkout, and pretend installations."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep downloads and caches of tests, and of programs they start, out of the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REIDCORE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def committed() -> list[Path]:
    """All files that git knows and that are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


@dataclass(frozen=True)
class Site:
    """A folder on ``sys.path`` with distributions in it, as pip leaves them.

    Attributes:
        folder: what to put on a subprocess's PYTHONPATH to have them installed there too.
    """

    folder: Path

    def write(self, module: str, source: str) -> Path:
        """Write a module; ``package.module`` makes packages on the way."""
        *packages, name = module.split(".")
        folder = self.folder
        for package in packages:
            folder = folder / package
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").touch()
        path = folder / f"{name}.py"
        path.write_text(dedent(source))
        importlib.invalidate_caches()
        return path

    def install(
        self,
        distribution: str,
        points: Mapping[str, str],
        *,
        version: str = "1.0",
        group: str = "reidcore",
    ) -> None:
        """Write a distribution's metadata, with entry points name -> target."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        lines = [f"{name} = {target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        importlib.invalidate_caches()

    def install_module(self, distribution: str, source: str) -> None:
        """Install a distribution of one module, ``my-plugin`` with module and plugin my_plugin."""
        module = distribution.replace("-", "_")
        self.write(module, source)
        self.install(distribution, {module: module})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder to install into, on ``sys.path`` for the test; imports are forgotten."""
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield Site(folder)
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]
