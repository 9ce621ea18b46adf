"""The loaders of an experiment, from a configuration's options or from Torchreid's arguments."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from PIL import Image

from reidcore._logging import configure_if_bare
from reidcore.config.options import DataOptions, SamplingOptions, VideoOptions
from reidcore.config.options.test import VALIDATION
from reidcore.data import by_name
from reidcore.data.dataset import Dataset, PathsOfViews, merged, view_of
from reidcore.data.images.cache import PixelCache
from reidcore.data.images.narrow import warn_of_narrow_use
from reidcore.data.images.reading import ImageReading
from reidcore.data.images.rgb import rgb_of_picture
from reidcore.data.loader.loader import (
    BatchLoader,
    Loading,
    NothingToLearn,
    loader_for_testing,
    loader_for_training,
    start_method,
)
from reidcore.data.loader.sampling import make_order
from reidcore.data.manager_checks import check_alone, check_consistent, check_filled
from reidcore.data.table import SampleTable
from reidcore.data.transforms.build import make_transforms, normalisation
from reidcore.data.transforms.compose import size_rule_of
from reidcore.errors import UserError, counted
from reidcore.plugins import Plugins
from reidcore.registry import Choose, Chooser, Component, choose
from reidcore.registry.named import registered_kind

_log = logging.getLogger(__name__)

Names = str | Sequence[str] | None
"""One name, several, or none."""


class DataManager:
    """The loaders of an experiment; each dataset is made once, whatever views are taken of it.

    A configuration's sections are its options. `ImageDataManager` and `VideoDataManager` make
    these of Torchreid's arguments.

    Args:
        data: The datasets, their transforms, and how images are read.
        sampling: The order of training.
        video: Which frames are read, where samples are tracklets.
        batch_size_train: Number of samples in a training batch over all processes.
        batch_size_test: Number of samples in a test batch.
        seed: What orders and augmentation are drawn from.
        use_gpu: Whether batches are meant for a GPU; without one it is False.
        test_only: Whether only `test_loader` is wanted; the sources may lack training samples then.
        validation_share: Share of each source's identities that are held out of training, to choose
            a model by; 0 for none.
        drop_last: Whether the last batch of an epoch is left out where it is not full.
        choose: Gives a dataset, transform or sampler, with its options, by kind and name.

    Attributes:
        options: The first argument.
        data_type: ``image`` or ``video``: how engines read the batches.
        sources: Names of the datasets to learn from.
        targets: Names of the datasets to test on.
        transform_tr: The training transform, PIL image to (3, height, width).
        transform_te: The test transform.
        preprocessing: What a test image needs: ``height``, ``width``, ``norm_mean``, ``norm_std``,
            ``interpolation``, ``resize``, ``reading``, and where they are set ``value_range`` and
            ``letterbox``, the colour of margins.
        train_loader: Loader of the sources' training samples; it raises on use if there are none.
        train_loader_t: Loader of the targets' training samples, if it was asked for.
        test_loader: Target -> ``query`` and ``gallery`` -> loader.
        test_dataset: Target -> ``query`` and ``gallery`` -> table of samples.
        validation_loader: ``validation`` -> loaders as of a target; empty if nobody is held out.
        validation_dataset: ``validation`` -> tables as of a target.
        left_out: Dataset -> what lies there and is not used, counted by kind.

    Raises:
        UserError: A name or an option is unknown, or sources and targets are missing.
        DataError: A dataset is missing, or a split that is needed is empty.
    """

    def __init__(
        self,
        data: DataOptions,
        sampling: SamplingOptions | None = None,
        video: VideoOptions | None = None,
        *,
        batch_size_train: int = 32,
        batch_size_test: int = 100,
        seed: int = 0,
        use_gpu: bool = False,
        test_only: bool = False,
        validation_share: float = 0.0,
        drop_last: bool = True,
        choose: Choose = choose,
    ) -> None:
        configure_if_bare()
        check_consistent(data, holds_out=validation_share > 0)
        sampling, video = sampling or SamplingOptions(), video or VideoOptions()
        self.options, self.data_type = data, data.type
        self.sources, self.targets = data.sources, data.targets
        self.height, self.width = data.height, data.width
        self.use_gpu = use_gpu and torch.cuda.is_available()
        self.seed = seed
        self.transform_tr, self.transform_te = make_transforms(data, choose)
        self.preprocessing = _preprocessing(data, self.transform_te)
        self._reading = ImageReading.of(data)
        self.train_loader: BatchLoader = NothingToLearn(
            UserError("this data manager was made for testing", "Name a dataset in data.sources")
        )
        self.train_loader_t: BatchLoader | None = None
        self.test_loader: dict[str, dict[str, BatchLoader]] = {}
        self.test_dataset: dict[str, dict[str, SampleTable]] = {}
        self.validation_loader: dict[str, dict[str, BatchLoader]] = {}
        self.validation_dataset: dict[str, dict[str, SampleTable]] = {}
        self._trainset: Dataset | None = None
        learns = bool(self.sources) and not test_only
        if data.type == "video" and video.sample_method == "all":
            check_alone("test", batch_size_test)
            if learns:
                check_alone("train", batch_size_train)
        self._datasets = _open_datasets(data, video, choose, self._reading, learns)
        self.left_out = {name: list(dataset.left_out) for name, dataset in self._datasets.items()}
        loading = Loading(
            data,
            seed=seed,
            pin_memory=self.use_gpu,
            cache=PixelCache(data.cache, data.cache_gb, forked=start_method() == "fork"),
            drop_last=drop_last,
        )
        if self.sources:
            views = self._training_views(data, self.sources, data.combineall, test_only)
            if learns and validation_share:
                views = self._hold_out(views, validation_share, batch_size_test, loading)
            self._trainset = self._training_set(views)
        if learns and self._trainset is not None:
            sampler = choose("samplers", sampling.train_sampler)
            self.train_loader = _training_loader(self._trainset, sampler, batch_size_train, loading)
        if data.load_train_targets:
            sampler = choose("samplers", sampling.train_sampler_t)
            targets = self._training_set(self._training_views(data, self.targets, False))
            self.train_loader_t = _training_loader(targets, sampler, batch_size_train, loading)
        self._open_targets(batch_size_test, loading)
        self._log_summary(data, learns)
        warn_of_narrow_use(self._files(), self._reading)

    @classmethod
    def from_options(cls, *options: Any, **settings: Any) -> Self:
        """Make a manager of this class, whatever its own arguments, of those of `DataManager`."""
        manager = cls.__new__(cls)
        DataManager.__init__(manager, *options, **settings)
        return manager

    @property
    def num_train_pids(self) -> int:
        """Number of training identities; 0 without training samples."""
        return self._trainset.num_train_pids if self._trainset else 0

    @property
    def num_train_cams(self) -> int:
        """Number of training cameras; 0 without training samples."""
        return self._trainset.num_train_cams if self._trainset else 0

    @property
    def num_train_views(self) -> int | None:
        """Number of values in the column ``view`` of the training samples; None without one."""
        table = self.train_table
        if table is None or "view" not in table.columns:
            return None
        return len(np.unique(table.columns["view"]))

    @property
    def train_table(self) -> SampleTable | None:
        """The training samples, their identities numbered from 0; None without any."""
        return SampleTable.of(self._trainset.data) if self._trainset else None

    @property
    def skipped(self) -> dict[str, str]:
        """Path -> reason of each image that the loaders left out so far."""
        loaders = [self.train_loader, self.train_loader_t, *self._loaders_for_testing()]
        kept = [loader for loader in loaders if loader is not None]
        return {path: why for loader in kept for path, why in loader.skipped.items()}

    def fetch_test_loaders(self, name: str) -> tuple[SampleTable, SampleTable]:
        """Return the query and gallery samples of a target (its *samples*, as in Torchreid)."""
        return self.test_dataset[name]["query"], self.test_dataset[name]["gallery"]

    def return_query_and_gallery_by_name(self, name: str) -> tuple[SampleTable, SampleTable]:
        """Return the query and gallery samples of a target."""
        return self.fetch_test_loaders(name)

    def preprocess_pil_img(self, img: Image.Image) -> Any:
        """Return a PIL image, read as a file's, after the test transform, (3, height, width)."""
        pixels = rgb_of_picture(img, self._reading, "the image")
        return self.transform_te(Image.fromarray(pixels))

    def fingerprints(self) -> dict[str, dict[str, str]]:
        """Return dataset -> split -> fingerprint, see `SampleTable.fingerprint`.

        What is held out has an entry of its own, beside the datasets that it is taken from.
        """
        read = {
            name: {split: getattr(dataset, split) for split in ("train", "query", "gallery")}
            for name, dataset in self._datasets.items()
        }
        return {
            name: {split: SampleTable.of(found).fingerprint() for split, found in splits.items()}
            for name, splits in (read | self.validation_dataset).items()
        }

    def _training_views(
        self, data: DataOptions, names: Sequence[str], combineall: bool, may_be_empty: bool = False
    ) -> list[Dataset]:
        """Return a training view of each dataset."""
        views = [
            by_name.training_view(
                self._datasets[name], name, combineall=combineall, k_tfm=data.k_tfm
            )
            for name in names
        ]
        for name, view in zip(names, views, strict=True):
            self.left_out[name] = list(view.left_out)
            if not may_be_empty:
                check_filled(name, "train", view)
        return views

    def _training_set(self, views: Sequence[Dataset]) -> Dataset:
        """Return the one training view, or several merged, with the training transform."""
        transform = self.transform_tr.with_training_images(PathsOfViews(views))
        for view in views:
            view.transform = transform
        return views[0] if len(views) == 1 else merged(views)

    def _open_targets(self, batch_size: int, loading: Loading) -> None:
        """Fill `test_loader` and `test_dataset`."""
        for name in self.targets:
            views = {
                split: view_of(self._datasets[name], split, self.transform_te)
                for split in ("query", "gallery")
            }
            for split, view in views.items():
                check_filled(name, split, view)
            self.test_dataset[name] = {k: SampleTable.of(view.data) for k, view in views.items()}
            self.test_loader[name] = _loaders_of(views, batch_size, loading)

    def _hold_out(
        self, views: Sequence[Dataset], share: float, batch_size: int, loading: Loading
    ) -> list[Dataset]:
        """Fill `validation_loader` and `validation_dataset`; return what is left to learn from."""
        from reidcore.plugins.bundled import hold_out

        held = hold_out(dict(zip(self.sources, views, strict=True)), share, self.seed)
        tested = held.views(self.transform_te)
        tables = {split: SampleTable.of(view.data) for split, view in tested.items()}
        self.validation_dataset[VALIDATION] = tables
        self.validation_loader[VALIDATION] = _loaders_of(tested, batch_size, loading)
        return held.train

    def _loaders_for_testing(self) -> list[BatchLoader]:
        named = self.test_loader | self.validation_loader
        return [loader for pair in named.values() for loader in pair.values()]

    def _files(self) -> PathsOfViews:
        """Return the images and tracklets that this manager reads."""
        tested = [loader.dataset for loader in self._loaders_for_testing()]
        return PathsOfViews([*filter(None, [self._trainset]), *tested])

    def _log_summary(self, data: DataOptions, learns: bool) -> None:
        if self._trainset is not None and learns:
            shown = ", ".join(data.transforms) or "no augmentation"
            _log.info("Training images: %dx%d, %s", data.height, data.width, shown)
            _log.info(
                "Sources: %s (%s, %s, %s)",
                ", ".join(self.sources),
                counted(self.num_train_pids, "id"),
                counted(len(self._trainset), self._trainset.unit.removesuffix("s")),
                counted(self.num_train_cams, "camera"),
            )
        for name, pair in self.test_dataset.items():
            _log.info("Target: %s (%d query, %d gallery)", name, *map(len, pair.values()))
        for pair in self.validation_dataset.values():
            held = counted(pair["query"].counts.ids, "id"), *map(len, pair.values())
            _log.info("Held out for validation: %s (%d query, %d gallery)", *held)


