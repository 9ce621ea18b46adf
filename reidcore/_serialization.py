"""Checkpoints read without running code from them, and written whole or not at all.

Two formats are read: what ``torch.save`` writes, and safetensors, which holds tensors and text
alone. A safetensors file is read as the checkpoint that it was made of, as far as it goes: its
tensors under ``state_dict``, and what our own metadata says under ``reidcore``.

Damage is found by the sums that a zip container keeps of its records, and in safetensors of ours by
a hash of the tensors and the record.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from reidcore import _inert_pickle
from reidcore._files import PathLike, atomic_write, check_isfile
from reidcore.errors import CheckpointError, UserError, counted

OWN_KEY = "reidcore"
"""Under which key our checkpoints keep what they hold beyond Torchreid's keys."""

# Torchreid and others store metrics as numpy scalars; numpy 2 moved what rebuilds them.
_SCALAR_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_SCALAR_DTYPES = "?bhilqBHILQefd"

# How a safetensors file begins; its own limit for the header is 100 MB.
_LENGTH = 8
_LONGEST_HEADER = 100_000_000

_DIGEST_KEY = "reidcore.sha256"
_MOST_GROWTH = 100  # of a compressed file; torch compresses none

# What else a file may be, by how it begins.
_KINDS = {
    b"<": "a web page, such as a download's error",
    b"version https://git-lfs": "the pointer of Git LFS to a file that was not fetched",
    b"\x93NUMPY": "an array of numpy's",
    b"\x89HDF": "an HDF5 file, such as Keras writes",
    b"\x1f\x8b": "compressed by gzip",
    b"\x80": "a pickle that torch.save did not write",
}


def load_safely(path: PathLike, map_location: str | torch.device = "cpu") -> Any:
    """Load tensors, containers, plain and numpy scalars, and nothing else.

    Objects of other classes become placeholders, and their classes are not looked for; see
    `not_loaded`.

    Args:
        path: a file in torch's zip format, in the older one that precedes torch 1.6, or in
            safetensors'; which of them is told by how it begins.
        map_location: device that the tensors are put on.

    Returns:
        The stored object, most often a dict.

    Raises:
        CheckpointError: if the file is missing, damaged, no checkpoint, or asks to run code.
        UserError: if it is a safetensors file, and the package of that name is not installed.
    """
    file = Path(path).expanduser()
    if not check_isfile(file):
        raise CheckpointError(
            f"no checkpoint at {str(file)!r}", "Check the path; it must name a file."
        )
    try:
        if is_safetensors(file):
            return _load_safetensors(file, map_location)
        _check_sums(file)
        return _load_or_hold_places(file, map_location)
    except UserError:
        raise
    except PermissionError as error:
        raise CheckpointError(f"{str(file)!r} may not be read: {error.strerror}") from error
    except Exception as error:  # a damaged file breaks the reader in any of a dozen ways
        raise _unreadable(file, error) from error


def not_loaded(held: Any) -> list[str]:
    """Return the classes and functions for which placeholders stand in what was loaded."""
    return _inert_pickle.placeholders_in(held)


def is_safetensors(path: PathLike) -> bool:
    """Tell a safetensors file by how it begins: a length of eight bytes, and a JSON object."""
    with Path(path).open("rb") as file:
        head = file.read(_LENGTH + 1)
    return head[_LENGTH:] == b"{" and int.from_bytes(head[:_LENGTH], "little") < _LONGEST_HEADER


def save_safetensors(
    tensors: Mapping[str, Tensor], path: PathLike, record: Mapping[str, Any]
) -> None:
    """Write tensors as safetensors; an older file at ``path`` stays until this one is whole.

    Args:
        tensors: by their keys.
        path: the file.
        record: plain values, which ``load_safely`` gives back under ``reidcore``.

    Raises:
        UserError: if the folder or the file cannot be written, or the package is not installed.
    """
    # Each tensor has bytes of its own there, also where two layers share theirs.
    own = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    text = json.dumps(record)
    metadata = {"format": "pt", OWN_KEY: text, _DIGEST_KEY: _digest(own, text)}
    content: bytes = _safetensors().save(own, metadata)
    with atomic_write(path) as file:
        file.write(content)


def save_atomically(obj: Any, path: PathLike) -> None:
    """Write ``obj`` with ``torch.save``; an older file at ``path`` stays until this one is whole.

    Raises:
        UserError: if the folder or the file cannot be written.
    """
    with atomic_write(path) as file:
        try:
            torch.save(obj, file)
        except RuntimeError as error:  # how torch's writer tells that the disk is full
            raise OSError(f"torch could not write it ({str(error).splitlines()[0]})") from error


def loads_safely(obj: Any) -> bool:
    """Say whether ``load_safely`` would read ``obj`` back."""
    buffer = io.BytesIO()
    try:
        torch.save(obj, buffer)
        buffer.seek(0)
        _load(buffer, "cpu")
    except Exception:  # what cannot be pickled fails in any of a dozen ways
        return False
    return True


