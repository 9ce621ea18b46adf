"""What is wrong with a dataset: files, duplicates, identities, cameras."""

from __future__ import annotations

from reid_plugins_inspect.checks.channels import channel_statistics
from reid_plugins_inspect.checks.checkup import Report, check_dataset
from reid_plugins_inspect.checks.finding import Finding
from reid_plugins_inspect.checks.image_stats import ImageStats
from reid_plugins_inspect.checks.inputs import CheckedDataset

__all__ = [
    "CheckedDataset",
    "Finding",
    "ImageStats",
    "Report",
    "channel_statistics",
    "check_dataset",
]