class ImageDataManager(DataManager):
    """The loaders of an image experiment, with Torchreid's arguments.

    Args:
        root: Folder below which the datasets lie.
        sources: Name or names of the datasets to learn from; an empty list to test only.
        targets: Name or names of the datasets to test on; the sources if None.
        height: Of the images, pixels.
        width: Of the images, pixels.
        transforms: Name or names of the training transforms.
        k_tfm: How often a training image is transformed, independently; more than one makes
            ``img`` a list of k_tfm batches.
        norm_mean: Mean of each channel in 0..1; ImageNet's if None.
        norm_std: Standard deviation of each channel; ImageNet's if None.
        use_gpu: Whether batches are meant for a GPU.
        split_id: Zero-based split, for datasets that have several.
        combineall: Whether the sources' query and gallery are learnt from as well.
        load_train_targets: Whether `train_loader_t` is made, for domain adaptation.
        batch_size_train: Number of images in a training batch over all processes.
        batch_size_test: Number of images in a test batch.
        workers: Number of worker processes a loader.
        num_instances: Images of an identity in a batch, for samplers that ask for it.
        num_cams: Cameras in a batch, for samplers that ask for it.
        num_datasets: Datasets in a batch, for samplers that ask for it.
        train_sampler: Name of the sampler.
        train_sampler_t: Name of the sampler for `train_loader_t`.
        batch_size: Sets both batch sizes.
        seed: What orders and augmentation are drawn from.
        test_only, validation_share, drop_last: As of `DataManager`.
        plugins: Where names are looked up; the current ones if None.
        sections: Component name (dataset, transform, sampler) -> its own options.
        options: Further keys of `DataOptions`, such as ``cache="ram"``; options of one
            component under its name, ``market1501={"use_500k_distractors": True}``; and options of
            datasets, such as ``cuhk03_labeled``, each of which goes to those that declare it.
            ``resize`` is ``pillow`` and ``reading`` is ``torchreid`` unless they are given.

    Raises:
        UserError: A name or an option is unknown, or a value is out of range.
        DataError: A dataset is missing, or a split that is needed is empty.

    Example:
        >>> datamanager = ImageDataManager(root="reid-data", sources="market1501", batch_size=64)
        >>> for batch in datamanager.train_loader:
        ...     batch["img"].shape  # (64, 3, 256, 128)
    """

    def __init__(
        self,
        root: str | os.PathLike[str] = "",
        sources: Names = None,
        targets: Names = None,
        height: int = 256,
        width: int = 128,
        transforms: Names = "random_flip",
        k_tfm: int = 1,
        norm_mean: Sequence[float] | None = None,
        norm_std: Sequence[float] | None = None,
        use_gpu: bool = True,
        split_id: int = 0,
        combineall: bool = False,
        load_train_targets: bool = False,
        batch_size_train: int = 32,
        batch_size_test: int = 32,
        workers: int = 4,
        num_instances: int = 4,
        num_cams: int = 1,
        num_datasets: int = 1,
        train_sampler: str = "RandomSampler",
        train_sampler_t: str = "RandomSampler",
        *,
        batch_size: int | None = None,
        seed: int = 0,
        test_only: bool = False,
        validation_share: float = 0.0,
        drop_last: bool = True,
        plugins: Plugins | None = None,
        sections: by_name.Sections | None = None,
        **options: Any,
    ) -> None:
        data = _data_options(
            sources,
            targets,
            norm_mean,
            norm_std,
            options,
            type="image",
            root=root,
            height=height,
            width=width,
            transforms=transforms or [],
            k_tfm=k_tfm,
            split_id=split_id,
            combineall=combineall,
            load_train_targets=load_train_targets,
            workers=workers,
        )
        sampling = SamplingOptions.checked(
            train_sampler=train_sampler,
            train_sampler_t=train_sampler_t,
            num_instances=num_instances,
            num_cams=num_cams,
            num_datasets=num_datasets,
        )
        super().__init__(
            data,
            sampling,
            batch_size_train=batch_size_train if batch_size is None else batch_size,
            batch_size_test=batch_size_test if batch_size is None else batch_size,
            seed=seed,
            use_gpu=use_gpu,
            test_only=test_only,
            validation_share=validation_share,
            drop_last=drop_last,
            choose=_chooser(data, sampling, options, sections, plugins),
        )


