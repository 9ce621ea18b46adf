"""Datasets: three splits, of which a view by mode is what a loader reads."""

from __future__ import annotations

import copy
import logging
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar, overload

import numpy as np

from reidcore.data.images.decode import read_image
from reidcore.data.images.reading import TORCHREID, ImageReading
from reidcore.data.left_out import LeftOut, noting_left_out
from reidcore.data.sample import Sample, SamplePath, Samples, Splits
from reidcore.data.table import Counts, SampleTable, combined, rebased
from reidcore.errors import DataError, counted

__all__ = ["Dataset", "ImageDataset", "Splits", "Transform", "training_table", "view_of"]

_log = logging.getLogger(__name__)

Transform: TypeAlias = Callable[[Any], Any]
"""Maps a PIL image to what goes into the batch."""

AnyDataset = TypeVar("AnyDataset", bound="Dataset")

MODES = ("train", "query", "gallery")


class Dataset:
    """The base of `ImageDataset` and of datasets of other kinds.

    The splits are stored as tables, which are sequences of `Sample`. Training identities are
    relabelled to 0..C-1 here, in ascending order, so a subclass may give them as it finds them.

    Args:
        train: Samples (or plain tuples) to learn from.
        query: Samples to search for.
        gallery: Samples to search in.
        transform: Applied to each image that is read.
        k_tfm: How often the transform is applied to a training image, independently; more than
            one makes ``img`` a list.
        mode: Which split indexing and ``len()`` mean: ``train``, ``query`` or ``gallery``.
        combineall: Whether query and gallery are learnt from as well.
        verbose: Whether a summary is logged.
        kwargs: Not used; Torchreid's datasets pass on whatever they were given.

    Attributes:
        data: The table of the current mode.
        num_train_pids: Number of training identities.
        num_train_cams: Number of training cameras.
        num_datasets: Number of datasets among the training samples.

    Raises:
        DataError: A sample is malformed, or the mode is none.
    """

    _junk_pids: Sequence[int] = ()
    """Test identities that are no person (background, distractors): never learnt from."""

    _train_only: bool = False
    """Whether ``combineall`` leaves this dataset as it is."""

    data_type: ClassVar[str] = ""
    """``image`` or ``video``; empty where a dataset does not say."""

    dataset_dir: str = ""
    dataset_url: str | None = None
    title: str = ""
    """Its name as its authors write it, where that is known."""

    reading: ImageReading = TORCHREID
    """What becomes of the orientation, transparency and depth of its images."""

    unit: str = "items"
    """What a sample is, for the summary."""

    origin: str = ""
    """The registered dataset and its plugin, for messages; empty if it was made by hand."""

    left_out: Sequence[LeftOut] = ()
    """What lies in the dataset and is not used, counted by kind."""

    def __init__(
        self,
        train: Samples,
        query: Samples,
        gallery: Samples,
        transform: Transform | None = None,
        k_tfm: int = 1,
        mode: str = "train",
        combineall: bool = False,
        verbose: bool = True,
        **kwargs: Any,
    ) -> None:
        name = type(self).__name__
        self.train: Samples = training_table(train, f"'train' of {name}")
        self.query: Samples = SampleTable.of(query, f"'query' of {name}")
        self.gallery: Samples = SampleTable.of(gallery, f"'gallery' of {name}")
        self.transform = transform
        self.k_tfm = k_tfm
        self.mode = mode
        self.combineall = combineall
        self.verbose = verbose
        self._count()
        if combineall:
            self.combine_all()
        self.data: Samples = _split(self, mode)
        if verbose:
            self.show_summary()

    def __getitem__(self, index: int) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} does not say how an item is read")

    def __len__(self) -> int:
        return len(self.data)

    def __add__(self, other: Dataset) -> MergedDataset:
        """Merge the training samples of two datasets, see `merged`."""
        return merged([self, other])

    def __radd__(self, other: object) -> Dataset:
        """Serve ``sum([dataset1, dataset2])``, which starts from 0."""
        if other == 0:
            return self
        return NotImplemented

    def parse_data(self, data: Samples) -> tuple[int, int]:
        """Return the numbers of identities and of cameras."""
        counts = SampleTable.of(data).counts
        return counts.ids, counts.cameras

    def get_num_pids(self, data: Samples) -> int:
        """Return the number of identities."""
        return SampleTable.of(data).counts.ids

    def get_num_cams(self, data: Samples) -> int:
        """Return the number of cameras."""
        return SampleTable.of(data).counts.cameras

    def get_num_datasets(self, data: Samples) -> int:
        """Return the number of datasets."""
        return len(np.unique(SampleTable.of(data).dsetids))

    def combine_all(self) -> None:
        """Add query and gallery to the training samples; their identities become new classes."""
        if self._train_only:
            return
        with noting_left_out(f"{self.title or type(self).__name__}, combined") as left_out:
            self.train = combined(
                SampleTable.of(self.train),
                SampleTable.of(self.query),
                SampleTable.of(self.gallery),
                self._junk_pids,
            )
        self.left_out = [*self.left_out, *left_out]
        self._count()

    def show_summary(self, title: str = "") -> None:
        """Log how many identities, images and cameras each split has.

        Args:
            title: Name to show instead of the class's.
        """
        rows = [(mode, SampleTable.of(getattr(self, mode)).counts) for mode in MODES]
        for line in summary_lines(title or type(self).__name__, self.unit, rows):
            _log.info("%s", line)

    def check_before_run(self, required_files: str | Sequence[str]) -> None:
        """Make sure that files and folders exist.

        Raises:
            DataError: One is missing; the message names it.
        """
        paths = [required_files] if isinstance(required_files, str) else required_files
        for path in paths:
            if not Path(path).exists():
                raise DataError(
                    f"{type(self).__name__} needs {path}, which does not exist",
                    "Check the root folder and the layout of the dataset below it",
                )

    def download_dataset(self, dataset_dir: str, dataset_url: str | None) -> None:
        """Fetch and unpack the dataset's archive unless its folder exists.

        Raises:
            DataError: There is no address, it is not https, or the archive is unsafe.
        """
        from reidcore.plugins.bundled import download_archive

        download_archive(type(self).__name__, dataset_dir, dataset_url)

    def _count(self) -> None:
        self.num_train_pids, self.num_train_cams = self.parse_data(self.train)
        self.num_datasets = self.get_num_datasets(self.train)

    def _transform_image(self, transform: Transform, k_tfm: int, image: Any) -> Any:
        if k_tfm == 1:
            return transform(image)
        return [transform(image) for _ in range(k_tfm)]


