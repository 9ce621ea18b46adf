"""What all data managers share."""

from __future__ import annotations

import logging
import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, ClassVar, overload

import torch
from PIL import Image

from reidcore._logging import configure_if_bare
from reidcore.data.by_name import Sections, open_datasets, training_view
from reidcore.data.dataset import Dataset, merged, view_of
from reidcore.data.loader.loader import (
    BatchLoader,
    Loading,
    NothingToLearn,
    loader_for_testing,
    loader_for_training,
)
from reidcore.data.loader.sampling import make_order
from reidcore.data.sample import SamplePath
from reidcore.data.table import SampleTable
from reidcore.data.transforms.build import build_transforms, normalisation
from reidcore.data.transforms.compose import size_rule_of
from reidcore.errors import ConfigError, DataError, UserError
from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)

Names = str | Sequence[str] | None
"""One name, several, or none."""


@dataclass(frozen=True)
class Training:
    """How training batches are made.

    Attributes:
        sampler: Name of the sampler.
        batch_size: Number of samples in a batch over all processes.
        options: For samplers that ask: ``num_instances``, ``num_cams``, ``num_datasets``.
        k_tfm: How often an image is transformed.
    """

    sampler: str
    batch_size: int
    options: Mapping[str, int] = field(default_factory=dict)
    k_tfm: int = 1