class VideoDataManager(DataManager):
    """The loaders of a video experiment, with Torchreid's arguments.

    A batch holds clips: ``img`` is (B, seq_len, 3, height, width), and ``impath`` a list of B
    tuples with the paths of all the tracklet's frames. The arguments are those of
    `ImageDataManager`, of tracklets and frames, save the two below.

    Args:
        root, sources, targets, height, width, transforms, norm_mean, norm_std, use_gpu: As there.
        split_id, combineall, batch_size_train, batch_size_test, workers: As there.
        num_instances, num_cams, num_datasets, train_sampler: As there.
        seq_len: Number of frames to read of a tracklet.
        sample_method: Which ones: ``evenly``, ``random``, ``evenly_torchreid``, or ``all`` of them,
            which needs batches of 1; see `VideoDataset`.
        batch_size, seed, test_only, validation_share, drop_last: As there.
        plugins, sections, options: As there.

    Raises:
        UserError: A name or an option is unknown, or a value is out of range.
        DataError: A dataset is missing, a split that is needed is empty, or it holds images.

    Example:
        >>> datamanager = VideoDataManager(root="reid-data", sources="mars", seq_len=15)
        >>> for batch in datamanager.train_loader:
        ...     batch["img"].shape  # (3, 15, 3, 256, 128)
    """

    def __init__(
        self,
        root: str | os.PathLike[str] = "",
        sources: Names = None,
        targets: Names = None,
        height: int = 256,
        width: int = 128,
        transforms: Names = "random_flip",
        norm_mean: Sequence[float] | None = None,
        norm_std: Sequence[float] | None = None,
        use_gpu: bool = True,
        split_id: int = 0,
        combineall: bool = False,
        batch_size_train: int = 3,
        batch_size_test: int = 3,
        workers: int = 4,
        num_instances: int = 4,
        num_cams: int = 1,
        num_datasets: int = 1,
        train_sampler: str = "RandomSampler",
        seq_len: int = 15,
        sample_method: str = "evenly",
        *,
        batch_size: int | None = None,
        seed: int = 0,
        test_only: bool = False,
        validation_share: float = 0.0,
        drop_last: bool = True,
        plugins: Plugins | None = None,
        sections: by_name.Sections | None = None,
        **options: Any,
    ) -> None:
        data = _data_options(
            sources,
            targets,
            norm_mean,
            norm_std,
            options,
            type="video",
            root=root,
            height=height,
            width=width,
            transforms=transforms or [],
            split_id=split_id,
            combineall=combineall,
            workers=workers,
        )
        sampling = SamplingOptions.checked(
            train_sampler=train_sampler,
            num_instances=num_instances,
            num_cams=num_cams,
            num_datasets=num_datasets,
        )
        super().__init__(
            data,
            sampling,
            VideoOptions.checked(seq_len=seq_len, sample_method=sample_method),
            batch_size_train=batch_size_train if batch_size is None else batch_size,
            batch_size_test=batch_size_test if batch_size is None else batch_size,
            seed=seed,
            use_gpu=use_gpu,
            test_only=test_only,
            validation_share=validation_share,
            drop_last=drop_last,
            choose=_chooser(data, sampling, options, sections, plugins),
        )