class ImageDataset(Dataset):
    """A dataset of single images: subclass it as in Torchreid, or use it as it is.

    An item is ``{"img": transformed image, "pid": int, "camid": int, "impath": str,
    "dsetid": int}``; with the transforms of `build_transforms`, ``img`` is a (3, height, width)
    float tensor.

    Example:
        >>> class NewDataset(ImageDataset):
        ...     def __init__(self, root="", **kwargs):
        ...         train, query, gallery = read_my_lists(root)
        ...         super().__init__(train, query, gallery, **kwargs)
    """

    data_type = "image"
    unit = "images"

    def __getitem__(self, index: int) -> dict[str, Any]:
        item: Any = self.data[index]
        path, pid, camid, dsetid = Sample(*item)
        if not isinstance(path, str):
            raise DataError(
                f"an image was expected, and {path[0]} begins a tracklet of "
                f"{counted(len(path), 'frame')}",
                "Use a dataset of single images",
            )
        image: Any = read_image(path, self.reading)
        if self.transform is not None:
            image = self._transform_image(self.transform, self.k_tfm, image)
        return {"img": image, "pid": pid, "camid": camid, "impath": path, "dsetid": dsetid}


class MergedDataset(Dataset):
    """The training samples of several datasets, each still read by its own dataset.

    Args:
        parts: Training views whose samples are already numbered apart, see `merged`.
    """

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self.parts = tuple(parts)
        self._starts = list(accumulate((len(part) for part in parts[:-1]), initial=0))
        self.unit = parts[0].unit
        self.origin = " or ".join(dict.fromkeys(filter(None, (part.origin for part in parts))))
        super().__init__(
            SampleTable.joined([SampleTable.of(part.train) for part in parts]),
            parts[0].query,
            parts[0].gallery,
            transform=parts[0].transform,
            k_tfm=parts[0].k_tfm,
            verbose=False,
        )

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = bisect_right(self._starts, index) - 1
        return self.parts[number][index - self._starts[number]]