class DataManager:
    """What data managers share: names, transforms, and views of datasets that are made once.

    Args:
        sources: Name or names of the datasets to learn from; an empty list to test only.
        targets: Name or names of the datasets to test on; the sources if None.
        height: Of the images, pixels.
        width: Of the images, pixels.
        transforms: Name or names of the training transforms.
        norm_mean: Mean of each channel in 0..1; ImageNet's if None.
        norm_std: Standard deviation of each channel; ImageNet's if None.
        use_gpu: Whether batches are meant for a GPU; without one it is False.
        resize: What resizes images, ``pillow`` or ``torch``; see `build_transforms`.
        seed: What orders and augmentation are drawn from.
        plugins: Where names are looked up; the current ones if None.
        sections: Component name (dataset, transform, sampler) -> its own options.

    Attributes:
        transform_tr: The training transform, PIL image to (3, height, width).
        transform_te: The test transform.
        preprocessing: What a test image needs: ``height``, ``width``, ``norm_mean``, ``norm_std``,
            ``interpolation``, ``resize``, and ``letterbox``, the colour of margins, if images keep
            their shape.
        train_loader: Loader of the sources' training samples; it raises on use if there are none.
        train_loader_t: Loader of the targets' training samples, if it was asked for.
        test_loader: Target -> ``query`` and ``gallery`` -> loader.
        test_dataset: Target -> ``query`` and ``gallery`` -> table of samples.
        skipped: Path -> reason of each image left out so far.

    Raises:
        UserError: A name is unknown, or sources and targets are missing.
    """

    data_type: ClassVar[str] = ""
    """``image`` or ``video``: how engines read the batches."""

    def __init__(
        self,
        sources: Names = None,
        targets: Names = None,
        height: int = 256,
        width: int = 128,
        transforms: Names = "random_flip",
        norm_mean: Sequence[float] | None = None,
        norm_std: Sequence[float] | None = None,
        use_gpu: bool = False,
        *,
        resize: str = "pillow",
        seed: int = 0,
        plugins: Plugins | None = None,
        sections: Sections | None = None,
    ) -> None:
        configure_if_bare()
        if sources is None or not (sources or targets):
            raise UserError("no dataset is named", "Give sources, such as sources='market1501'")
        self.sources = _name_list(sources)
        self.targets = self.sources if targets is None else _name_list(targets)
        self.height = height
        self.width = width
        self.use_gpu = use_gpu and torch.cuda.is_available()
        self.seed = seed
        self.plugins = plugins
        self.sections: Sections = sections or {}
        self.transform_tr, self.transform_te = build_transforms(
            height,
            width,
            transforms,
            norm_mean,
            norm_std,
            resize=resize,
            plugins=plugins,
            **_sections_of(transforms, self.sections),
        )
        mean, std = normalisation(norm_mean, norm_std)
        self.preprocessing: dict[str, Any] = {
            "height": height,
            "width": width,
            "norm_mean": list(mean),
            "norm_std": list(std),
            "interpolation": "bilinear",
            "resize": resize,
        }
        rule = size_rule_of(self.transform_te)
        if rule is not None and rule.margin is not None:
            self.preprocessing["letterbox"] = list(rule.margin)
        self.train_loader: BatchLoader = NothingToLearn(
            UserError("this data manager was made for testing", "Name a dataset in data.sources")
        )
        self.train_loader_t: BatchLoader | None = None
        self.test_loader: dict[str, dict[str, BatchLoader]] = {}
        self.test_dataset: dict[str, dict[str, SampleTable]] = {}
        self._datasets: dict[str, Dataset] = {}
        self._trainset: Dataset | None = None

    @property
    def num_train_pids(self) -> int:
        """Number of training identities; 0 without training samples."""
        return self._trainset.num_train_pids if self._trainset else 0

    @property
    def num_train_cams(self) -> int:
        """Number of training cameras; 0 without training samples."""
        return self._trainset.num_train_cams if self._trainset else 0

    @property
    def skipped(self) -> dict[str, str]:
        """Path -> reason of each image that the loaders left out so far."""
        tested = [loader for pair in self.test_loader.values() for loader in pair.values()]
        loaders = [self.train_loader, self.train_loader_t, *tested]
        kept = [loader for loader in loaders if loader is not None]
        return {path: why for loader in kept for path, why in loader.skipped.items()}

    def fetch_test_loaders(self, name: str) -> tuple[SampleTable, SampleTable]:
        """Return the query and gallery samples of a target (its *samples*, as in Torchreid)."""
        return self.test_dataset[name]["query"], self.test_dataset[name]["gallery"]

    def return_query_and_gallery_by_name(self, name: str) -> tuple[SampleTable, SampleTable]:
        """Return the query and gallery samples of a target."""
        return self.fetch_test_loaders(name)

    def preprocess_pil_img(self, img: Image.Image) -> Any:
        """Return a PIL image after the test transform, (3, height, width)."""
        return self.transform_te(img)

    def fingerprints(self) -> dict[str, dict[str, str]]:
        """Return dataset -> split -> fingerprint, see `SampleTable.fingerprint`."""
        return {
            name: {
                split: SampleTable.of(getattr(dataset, split)).fingerprint()
                for split in ("train", "query", "gallery")
            }
            for name, dataset in self._datasets.items()
        }

    def _open_datasets(
        self, root: str | os.PathLike[str], options: Mapping[str, Any], combineall: bool
    ) -> None:
        """Make every dataset that is named; options go to those that declare them."""
        names = list(dict.fromkeys([*self.sources, *self.targets]))
        combined = self.sources if combineall else []
        self._datasets = open_datasets(
            names, root, options, self.sections, self.plugins, self.data_type, combined
        )

    def _open_sources(
        self, training: Training, loading: Loading, *, combineall: bool, test_only: bool
    ) -> None:
        """Fill `train_loader`; only count the training samples if nothing is to be learnt."""
        if not self.sources:
            return
        self._trainset = self._training_set(self.sources, combineall, training.k_tfm, test_only)
        if not test_only:
            self.train_loader = self._training_loader(self._trainset, training, loading)

    def _training_set(
        self, names: Sequence[str], combineall: bool, k_tfm: int, may_be_empty: bool = False
    ) -> Dataset:
        """Return the training view of one dataset, or the merged one of several."""
        views = [
            training_view(self._datasets[name], name, combineall=combineall, k_tfm=k_tfm)
            for name in names
        ]
        for name, view in zip(names, views, strict=True):
            if not may_be_empty:
                _check_filled(name, "train", view)
        transform = self.transform_tr.with_training_images(_Paths(views))
        for view in views:
            view.transform = transform
        return views[0] if len(views) == 1 else merged(views)

    def _training_loader(
        self, dataset: Dataset, training: Training, loading: Loading
    ) -> BatchLoader:
        order = make_order(
            training.sampler,
            SampleTable.of(dataset.data),
            training.batch_size,
            loading.seed,
            training.options,
            self.sections.get(training.sampler, {}),
            self.plugins,
        )
        return loader_for_training(dataset, order, training.batch_size, loading)

    def _open_targets(self, batch_size: int, loading: Loading) -> None:
        """Fill `test_loader` and `test_dataset`."""
        for name in self.targets:
            views = {
                split: view_of(self._datasets[name], split, self.transform_te)
                for split in ("query", "gallery")
            }
            for split, view in views.items():
                _check_filled(name, split, view)
            self.test_dataset[name] = {k: SampleTable.of(view.data) for k, view in views.items()}
            self.test_loader[name] = {
                split: loader_for_testing(view, batch_size, loading)
                for split, view in views.items()
            }

    def _log_summary(self) -> None:
        if self._trainset is not None:
            _log.info(
                "Sources: %s (%d ids, %d %s, %d cameras)",
                ", ".join(self.sources),
                self.num_train_pids,
                len(self._trainset),
                self._trainset.unit,
                self.num_train_cams,
            )
        for name, pair in self.test_dataset.items():
            _log.info("Target: %s (%d query, %d gallery)", name, *map(len, pair.values()))


class _Paths(Sequence[SamplePath]):
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


def _name_list(names: Names) -> list[str]:
    listed = [names] if isinstance(names, str) else list(names or ())
    twice = {name for name in listed if listed.count(name) > 1}
    if twice:
        raise ConfigError(f"dataset {min(twice)!r} is named twice", "Name each dataset once")
    return listed


def _sections_of(transforms: Names, sections: Sections) -> dict[str, Mapping[str, Any]]:
    names = [transforms] if isinstance(transforms, str) else list(transforms or ())
    return {name: sections[name] for name in names if name in sections}


def _check_filled(name: str, split: str, view: Dataset) -> None:
    if not len(view):
        raise DataError(
            f"dataset {name!r} has no {split} {view.unit}",
            "Learn from another dataset"
            if split == "train"
            else "Name the datasets to test on in data.targets",
        )
