"""PT2: what ``torch.export`` writes, for PyTorch's own compilers and runtimes."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reid_plugins_export.formats import Save
from reid_plugins_export.network import FeatureNetwork
from reid_plugins_export.pt2_graph import asks_to_run
from reid_plugins_export.record import KEY, as_text, from_text
from reid_plugins_export.torch_program import ProgramBackend, check_usual, refuse_int8
from reid_plugins_export.tracing import as_program, quietly
from reidcore.errors import CheckpointError

_EXAMPLES = "data/sample_inputs/"
# The parts of an archive that hold numbers, text and graphs (which `pt2_graph` looks into); others
# may be pickles or libraries.
_INERT = re.compile(
    r"archive_format|archive_version|byteorder|\.data/\w+|extra/[^/]+|models/[^/]+\.json"
    r"|data/weights/(weight_\d+|[^/]+_config\.json)|data/constants/(tensor_\d+|[^/]+_config\.json)"
    r"|data/sample_inputs/[^/]+\.pt"
)


# Nested too deeply, packed or locked in a way that Python has not: each is a RuntimeError.
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError),
    *(ValueError, LookupError, TypeError, AttributeError),
)


class Pt2Format:
    """Files ending in ``.pt2``: graphs of PyTorch's operators."""

    ending = ".pt2"

    def convert(self, network: FeatureNetwork, calibration: Tensor | None) -> Save:
        """Export a network; see ``reid_register_export_formats``."""
        refuse_int8("PT2", calibration)
        program = as_program(network)

        def save(path: Path, record: Mapping[str, Any]) -> None:
            with quietly():  # that tensors of a view are written whole
                torch.export.save(program, path, extra_files={KEY: as_text(record)})

        return save

    def open(self, path: Path, device: str, precision: str, threads: int | None) -> ProgramBackend:
        """Open a file for running, after a look for parts that would run code."""
        check_usual("PT2", precision, threads)
        record = self.read(path)
        try:
            with quietly():  # what torch logs of a file that it cannot read
                program = torch.export.load(path).module()
        except Exception as error:  # a graph of another version breaks the reader in many ways
            raise _unreadable(path, f"{type(error).__name__}: {error}") from error
        return ProgramBackend(program.to(device), record, path, device)

    def read(self, path: Path) -> dict[str, Any]:
        """Return the record inside a file; empty for one that others wrote."""
        try:
            with zipfile.ZipFile(path) as archive:
                _check_inert(archive, path)
                (record,) = [n for n in archive.namelist() if n.endswith(f"/extra/{KEY}")] or [""]
                text = archive.read(record) if record else ""
        except _DAMAGES as error:
            raise _unreadable(path, str(error)) from error
        return from_text(text, path)


def _check_inert(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse an archive of which PyTorch's reader would run a part: a pickle, or a library.

    Raises:
        CheckpointError: if it has such a part, or is laid out otherwise.
    """
    names = archive.namelist()
    if not any(name.endswith("/archive_format") for name in names):
        raise _unreadable(path, "it is laid out otherwise, as PyTorch before 2.8 writes it")
    if len({*names}) < len(names):
        raise _unreadable(path, "a name stands in it twice")
    if sum(info.file_size for info in archive.infolist()) > path.stat().st_size:
        raise _unreadable(path, "unpacked it is larger than it is, and PyTorch packs nothing")
    for name in names:
        part = name.partition("/")[2]
        if not _INERT.fullmatch(part):
            raise _asks_to_run(path, part)
        if part.startswith("models/"):
            if found := asks_to_run(archive.read(name)):
                raise _asks_to_run(path, f"{part}: {found}")
        elif part.endswith("_config.json"):
            _check_tensors(json.loads(archive.read(name)), path)
        elif part.startswith(_EXAMPLES):
            try:
                torch.load(io.BytesIO(archive.read(name)), weights_only=True)
            except Exception as error:  # the strict reader tells what it refuses in several ways
                raise _asks_to_run(path, part) from error


def _check_tensors(listing: Mapping[str, Any], path: Path) -> None:
    for key, held in listing["config"].items():
        if held["use_pickle"] or not str(held["path_name"]).startswith(("weight_", "tensor_")):
            raise _asks_to_run(path, key)


def _asks_to_run(path: Path, part: str) -> CheckpointError:
    return CheckpointError(
        f"refused to open {str(path)!r}: its part {part!r} may run code",
        "Ask for a file that 'reidcore export --to pt2' wrote.",
    )


def _unreadable(path: Path, reason: str) -> CheckpointError:
    first = reason.strip().splitlines()[0] if reason.strip() else "no reason is known"
    return CheckpointError(
        f"{str(path)!r} is damaged or no PT2 file ({first})", "Export the model again."
    )
