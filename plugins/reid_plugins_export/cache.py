"""Checkpoints that are run by another backend: exported once, and kept in the user's cache."""

from __future__ import annotations

import hashlib
import logging
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reid_plugins_export.export import Options, export_model
from reid_plugins_export.record import check_checksum, checksum_file, file_sha256
from reidcore.plugins import Plugins
from reidcore.utils import PathLike, user_cache

_log = logging.getLogger(f"reidcore.{__name__}")

# What a file depends on beside the checkpoint and the options.
_PACKAGES = ("reidcore", "torch", "onnx", "onnxscript", "onnxruntime", "openvino")


def exported_once(
    checkpoint: PathLike, options: Options, ending: str, plugins: Plugins | None = None
) -> Path:
    """Return an exported file of a checkpoint, made now or before, behind the same gate.

    It is known by the hash of the checkpoint, the options and the versions of what makes it.

    Args:
        checkpoint: the file.
        options: how it is exported.
        ending: of the format's files.
        plugins: where models and formats are looked up; the current ones by default.

    Raises:
        CheckpointError: if the checkpoint cannot be read.
        UserError: if it cannot be exported, or the cache cannot be written.
    """
    source = Path(checkpoint).expanduser()
    file = user_cache("exports") / _key(source, options) / f"model{ending}"
    if file.is_file() and checksum_file(file).is_file() and check_checksum(file):
        return file
    _log.info("Exporting %r to %s once, into %s", str(source), options.to, str(file.parent))
    return export_model(source, file, options, plugins).path


def _key(source: Path, options: Options) -> str:
    parts = [file_sha256(source), repr(options), *map(_version, _PACKAGES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
