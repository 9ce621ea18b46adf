"""Which paths lead to one file on disk, whatever names it has."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from reidcore._files import file_identity


def file_ids(paths: Iterable[str], sizes: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return (N,) numbers of N samples that are equal where samples are the same file.

    A file is known by device and inode, so that hard and symbolic links are one with what they
    lead to; one that is not there, by its resolved path. Tracklets are the same if all their frames
    are, in the same order. The numbers are hashes: they compare across tables.

    Args:
        paths: of M files, each of which is looked up once.
        sizes: (N,) how many of them each sample has.
    """
    files = np.fromiter((_hashed(file_identity(path)) for path in paths), dtype=np.int64)
    if (sizes == 1).all():
        return files
    tracklets = np.split(files, np.cumsum(sizes)[:-1])
    single = (len(frames) == 1 for frames in tracklets)
    ids = [f[0] if one else _hashed(f.tobytes()) for f, one in zip(tracklets, single, strict=True)]
    return np.array(ids, dtype=np.int64)


def _hashed(identity: bytes) -> int:
    return int.from_bytes(blake2b(identity, digest_size=8).digest(), "little", signed=True)