def _load_safetensors(file: Path, map_location: str | torch.device) -> dict[str, Any]:
    from_file = _safetensors().load_file
    tensors: dict[str, Tensor] = from_file(file, device=str(map_location))
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_LENGTH), "little")
        metadata = json.loads(opened.read(length)).get("__metadata__", {})
    text = metadata.get(OWN_KEY)
    if _DIGEST_KEY in metadata and metadata[_DIGEST_KEY] != _digest(tensors, text or ""):
        raise _damaged(file, "its tensors or its record are not what was written")
    own = json.loads(text) if text is not None else None
    return {"state_dict": tensors} | ({OWN_KEY: own} if isinstance(own, dict) else {})


def _safetensors() -> ModuleType:
    try:
        import safetensors.torch
    except ImportError as error:
        raise UserError(
            "safetensors files need a package that is not installed",
            'Run: pip install "reidcore[safetensors]"',
        ) from error
    return safetensors.torch


def _load(file: Path | IO[bytes], map_location: str | torch.device) -> Any:
    wanted = _numpy_scalar_names()
    already = torch.serialization.get_safe_globals()
    # Only what is new is allowed here, since leaving the block takes away all that it names.
    new = [name for name in wanted if name not in already]
    with torch.serialization.safe_globals(new), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch says of a foreign file, our error says too
        try:
            return torch.load(file, map_location=map_location, weights_only=True)
        except UnicodeDecodeError:  # written by Python 2
            return torch.load(file, map_location=map_location, weights_only=True, encoding="latin1")


def _numpy_scalar_names() -> list[Any]:
    rebuild = np.float64(0).__reduce__()[0]
    names: list[Any] = [(rebuild, f"{module}.scalar") for module in _SCALAR_MODULES]
    return [*names, np.dtype, *{type(np.dtype(code)) for code in _SCALAR_DTYPES}]


def _load_or_hold_places(file: Path, map_location: str | torch.device) -> Any:
    """Load a file, also one that names classes other than those of tensors.

    Torch's strict reader goes first: it refuses TorchScript and tar archives before it comes to a
    pickle, which it would run or unpack without ``weights_only``.
    """
    try:
        return _load(file, map_location)
    except pickle.UnpicklingError as error:
        strict = error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Our pickle module calls nothing that the file names.
            machine: Any = {"pickle_module": _inert_pickle, "encoding": "latin1"}
            return torch.load(file, map_location=map_location, weights_only=False, **machine)
    except _inert_pickle.AsksToRunError as error:
        raise CheckpointError(
            f"refused to load {str(file)!r}: it asks to run {str(error)!r}, and a checkpoint "
            "holds only tensors, numbers and text",
            "Open it by no other means unless you trust its author; ask for a plain state dict.",
        ) from strict


def _check_sums(file: Path) -> None:
    """Compare the records of a zip container with their sums, which torch's reader does not."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        records, size = archive.infolist(), file.stat().st_size
        if sum(record.file_size for record in records) > _MOST_GROWTH * size:
            raise _damaged(file, f"its {size:,} bytes would grow more than {_MOST_GROWTH}-fold")
        # Torch can be told to leave them out.
        if any(record.CRC for record in records) and (name := archive.testzip()):
            raise _damaged(file, f"the sum of {name!r} is wrong")


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """Return the hash of a record and of tensors with their names, types and shapes."""
    total = hashlib.sha256(text.encode())
    for key in sorted(tensors):
        value = tensors[key].detach().cpu().contiguous()
        total.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _damaged(file: Path, why: str) -> CheckpointError:
    return CheckpointError(f"{str(file)!r} is damaged: {why}", "Copy or download it again.")


def _unreadable(file: Path, error: Exception) -> CheckpointError:
    size, kind = file.stat().st_size, _kind_of(file)
    reason = "it is empty" if size == 0 else f"{type(error).__name__} in {counted(size, 'byte')}"
    return CheckpointError(
        f"{str(file)!r} is no torch checkpoint: it is {kind}"
        if kind
        else f"{str(file)!r} is damaged or no torch checkpoint ({reason})",
        "Copy or download it again; it must have been written by torch.save or safetensors.",
    )


def _kind_of(file: Path) -> str:
    """Say what a file is that is no checkpoint; empty if it may be a damaged one."""
    with file.open("rb") as opened:
        head = opened.read(512)
    if head[257:].startswith(b"ustar"):
        return "a tar archive, as torch wrote before 0.2"
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            names = [name.partition("/")[2] or name for name in archive.namelist()]
        if "constants.pkl" in names:
            return "a TorchScript archive, which is a program; ask for the state dict of its model"
        return "" if "data.pkl" in names else "a zip archive of other files"
    return next((kind for start, kind in _KINDS.items() if head.lstrip().startswith(start)), "")
