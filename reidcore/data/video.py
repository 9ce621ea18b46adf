"""Datasets of tracklets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from reidcore.data.dataset import MODES, Dataset
from reidcore.data.images.decode import read_image
from reidcore.data.sample import Sample, Samples
from reidcore.data.table import SampleTable
from reidcore.data.video_frames import check_sampling, choose_frames
from reidcore.errors import DataError


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
        image = read_image(path)
        return image if self.transform is None else self.transform(image)


def _check_tracklets(table: SampleTable, where: str) -> None:
    images = np.flatnonzero(~table.paths.tracklets)
    if len(images):
        raise DataError(
            f"item {images[0]} of {where} has the path {table.paths[int(images[0])]!r}, "
            "which is no tracklet",
            "Give the tuple of its frames' paths, or use a dataset of single images",
        )
