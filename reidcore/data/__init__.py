"""Samples, datasets, transforms and loaders.

The names below are imported when they are first used, so that a plugin may name this package at
its top without importing torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.data.archives import prepare_dataset as prepare_dataset
    from reidcore.data.by_name import init_image_dataset as init_image_dataset
    from reidcore.data.by_name import init_video_dataset as init_video_dataset
    from reidcore.data.dataset import Dataset as Dataset
    from reidcore.data.dataset import ImageDataset as ImageDataset
    from reidcore.data.folders import from_folders as from_folders
    from reidcore.data.images.decode import UnreadableImageError as UnreadableImageError
    from reidcore.data.images.decode import read_image as read_image
    from reidcore.data.loader.sampling import build_train_sampler as build_train_sampler
    from reidcore.data.managers import DataManager as DataManager
    from reidcore.data.managers import ImageDataManager as ImageDataManager
    from reidcore.data.managers import VideoDataManager as VideoDataManager
    from reidcore.data.sample import Sample as Sample
    from reidcore.data.sample import Splits as Splits
    from reidcore.data.splits import IdentitySplit as IdentitySplit
    from reidcore.data.splits import seeded_order as seeded_order
    from reidcore.data.splits import split_identities as split_identities
    from reidcore.data.splits import write_layout as write_layout
    from reidcore.data.table import SampleTable as SampleTable
    from reidcore.data.transforms.build import build_transforms as build_transforms
    from reidcore.data.video import VideoDataset as VideoDataset
    from reidcore.plugins.runtime import register_image_dataset as register_image_dataset
    from reidcore.plugins.runtime import register_video_dataset as register_video_dataset

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DataManager": "reidcore.data.managers:DataManager",
        "Dataset": "reidcore.data.dataset:Dataset",
        "IdentitySplit": "reidcore.data.splits:IdentitySplit",
        "ImageDataManager": "reidcore.data.managers:ImageDataManager",
        "ImageDataset": "reidcore.data.dataset:ImageDataset",
        "Sample": "reidcore.data.sample:Sample",
        "SampleTable": "reidcore.data.table:SampleTable",
        "Splits": "reidcore.data.sample:Splits",
        "UnreadableImageError": "reidcore.data.images.decode:UnreadableImageError",
        "VideoDataManager": "reidcore.data.managers:VideoDataManager",
        "VideoDataset": "reidcore.data.video:VideoDataset",
        "build_train_sampler": "reidcore.data.loader.sampling:build_train_sampler",
        "build_transforms": "reidcore.data.transforms.build:build_transforms",
        "from_folders": "reidcore.data.folders:from_folders",
        "init_image_dataset": "reidcore.data.by_name:init_image_dataset",
        "init_video_dataset": "reidcore.data.by_name:init_video_dataset",
        "prepare_dataset": "reidcore.data.archives:prepare_dataset",
        "read_image": "reidcore.data.images.decode:read_image",
        "register_image_dataset": "reidcore.plugins.runtime:register_image_dataset",
        "register_video_dataset": "reidcore.plugins.runtime:register_video_dataset",
        "seeded_order": "reidcore.data.splits:seeded_order",
        "split_identities": "reidcore.data.splits:split_identities",
        "write_layout": "reidcore.data.splits:write_layout",
    },
)
