"""What tests of several parts share: checkout, installations, programs, weights, a server."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from torch import Tensor, nn

from tests.program import Program, run

ROOT = Path(__file__).parents[1]

# A busy machine is no fault of a test: neither its deadline nor its health depends on the clock.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep downloads and caches of tests, and of programs they start, out of the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REIDCORE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _no_logging_left_over() -> None:
    """Begin each test without what programs that others ran in this process set up."""
    logger = logging.getLogger("reidcore")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


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


@pytest.fixture(scope="session")
def load_script() -> Callable[[str], ModuleType]:
    """Import a Python file of the checkout that belongs to no package, by its path there."""

    def load_script(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name.replace("/", "_")[:-3], ROOT / name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str((ROOT / name).parent))
            spec.loader.exec_module(module)
        return module

    return load_script


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


@pytest.fixture
def reidcore(tmp_path: Path) -> Run:
    """Run ``reidcore`` with these arguments in an empty folder; ``path`` holds installations."""
    folder = tmp_path / "here"
    folder.mkdir()

    def run(
        *arguments: str | Path, path: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        own = {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "PYTHONWARNINGS": "ignore"}
        if path is not None:
            own["PYTHONPATH"] = str(path)
        return subprocess.run(
            [sys.executable, "-m", "reidcore", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, **own, **environment},
            timeout=120,
        )

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Run ``reidcore`` in this process, in an empty folder: each process costs seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return run


def _draws(text: str, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([zlib.crc32(text.encode()), seed]))


def _entry(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    draws = _draws(key, seed)
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape)
    if key.endswith("running_var"):
        return draws.uniform(0.5, 1.5, shape)
    if len(shape) >= 2 and not key.endswith("running_mean"):
        return draws.normal(0.0, np.sqrt(2 / np.prod(shape[1:])), shape)
    if key.endswith("weight"):
        return draws.uniform(0.8, 1.2, shape)
    return draws.normal(0.0, 0.1, shape)


@pytest.fixture(scope="session")
def fill() -> Callable[..., nn.Module]:
    """Overwrite a model's state dict, entry by entry, and return the model."""

    def fill(model: nn.Module, seed: int = 0) -> nn.Module:
        for key, value in model.state_dict().items():
            value.copy_(torch.as_tensor(_entry(key, tuple(value.shape), seed)))
        return model

    return fill


@pytest.fixture(scope="session")
def images() -> Callable[..., Tensor]:
    """Draw normal images (B, 3, H, W)."""

    def images(batch: int, height: int, width: int, seed: int = 0) -> Tensor:
        draws = _draws(f"images-{batch}-{height}-{width}", seed)
        return torch.from_numpy(
            draws.standard_normal((batch, 3, height, width), np.float64)
        ).float()

    return images


@dataclass
class Host:
    """What a server has, how it behaves, and what it was asked.

    Attributes:
        files: name -> contents.
        kind: the content type it claims.
        breaks: after how many bytes each of the next answers breaks off.
        lengths: whether it says how long its files are.
        pause: seconds between every two of ten parts of a file.
        asked: each request's file.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    kind: str = "application/octet-stream"
    breaks: list[int] = field(default_factory=list)
    lengths: bool = True
    pause: float = 0.0
    asked: list[str] = field(default_factory=list)
    address: str = ""


class _Handler(BaseHTTPRequestHandler):
    host: Host

    def do_GET(self) -> None:
        host, name = self.host, self.path.strip("/")
        host.asked.append(name)
        if name.startswith("to:"):
            self.send_response(302)
            self.send_header("Location", name.removeprefix("to:"))
            self.end_headers()
            return
        if name not in host.files:
            self.send_error(404)
            return
        content = host.files[name]
        self.send_response(200)
        self.send_header("Content-Type", host.kind)
        if host.lengths:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self._send(content[: host.breaks.pop(0)] if host.breaks else content)

    def _send(self, content: bytes) -> None:
        step = -(-len(content) // 10) if self.host.pause else len(content)
        for begin in range(0, len(content), step or 1):
            with suppress(ConnectionError):
                self.wfile.write(content[begin : begin + step])
                self.wfile.flush()
            time.sleep(self.host.pause)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def host():
    kept = Host()
    handler = type("Handler", (_Handler,), {"host": kept})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        kept.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


class _TwoLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Linear(6, 8)
        self.classifier = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.tanh(self.conv(x)))


@pytest.fixture
def net() -> nn.Module:
    """A network with the parts ``conv`` and ``classifier``, for optimizers and their groups."""
    return _TwoLayers()


@pytest.fixture(scope="session")
def torchreid_transforms() -> Mapping[str, np.ndarray]:
    """Torchreid's transforms on three images; see tests/fixtures/transforms/README.md."""
    with np.load(ROOT / "tests/fixtures/transforms/transforms.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture
def plugins_with() -> Callable[..., Any]:
    """Make the installed plugins and one that registers the given datasets."""
    from reidcore import hookimpl
    from reidcore.plugins import make_plugins

    def make(**datasets: object) -> Any:
        class Shop:
            @hookimpl
            def reid_register_datasets(self, registry: object) -> None:
                for name, target in datasets.items():
                    options = getattr(target, "spellings", {})
                    registry.add(name, target, options=options)  # type: ignore[attr-defined]

        return make_plugins(extra=[Shop()])

    return make
