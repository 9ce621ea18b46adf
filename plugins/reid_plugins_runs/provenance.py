"""``provenance.json``: what a run was made with that its record does not say.

Those are the code of the core and of the plugins, the packages that read and transform images, the
machine, and the weights that it began with.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from pydantic import TypeAdapter, ValidationError

from reidcore.engine import rank_and_world
from reidcore.errors import DataError, UserError
from reidcore.utils import read_json, write_json

if TYPE_CHECKING:
    from reidcore.engine import Engine
    from reidcore.plugins import Plugins

PROVENANCE = "provenance.json"
"""Beside ``results.json``."""
TEST_PROVENANCE = "test_provenance.json"
"""Beside ``test_results.json``."""

_Written = TypeAdapter(dict[str, dict[str, str]])
_log = logging.getLogger(f"reidcore.{__name__}")

_PACKAGES = ("opencv-python", "Pillow", "scipy", "timm")
_SOURCES = {".py", ".pyx", ".c", ".h"}
_DIGITS = 12  # of a SHA-256, hexadecimal


Ingredients = Mapping[str, Mapping[str, str]]
"""What a run was made of: kind, such as ``code``, -> each thing's name -> what it was."""


def keep_provenance(engine: Engine) -> None:
    """Write what a run is made with into its folder; a file that cannot be written costs no run."""
    name = TEST_PROVENANCE if engine.plan.test_only else PROVENANCE
    weights = (engine.config or {}).get("model", {}).get("load_weights") or ""
    _, processes = rank_and_world()
    found = {**surroundings(engine.plugins), "weights": weights_of(weights)}
    found["machine"] = {**found["machine"], "processes": str(processes)}
    try:
        write_json(found, Path(engine.plan.save_dir) / name)
    except UserError as error:
        _log.warning("%s is left out, and the run goes on: %s", name, error)


def read_provenance(path: Path) -> Ingredients:
    """Return what a file says that a run was made with; nothing if there is none.

    Raises:
        UserError: if it cannot be read, or is another file.
    """
    if not path.is_file():
        return {}
    try:
        return _Written.validate_python(read_json(path))
    except ValidationError as error:
        what = f"{str(path)!r} is no {PROVENANCE} of a run: {error.errors()[0]['msg']}"
        raise DataError(what, "Remove it.") from error


def surroundings(plugins: Plugins) -> dict[str, dict[str, str]]:
    """Return the code, the packages and the machine of this process.

    Args:
        plugins: whose code counts beside the core's.
    """
    modules = {plugin.module_name.partition(".")[0] for plugin in plugins.active}
    code = {
        name: _digest(module)
        for name in sorted({"reidcore", *modules})
        if (module := sys.modules.get(name)) and getattr(module, "__file__", None)
    }
    machine = {
        "processor": _processor(),
        "torch threads": str(torch.get_num_threads()),
        "GPU": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }
    packages = {name: version for name in _PACKAGES if (version := _version(name))}
    return {"code": code, "packages": packages, "machine": machine}


def weights_of(path: str) -> dict[str, str]:
    """Return the digest of a file of weights under its path; nothing where there is none."""
    file = Path(path).expanduser()
    if not path or not file.is_file():
        return {}
    with file.open("rb") as opened:
        return {path: hashlib.file_digest(opened, "sha256").hexdigest()[:_DIGITS]}


def _digest(module: ModuleType) -> str:
    """Return a digest of a module's source, or of all sources of a package."""
    file = Path(str(module.__file__))
    files = [file]
    if file.name == "__init__.py":
        files = sorted(path for path in file.parent.rglob("*") if path.suffix in _SOURCES)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(file.parent).as_posix().encode(errors="surrogateescape"))
        digest.update(b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:_DIGITS]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """Return the processor's model, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(named), "") or platform.processor() or platform.machine()