def merged(datasets: Sequence[Dataset]) -> MergedDataset:
    """Merge training sets so that neither identities nor cameras of two sources meet.

    Args:
        datasets: Datasets, or merged ones, whose parts are then taken one by one.
    """
    parts = [part for dataset in datasets for part in getattr(dataset, "parts", [dataset])]
    tables = rebased([SampleTable.of(part.train) for part in parts])
    return MergedDataset(
        [
            view_of(part, "train", part.transform, part.k_tfm, data=table)
            for part, table in zip(parts, tables, strict=True)
        ]
    )


class PathsOfViews(Sequence[SamplePath]):
    """The paths of several training sets one after the other, without a list of them all."""

    def __init__(self, views: Sequence[Dataset]) -> None:
        self._columns = [SampleTable.of(view.data).paths for view in views]
        self._ends = list(accumulate(map(len, self._columns)))

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, index: int) -> SamplePath: ...
    @overload
    def __getitem__(self, index: slice) -> list[SamplePath]: ...
    def __getitem__(self, index: int | slice) -> SamplePath | list[SamplePath]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        column = bisect_right(self._ends, place)
        return self._columns[column][place - (self._ends[column - 1] if column else 0)]


def training_table(samples: Samples, where: str) -> SampleTable:
    """Return training samples relabelled to 0..C-1, without those of a negative identity.

    Args:
        samples: Samples or plain tuples.
        where: What they are, for messages.
    """
    table = SampleTable.of(samples, where)
    return table.identified(where).relabelled()


def view_of(
    dataset: AnyDataset,
    mode: str,
    transform: Transform | None = None,
    k_tfm: int = 1,
    data: SampleTable | None = None,
) -> AnyDataset:
    """Return a shallow copy of a dataset that reads one split through one transform.

    The copy keeps the class, and with it an overridden ``__getitem__``.

    Args:
        dataset: The dataset, which stays as it is.
        mode: ``train``, ``query`` or ``gallery``.
        transform: What the view applies to each image.
        k_tfm: How often, see `Dataset`.
        data: Samples to read instead of the split's own.
    """
    view = copy.copy(dataset)
    view.mode = mode
    view.transform = transform
    view.k_tfm = k_tfm
    if data is not None:
        table = data
    elif mode == "train":
        table = training_table(dataset.train, f"'train' of {type(dataset).__name__}")
    else:
        table = SampleTable.of(_split(dataset, mode), f"{mode!r} of {type(dataset).__name__}")
    setattr(view, mode, table)
    view.data = table
    view._count()
    return view


def summary_lines(title: str, unit: str, rows: Sequence[tuple[str, Counts]]) -> list[str]:
    """Return the lines of the table that Torchreid shows for a dataset."""
    rule = "  " + "-" * 40
    lines = [f"=> Loaded {title}", rule, f"  subset   | # ids | # {unit:6} | # cameras", rule]
    lines += [
        f"  {name:8} | {counts.ids:5d} | {counts.images:8d} | {counts.cameras:9d}"
        for name, counts in rows
    ]
    return [*lines, rule]


def _split(dataset: Dataset, mode: str) -> Samples:
    if mode not in MODES:
        raise DataError(f"no mode {mode!r}", f"It must be one of {', '.join(MODES)}")
    split: Samples = getattr(dataset, mode)
    return split