def _data_options(
    sources: Names,
    targets: Names,
    norm_mean: Sequence[float] | None,
    norm_std: Sequence[float] | None,
    options: dict[str, Any],
    **values: Any,
) -> DataOptions:
    """Read Torchreid's arguments; takes those out of ``options`` that are keys of `DataOptions`."""
    if sources is None or not (sources or targets):
        raise UserError("no dataset is named", "Give sources, such as sources='market1501'")
    if norm_mean is not None and norm_std is not None:
        values |= {"norm_mean": norm_mean, "norm_std": norm_std}
    # The folder of a run's files is nothing to its loaders: naming it here would have no effect.
    further = DataOptions.model_fields.keys() - values.keys() - {"save_dir"}
    values |= {key: options.pop(key) for key in further & options.keys()}
    # As Torchreid's models know their images.
    values = {"resize": "pillow", "reading": "torchreid", **values}
    targets = sources if targets is None else targets
    return DataOptions.checked(sources=sources, targets=targets, **values)


def _chooser(
    data: DataOptions,
    sampling: SamplingOptions,
    options: Mapping[str, Any],
    sections: by_name.Sections | None,
    plugins: Plugins | None,
) -> Chooser:
    """Return what chooses components with the options that a program gave."""
    kinds = [registered_kind(data.datasets, name) for name in (*data.sources, *data.targets)]
    used = {*kinds, *data.transforms, sampling.train_sampler, sampling.train_sampler_t}
    own = {key: value for key, value in options.items() if key in used}
    shared = {key: value for key, value in options.items() if key not in used}
    by_name.check_sections(sections or {}, used, plugins)
    by_name.check_shared(shared, kinds, plugins, data.datasets)
    asked = sampling.model_dump(exclude={"train_sampler", "train_sampler_t"})
    sections = {**(sections or {}), **own}
    return Chooser(plugins, sections, {"datasets": shared, "samplers": asked}, data.datasets)


