"""The loaders of a video experiment, from names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from reidcore.data.by_name import Sections, set_sampling
from reidcore.data.images.cache import PixelCache
from reidcore.data.loader.loader import Loading, start_method
from reidcore.data.managers import DataManager, Names, Training
from reidcore.data.video import check_sampling
from reidcore.errors import ConfigError
from reidcore.plugins import Plugins


class VideoDataManager(DataManager):
    """The loaders of a video experiment, with Torchreid's arguments.

    A batch holds clips: ``img`` is (B, seq_len, 3, height, width), and ``impath`` a list of B
    tuples with the paths of all the tracklet's frames.

    Args:
        root: Folder below which the datasets lie.
        sources: Name or names of the datasets to learn from; an empty list to test only.
        targets: Name or names of the datasets to test on; the sources if None.
        height: Of the frames, pixels.
        width: Of the frames, pixels.
        transforms: Name or names of the training transforms.
        norm_mean: Mean of each channel in 0..1; ImageNet's if None.
        norm_std: Standard deviation of each channel; ImageNet's if None.
        use_gpu: Whether batches are meant for a GPU.
        split_id: Zero-based split, for datasets that have several.
        combineall: Whether the sources' query and gallery are learnt from as well.
        batch_size_train: Number of tracklets in a training batch over all processes.
        batch_size_test: Number of tracklets in a test batch.
        workers: Number of worker processes a loader.
        num_instances: Tracklets of an identity in a batch, for samplers that ask for it.
        num_cams: Cameras in a batch, for samplers that ask for it.
        num_datasets: Datasets in a batch, for samplers that ask for it.
        train_sampler: Name of the sampler.
        seq_len: Number of frames to read of a tracklet.
        sample_method: Which ones: ``evenly``, ``random``, ``evenly_torchreid``, or ``all`` of them,
            which needs batches of 1; see `VideoDataset`.
        batch_size: Sets both batch sizes.
        seed: What orders, frames and augmentation are drawn from.
        on_bad_image: ``error``, or ``skip`` to leave out tracklets of which a frame that is to be
            read is unreadable.
        augment: Where random changes are made: ``image``, where each image is read, or ``batch``,
            on the device that the engine computes on.
        resize: What resizes images: ``pillow``, to the bytes that Torchreid's models know, or
            ``torch``, which is faster and differs by at most 2 of 255.
        draft: Whether JPEG files may be decoded without detail that their size would not show,
            which is faster and changes pixels slightly.
        cache: Where decoded and resized images are kept: ``off``, ``ram``, or ``disk``.
        cache_gb: Bound of the cache, in units of 10^9 bytes.
        test_only: Whether only `test_loader` is wanted; the sources may lack training samples then.
        plugins: Where names are looked up; the current ones if None.
        sections: Component name (dataset, transform, sampler) -> its own options.
        options: Options of the datasets; each goes to the datasets that declare it.

    Raises:
        UserError: A name or an option is unknown, or a value is out of range.
        DataError: A dataset is missing or holds no tracklets, or a split that is needed is empty.

    Example:
        >>> datamanager = VideoDataManager(root="reid-data", sources="mars", batch_size=8)
        >>> for batch in datamanager.train_loader:
        ...     batch["img"].shape  # (8, 15, 3, 256, 128)
    """

    data_type = "video"

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
        check_sampling(sample_method, seq_len)
        of_samplers = {
            "num_instances": num_instances,
            "num_cams": num_cams,
            "num_datasets": num_datasets,
        }
        size = batch_size_train if batch_size is None else batch_size
        training = Training(train_sampler, size, of_samplers)
        test_size = batch_size_test if batch_size is None else batch_size
        if sample_method == "all":
            _check_alone("test", test_size)
            if self.sources and not test_only:
                _check_alone("train", training.batch_size)
        self._open_datasets(root, {"split_id": split_id, **options}, combineall)
        for dataset in self._datasets.values():
            set_sampling(dataset, seq_len, sample_method)
        pixels = PixelCache(cache, cache_gb, forked=start_method() == "fork")
        loading = Loading(workers, self.use_gpu, seed, on_bad_image, augment, draft, pixels)
        self._open_sources(training, loading, combineall=combineall, test_only=test_only)
        self._open_targets(test_size, loading)
        self._log_summary()


def _check_alone(phase: str, batch_size: int) -> None:
    if batch_size != 1:
        raise ConfigError(
            f"sample_method='all' gives clips of any length, and a {phase} batch of {batch_size} "
            "needs equal ones",
            f"Set {phase}.batch_size to 1, or video.sample_method to evenly",
        )
