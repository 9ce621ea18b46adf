"""Reading the images of datasets as bytes, past their ``__getitem__``, with the same result.

A dataset of the core's own kind needs no item made of each image: what a loader gives are the
pixels, and the labels are looked up where the batch is completed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

from reidcore.data.dataset import Dataset, ImageDataset, MergedDataset
from reidcore.data.images.cache import FileMark, PixelCache, PixelStore
from reidcore.data.images.decode import read_pixels
from reidcore.data.images.reading import ImageReading
from reidcore.data.images.resize import Pixels
from reidcore.data.sample import SamplePath
from reidcore.data.table import SampleTable
from reidcore.data.transforms.base import Params
from reidcore.data.transforms.resize import SizeRule
from reidcore.data.transforms.split import SplitPipeline, split_pipeline
from reidcore.data.video import VideoDataset, choose_frames
from reidcore.errors import DataError, counted

Stores = Mapping[SizeRule, PixelStore]


class FileSource:
    """An image file as a source: read when it is asked for, and once.

    Args:
        path: The file.
        number: Its place in the stores.
        stores: Where its sizes may be found, and are kept.
        draft: Height and width that its decoder may aim at, see `read_pixels`.
        reading: What becomes of orientation, transparency and depth.
    """

    def __init__(
        self,
        path: str,
        number: int,
        stores: Stores,
        draft: tuple[int, int] | None,
        reading: ImageReading,
    ) -> None:
        self.path = path
        self.number = number
        self.stores = stores
        self.draft = draft
        self.reading = reading
        # Taken before the file is read: if it changes meanwhile, its mark is an old one.
        self.mark = FileMark.of(path) if stores else None
        self._pixels: Pixels | None = None

    def pixels(self) -> Pixels:
        """Return the image, (h, w, 3)."""
        if self._pixels is None:
            self._pixels = read_pixels(self.path, self.draft, self.reading)
        return self._pixels

    def sized(self, rule: SizeRule) -> Pixels:
        """Return the image in a size, from its store if it is there."""
        store = self.stores.get(rule)
        if store is None or self.mark is None:
            return rule.apply(self.pixels())
        found = store.read(self.number, self.mark)
        if found is None:
            found = rule.apply(self.pixels())
            store.write(self.number, self.mark, found)
        return found


@dataclass(frozen=True)
class Part:
    """The files of one dataset.

    Attributes:
        paths: (N,) paths, or tuples of frames.
        stores: Where images are kept.
        reading: What becomes of orientation, transparency and depth.
        starts: (N,) number of the first frame of each tracklet in the stores; may be empty.
        sampling: Method and number of frames of each tracklet; None for images.
    """

    paths: Sequence[SamplePath]
    stores: Stores
    reading: ImageReading
    starts: Sequence[int] = ()
    sampling: tuple[str, int] | None = None

    def files(self, row: int) -> list[tuple[str, int]]:
        """Return the files of a sample with their numbers, drawing frames where that is so."""
        path = self.paths[row]
        if self.sampling is None:
            if not isinstance(path, str):
                raise DataError(
                    f"an image was expected, and {path[0]} begins a tracklet of "
                    f"{counted(len(path), 'frame')}",
                    "Use a dataset of single images",
                )
            return [(path, row)]
        method, length = self.sampling
        first = self.starts[row] if len(self.starts) else 0
        chosen = choose_frames(method, len(path), length).tolist()
        return [(path[number], first + number) for number in chosen]


@dataclass(frozen=True)
class Reader:
    """The images of a dataset, as far as each goes by itself.

    Attributes:
        parts: The datasets it is made of.
        ends: (parts,) row after the last one of each.
        pipeline: What is done to an image.
        views: How often an image is transformed; several make ``img`` a list.
        draft: Height and width that decoders may aim at; None for exact pixels.
    """

    parts: tuple[Part, ...]
    ends: tuple[int, ...]
    pipeline: SplitPipeline
    views: int
    draft: tuple[int, int] | None

    @property
    def holds_clips(self) -> bool:
        """Whether a sample is several frames."""
        return self.parts[0].sampling is not None

    @property
    def is_random(self) -> bool:
        """Whether reading draws random numbers."""
        draws_frames = any(part.sampling and part.sampling[0] == "random" for part in self.parts)
        return draws_frames or self.pipeline.is_random

    def read(self, row: int) -> list[tuple[Pixels, list[Params]]]:
        """Return the image, its views or the frames of a sample, and what was drawn for each."""
        number = bisect_right(self.ends, row)
        part = self.parts[number]
        row -= self.ends[number - 1] if number else 0
        return [
            self.pipeline.read(source)
            for path, place in part.files(row)
            for source in [FileSource(path, place, part.stores, self.draft, part.reading)]
            for _ in range(self.views)
        ]


def reader_of(
    dataset: Dataset, augment: str = "image", draft: bool = False, cache: PixelCache | None = None
) -> Reader | None:
    """Return what reads a dataset's images, or None if only its ``__getitem__`` can.

    Args:
        dataset: A view by mode and transform.
        augment: Where random changes are made, see `split_pipeline`.
        draft: Whether files may be decoded as drafts.
        cache: Where decoded images are kept.
    """
    datasets = dataset.parts if type(dataset) is MergedDataset else (dataset,)
    first = datasets[0]
    pipeline = split_pipeline(first.transform, augment)
    alike = all(
        part.transform is first.transform and part.k_tfm == first.k_tfm for part in datasets
    )
    if pipeline is None or not alike or not all(_reads_as_the_core_does(part) for part in datasets):
        return None
    if len({isinstance(part, VideoDataset) for part in datasets}) > 1:
        return None
    size = _largest(pipeline.rules) if draft else None
    parts = tuple(_part(part, pipeline.rules, size is not None, cache) for part in datasets)
    views = 1 if isinstance(first, VideoDataset) else first.k_tfm
    return Reader(parts, tuple(accumulate(map(len, datasets))), pipeline, views, size)


def _reads_as_the_core_does(dataset: Dataset) -> bool:
    kind: Any = type(dataset)
    names = ("__getitem__", "__len__", "_frame", "_transform_image")
    return any(
        all(getattr(kind, name, None) is getattr(core, name, None) for name in names)
        for core in (ImageDataset, VideoDataset)
    )


def _part(
    dataset: Dataset, rules: Sequence[SizeRule], draft: bool, cache: PixelCache | None
) -> Part:
    paths, reading = SampleTable.of(dataset.data).paths, dataset.reading
    if not isinstance(dataset, VideoDataset):
        return Part(paths, _stores(paths, rules, draft, reading, cache), reading)
    frames = list(chain.from_iterable(paths)) if cache and cache.kind != "off" else []
    starts = list(accumulate(map(len, paths), initial=0)) if frames else ()
    sampling = dataset.sample_method, dataset.seq_len
    return Part(paths, _stores(frames, rules, draft, reading, cache), reading, starts, sampling)


def _stores(
    paths: Sequence[Any],
    rules: Sequence[SizeRule],
    draft: bool,
    reading: ImageReading,
    cache: PixelCache | None,
) -> Mapping[SizeRule, PixelStore]:
    return cache.stores(paths, rules, draft, reading) if cache and len(paths) else {}


def _largest(rules: Sequence[SizeRule]) -> tuple[int, int] | None:
    if not rules:
        return None
    return max(rule.height for rule in rules), max(rule.width for rule in rules)
