"""The loaders of an image experiment, from names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reidcore.data.by_name import Sections
from reidcore.data.images.cache import PixelCache
from reidcore.data.loader.loader import Loading, start_method
from reidcore.data.managers import DataManager, Names, Training
from reidcore.errors import ConfigError
from reidcore.plugins import Plugins


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
        on_bad_image: ``error``, or ``skip`` to leave unreadable images out.
        augment: Where random changes are made: ``image``, where each image is read, or ``batch``,
            on the device that the engine computes on.
        resize: What resizes images: ``pillow``, to the bytes that Torchreid's models know, or
            ``torch``, which is faster and differs by at most 2 of 255.
        draft: Whether JPEG files may be decoded without detail that their size would not show,
            which is faster and changes pixels slightly.
        cache: Where decoded and resized images are kept: ``off``, ``ram``, or ``disk``.
        cache_gb: Bound of the cache, in units of 10^9 bytes.
        test_only: Whether only `test_loader` is wanted; the sources may lack training images then.
        plugins: Where names are looked up; the current ones if None.
        sections: Component name (dataset, transform, sampler) -> its own options.
        options: Options of the datasets, such as ``cuhk03_labeled``; each goes to the datasets
            that declare it.

    Raises:
        UserError: A name or an option is unknown, or a value is out of range.
        DataError: A dataset is missing, or a split that is needed is empty.

    Example:
        >>> datamanager = ImageDataManager(root="reid-data", sources="market1501", batch_size=64)
        >>> for batch in datamanager.train_loader:
        ...     batch["img"].shape  # (64, 3, 256, 128)
    """

    data_type = "image"

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
        on_bad_image: str = "error",
        augment: str = "image",
        resize: str = "pillow",
        draft: bool = False,
        cache: str = "off",
        cache_gb: float = 8.0,
        test_only: bool = False,
        plugins: Plugins | None = None,
        sections: Sections | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            sources,
            targets,
            height,
            width,
            transforms,
            norm_mean,
            norm_std,
            use_gpu,
            resize=resize,
            seed=seed,
            plugins=plugins,
            sections=sections,
        )
        _check_apart(self.sources, self.targets, load_train_targets)
        if k_tfm < 1:
            raise ConfigError(f"k_tfm={k_tfm}", "Set data.k_tfm to 1 or more")
        self._open_datasets(root, {"split_id": split_id, **options}, combineall)
        pixels = PixelCache(cache, cache_gb, forked=start_method() == "fork")
        loading = Loading(workers, self.use_gpu, seed, on_bad_image, augment, draft, pixels)
        training = Training(
            train_sampler,
            batch_size_train if batch_size is None else batch_size,
            {
                "num_instances": num_instances,
                "num_cams": num_cams,
                "num_datasets": num_datasets,
            },
            k_tfm,
        )
        self._open_sources(training, loading, combineall=combineall, test_only=test_only)
        if load_train_targets:
            self.train_loader_t = self._training_loader(
                self._training_set(self.targets, combineall=False, k_tfm=k_tfm),
                replace(training, sampler=train_sampler_t),
                loading,
            )
        self._open_targets(batch_size_test if batch_size is None else batch_size, loading)
        self._log_summary()


def _check_apart(sources: Sequence[str], targets: Sequence[str], load_train_targets: bool) -> None:
    both = sorted(set(sources) & set(targets))
    if load_train_targets and both:
        raise ConfigError(
            f"load_train_targets=True, and {', '.join(both)} is source and target at once",
            "Choose targets that are no sources",
        )
