"""Checkpoints read without running code from them, and written whole or not at all.

Two formats are read: what ``torch.save`` writes, and safetensors, which holds tensors and text
alone. A safetensors file is read as the checkpoint that it was made of, as far as it goes: its
tensors under ``state_dict``, and what our own metadata says under ``reidcore``.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from reidcore._files import PathLike, atomic_write
from reidcore.errors import CheckpointError, UserError

OWN_KEY = "reidcore"
"""Under which key our checkpoints keep what they hold beyond Torchreid's keys."""

# Torchreid and others store metrics as numpy scalars. Rebuilding one takes three harmless names;
# numpy 2 moved the first, so old and new files spell it differently.
_SCALAR_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_SCALAR_DTYPES = "?bhilqBHILQefd"

# How a safetensors file begins; its own limit for the header is 100 MB.
_LENGTH = 8
_LONGEST_HEADER = 100_000_000

_BLOCKED_NAME = re.compile(r"GLOBAL ([\w.]+)")


def load_safely(path: PathLike, map_location: str | torch.device = "cpu") -> Any:
    """Load tensors, containers, plain and numpy scalars, and nothing else.

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
    if not file.is_file():
        raise CheckpointError(
            f"no checkpoint at {str(file)!r}", "Check the path; it must name a file."
        )
    try:
        if is_safetensors(file):
            return _load_safetensors(file, map_location)
        return _load(file, map_location)
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        raise _refused(file, error) from error
    except PermissionError as error:
        raise CheckpointError(f"{str(file)!r} may not be read: {error.strerror}") from error
    except Exception as error:  # a damaged file breaks the reader in any of a dozen ways
        raise _unreadable(file, error) from error


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
    metadata = {"format": "pt", OWN_KEY: json.dumps(record)}
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
    own = json.loads(metadata[OWN_KEY]) if OWN_KEY in metadata else None
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


def _refused(file: Path, error: pickle.UnpicklingError) -> CheckpointError:
    blocked = _BLOCKED_NAME.search(str(error))
    if blocked is None:
        return _unreadable(file, error)
    return CheckpointError(
        f"refused to load {str(file)!r}: it asks to run {blocked.group(1)!r}, and a checkpoint "
        "holds only tensors, numbers and text",
        "Do not open it by other means unless you trust its author; ask for a plain state dict.",
    )


def _unreadable(file: Path, error: Exception) -> CheckpointError:
    size = file.stat().st_size
    reason = "it is empty" if size == 0 else f"{type(error).__name__} in {size} bytes"
    return CheckpointError(
        f"{str(file)!r} is damaged or no torch checkpoint ({reason})",
        "Copy or download it again; it must have been written by torch.save or safetensors.",
    )