def _open_datasets(
    data: DataOptions, video: VideoOptions, choose: Choose, reading: ImageReading, learns: bool
) -> dict[str, Dataset]:
    datasets = by_name.open_datasets(
        dict.fromkeys([*data.sources, *data.targets]),
        data.root,
        choose,
        split_id=data.split_id,
        data_type=data.type,
        combined=data.sources if data.combineall else (),
        named=data.datasets,
        shown=learns,  # of a test the line of each target says enough
    )
    if data.type == "video":
        for dataset in datasets.values():
            by_name.set_sampling(dataset, video.seq_len, video.sample_method)
    for dataset in datasets.values():
        dataset.reading = reading
    return datasets


def _loaders_of(
    views: Mapping[str, Dataset], batch_size: int, loading: Loading
) -> dict[str, BatchLoader]:
    return {split: loader_for_testing(view, batch_size, loading) for split, view in views.items()}


def _training_loader(
    dataset: Dataset, sampler: Component, batch_size: int, loading: Loading
) -> BatchLoader:
    order = make_order(sampler, SampleTable.of(dataset.data), batch_size, loading.seed)
    return loader_for_training(dataset, order, batch_size, loading)


def _preprocessing(data: DataOptions, transform_te: Any) -> dict[str, Any]:
    """Return what a checkpoint keeps of the images."""
    mean, std = normalisation(data.norm_mean, data.norm_std)
    kept = {
        "height": data.height,
        "width": data.width,
        "norm_mean": list(mean),
        "norm_std": list(std),
        "interpolation": "bilinear",
        "resize": data.resize,
        "reading": data.reading,
    }
    if data.value_range is not None:
        kept["value_range"] = data.value_range
    rule = size_rule_of(transform_te)
    if rule is None or rule.margin is None:
        return kept
    return {**kept, "letterbox": list(rule.margin)}
