"""Which frames of a tracklet are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from reidcore.data.table import Int64Array
from reidcore.errors import ConfigError, DataError, UnknownNameError, did_you_mean


def evenly(num_frames: int, seq_len: int) -> Int64Array:
    """Choose frames spread over the whole tracklet; a short one is filled up with its last frame.

    The one at place k (from 0) is the first at or after the share k / seq_len of the tracklet.
    Steps differ by one frame at most, and fewer frames follow the last one than lie in a step.
    Where seq_len divides the length these are Torchreid's frames.
    """
    if num_frames < seq_len:
        return _filled_up(num_frames, seq_len)
    return -(-np.arange(seq_len, dtype=np.int64) * num_frames // seq_len)


def evenly_torchreid(num_frames: int, seq_len: int) -> Int64Array:
    """Choose frames as Torchreid 1.4.0 does, a whole number of frames apart.

    The rest of the division is never read: of 29 frames, 15 wanted, the first 15.
    """
    if num_frames < seq_len:
        return _filled_up(num_frames, seq_len)
    return np.arange(seq_len, dtype=np.int64) * (num_frames // seq_len)


def randomly(num_frames: int, seq_len: int) -> Int64Array:
    """Draw frames, in order of time; a short tracklet's are drawn with replacement."""
    drawn = np.random.choice(num_frames, size=seq_len, replace=num_frames < seq_len)
    return np.sort(drawn).astype(np.int64, copy=False)


def every_frame(num_frames: int, seq_len: int) -> Int64Array:
    """Take the whole tracklet, however long it is."""
    return np.arange(num_frames, dtype=np.int64)


SAMPLE_METHODS: Mapping[str, Callable[[int, int], Int64Array]] = {
    "evenly": evenly,
    "random": randomly,
    "all": every_frame,
    "evenly_torchreid": evenly_torchreid,
}


def choose_frames(sample_method: str, num_frames: int, seq_len: int) -> Int64Array:
    """Return the indices of a tracklet's frames to read, in order of time.

    Args:
        sample_method: ``evenly``, ``random``, ``all`` or ``evenly_torchreid``.
        num_frames: Length of the tracklet.
        seq_len: Number of frames wanted; without effect on ``all``.

    Returns:
        (seq_len,) indices, (num_frames,) for ``all``.

    Raises:
        DataError: The tracklet is empty.
        UserError: See `check_sampling`.
    """
    check_sampling(sample_method, seq_len)
    if num_frames < 1:
        raise DataError("a tracklet has no frames", "Leave it out of the dataset")
    return SAMPLE_METHODS[sample_method](num_frames, seq_len)


def check_sampling(sample_method: str, seq_len: int) -> None:
    """Make sure that there is such a method and that it may give so many frames.

    Raises:
        UnknownNameError: No method has that name.
        ConfigError: ``seq_len`` is not positive.
    """
    if sample_method not in SAMPLE_METHODS:
        near = did_you_mean(sample_method, SAMPLE_METHODS)
        raise UnknownNameError(
            f"no sample_method {sample_method!r}", near or f"Use {' or '.join(SAMPLE_METHODS)}"
        )
    if seq_len < 1:
        raise ConfigError(f"seq_len={seq_len}", "Set video.seq_len to 1 or more")


def _filled_up(num_frames: int, seq_len: int) -> Int64Array:
    return np.minimum(np.arange(seq_len, dtype=np.int64), num_frames - 1)
