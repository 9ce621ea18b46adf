"""Samples, datasets, transforms and loaders.

The names below are imported when they are first used, so that a plugin may name this package at
its top without importing torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.data.by_name import init_image_dataset, init_video_dataset, read_tables
    from reidcore.data.card import (
        Archive,
        DatasetCard,
        Difference,
        OfficialCount,
        card_of,
        described_by,
        differences,
        require,
    )
    from reidcore.data.dataset import Dataset, ImageDataset, MergedDataset, view_of
    from reidcore.data.folders import MARKET_PATTERN, from_folders
    from reidcore.data.image_files import (
        IMAGE_EXTENSIONS,
        Listing,
        find_image_files,
        image_endings,
        is_image,
        is_side_file,
        leave_out_files,
        list_files,
    )
    from reidcore.data.images.decode import decode_pixels, read_image, read_pixels
    from reidcore.data.images.narrow import narrow_use
    from reidcore.data.images.opening import read_file
    from reidcore.data.images.reading import VIEWER, ImageReading, UnreadableImageError
    from reidcore.data.images.resize import Pixels, writable
    from reidcore.data.label_names import WITHOUT_CAMERAS, LabelNames, NumberedTexts
    from reidcore.data.left_out import LeftOut, first_names, leave_out, noting_left_out
    from reidcore.data.loader.batch_sampler import SampleOrder
    from reidcore.data.loader.loader import Loading, loader_for_testing
    from reidcore.data.loader.sampling import build_train_sampler
    from reidcore.data.loader.seeding import generators_kept, mixed_seed, seed_generators
    from reidcore.data.managers import DataManager, ImageDataManager, VideoDataManager
    from reidcore.data.sample import JUNK_PID, Sample, SamplePath, Samples, Splits
    from reidcore.data.splits import (
        IdentitySplit,
        query_mask,
        searchable_identities,
        seeded_order,
        split_identities,
        write_layout,
    )
    from reidcore.data.table import Int64Array, SampleTable, rebased
    from reidcore.data.transforms.base import (
        Params,
        PixelTransform,
        Stage,
        TensorTransform,
        as_pil,
        check_probability,
        to_device_of,
    )
    from reidcore.data.transforms.build import IMAGENET_MEAN, IMAGENET_STD, build_transforms
    from reidcore.data.transforms.resize import (
        ImageSource,
        PILSource,
        ResizeTransform,
        SizeRule,
        as_colour,
    )
    from reidcore.data.video import VideoDataset
    from reidcore.plugins.bundled import prepare_dataset
    from reidcore.plugins.runtime import register_image_dataset, register_video_dataset

__all__ = [
    "Archive",
    "DataManager",
    "Dataset",
    "DatasetCard",
    "Difference",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "IMAGE_EXTENSIONS",
    "IdentitySplit",
    "ImageDataManager",
    "ImageDataset",
    "ImageReading",
    "ImageSource",
    "Int64Array",
    "JUNK_PID",
    "LabelNames",
    "LeftOut",
    "Listing",
    "Loading",
    "MARKET_PATTERN",
    "MergedDataset",
    "NumberedTexts",
    "OfficialCount",
    "PILSource",
    "Params",
    "PixelTransform",
    "Pixels",
    "ResizeTransform",
    "Sample",
    "SampleOrder",
    "SamplePath",
    "SampleTable",
    "Samples",
    "SizeRule",
    "Splits",
    "Stage",
    "TensorTransform",
    "UnreadableImageError",
    "VIEWER",
    "VideoDataManager",
    "VideoDataset",
    "WITHOUT_CAMERAS",
    "as_colour",
    "as_pil",
    "build_train_sampler",
    "build_transforms",
    "card_of",
    "check_probability",
    "decode_pixels",
    "described_by",
    "differences",
    "find_image_files",
    "first_names",
    "from_folders",
    "generators_kept",
    "image_endings",
    "init_image_dataset",
    "init_video_dataset",
    "is_image",
    "is_side_file",
    "leave_out",
    "leave_out_files",
    "list_files",
    "loader_for_testing",
    "mixed_seed",
    "narrow_use",
    "noting_left_out",
    "prepare_dataset",
    "query_mask",
    "read_file",
    "read_image",
    "read_pixels",
    "read_tables",
    "rebased",
    "register_image_dataset",
    "register_video_dataset",
    "require",
    "searchable_identities",
    "seed_generators",
    "seeded_order",
    "split_identities",
    "to_device_of",
    "view_of",
    "writable",
    "write_layout",
]

__getattr__, __dir__ = attach(__name__)
