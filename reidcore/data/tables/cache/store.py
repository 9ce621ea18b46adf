"""A file of arrays: written whole, checked when it is opened, then mapped into memory.

Eight bytes say what it is, then follow the length of the header, a checksum of all that comes
after it, the header (JSON: what the arrays mean and where they lie) and the arrays. Nothing in it
is executed or unpickled.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore._files import atomic_write

MAGIC = b"REIDTAB1"
_HEAD = struct.Struct("<8sQI")
_ALIGNMENT = 64
_PIECE = 1 << 20

Arrays = Mapping[str, npt.NDArray[Any]]


def write_arrays(path: Path, meaning: Mapping[str, Any], arrays: Arrays) -> None:
    """Write arrays and what they mean; whoever opens the file meanwhile finds the old one or none.

    Raises:
        UserError: the file cannot be written.
    """
    places: dict[str, list[Any]] = {}
    end = 0
    for name, array in arrays.items():
        begin = -(-end // _ALIGNMENT) * _ALIGNMENT
        places[name] = [array.dtype.str, list(array.shape), begin]
        end = begin + array.nbytes
    header = json.dumps({"meaning": meaning, "arrays": places, "size": end}).encode()
    header += b" " * (-(len(header) + _HEAD.size) % _ALIGNMENT)
    check = _begun(header)
    pieces: list[Any] = []
    end = 0
    for name, array in arrays.items():
        pieces.append(b"\0" * (places[name][2] - end))
        pieces.append(np.ascontiguousarray(array).view(np.uint8) if array.size else b"")
        end = places[name][2] + array.nbytes
    for piece in pieces:
        check = zlib.crc32(piece, check)
    with atomic_write(path) as file:
        file.write(_HEAD.pack(MAGIC, len(header), check))
        file.write(header)
        for piece in pieces:
            file.write(piece)


def open_arrays(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]] | None:
    """Return what a file's arrays mean, and the arrays, mapped into memory; None if it is damaged.

    Writing to the arrays changes this process's view of them alone.

    Raises:
        OSError: there is no file, or it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) != _HEAD.size:
            return None
        magic, length, check = _HEAD.unpack(head)
        if magic != MAGIC or length > path.stat().st_size:
            return None
        header = file.read(length)
        found = _begun(header)
        while piece := file.read(_PIECE):
            found = zlib.crc32(piece, found)
        if found != check:
            return None
        known = json.loads(header)
        mapped = np.memmap(file, dtype=np.uint8, mode="c") if known["size"] else None
    arrays = {
        name: _array(mapped, _HEAD.size + length + begin, np.dtype(kind), shape)
        for name, (kind, shape, begin) in known["arrays"].items()
    }
    return known["meaning"], arrays


def _begun(header: bytes) -> int:
    """Return the checksum of the header and its length, to go on from."""
    return zlib.crc32(header, zlib.crc32(struct.pack("<Q", len(header))))


def _array(
    mapped: npt.NDArray[np.uint8] | None, begin: int, kind: np.dtype[Any], shape: list[int]
) -> npt.NDArray[Any]:
    size = math.prod(shape) * kind.itemsize
    if mapped is None or not size:
        return np.empty(shape, dtype=kind)
    return np.asarray(mapped[begin : begin + size]).view(kind).reshape(shape)
