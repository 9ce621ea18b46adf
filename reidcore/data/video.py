"""Datasets of tracklets, and which frames of a tracklet are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from reidcore.data.dataset import MODES, Dataset
from reidcore.data.images.decode import read_image
from reidcore.data.sample import Sample, Samples
from reidcore.data.table import Int64Array, SampleTable
from reidcore.errors import ConfigError, DataError, UnknownNameError, did_you_mean, quoted


class VideoDataset(Dataset):
    """A dataset of tracklets: subclass it as in Torchreid, or use it as it is.

    A sample's path is the tuple of the tracklet's frames in order of time. An item is ``{"img":
    clip, "pid": int, "camid": int, "impath": tuple of all the tracklet's paths, "dsetid": int}``;
    with the transforms of `build_transforms`, the clip is a (seq_len, 3, height, width) float
    tensor. Each frame is transformed by itself, with random draws of its own.

    Args:
        train: Samples (or plain tuples) to learn from.
        query: Samples to search for.
        gallery: Samples to search in.
        seq_len: Number of frames to read of a tracklet.
        sample_method: Which ones: ``evenly`` (spread over the tracklet), ``random`` (drawn, in
            order of time), ``all`` (every one, whatever ``seq_len``), or ``evenly_torchreid``.
        kwargs: As of `Dataset`; ``k_tfm`` has no effect.

    Raises:
        DataError: A sample is malformed or no tracklet, or the mode is none.
        UnknownNameError: ``sample_method`` is none.
        ConfigError: ``seq_len`` is not positive.

    Example:
        >>> class NewDataset(VideoDataset):
        ...     def __init__(self, root="", **kwargs):
        ...         train, query, gallery = read_my_tracklets(root)
        ...         super().__init__(train, query, gallery, **kwargs)
    """

    data_type = "video"
    unit = "tracklets"

    def __init__(
        self,
        train: Samples,
        query: Samples,
        gallery: Samples,
        seq_len: int = 15,
        sample_method: str = "evenly",
        **kwargs: Any,
    ) -> None:
        check_sampling(sample_method, seq_len)
        self.seq_len = seq_len
        self.sample_method = sample_method
        super().__init__(train, query, gallery, **kwargs)
        for mode in MODES:
            _check_tracklets(getattr(self, mode), f"{mode!r} of {type(self).__name__}")

    def __getitem__(self, index: int) -> dict[str, Any]:
        item: Any = self.data[index]
        paths, pid, camid, dsetid = Sample(*item)
        chosen = choose_frames(self.sample_method, len(paths), self.seq_len)
        clip: Any = [self._frame(paths[number]) for number in chosen.tolist()]
        if self.transform is not None:
            clip = torch.stack(clip)
        return {"img": clip, "pid": pid, "camid": camid, "impath": paths, "dsetid": dsetid}

    def _frame(self, path: str) -> Any:
        image = read_image(path, self.reading)
        return image if self.transform is None else self.transform(image)


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
            f"no sample_method {quoted(sample_method)}",
            near or f"Use {' or '.join(SAMPLE_METHODS)}",
        )
    if seq_len < 1:
        raise ConfigError(f"seq_len={seq_len}", "Set video.seq_len to 1 or more")


def _check_tracklets(table: SampleTable, where: str) -> None:
    images = np.flatnonzero(~table.paths.tracklets)
    if len(images):
        raise DataError(
            f"item {images[0]} of {where} has the path {quoted(table.paths[int(images[0])])}, "
            "which is no tracklet",
            "Give the tuple of its frames' paths, or use a dataset of single images",
        )


def _filled_up(num_frames: int, seq_len: int) -> Int64Array:
    return np.minimum(np.arange(seq_len, dtype=np.int64), num_frames - 1)
