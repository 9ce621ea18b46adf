"""What is wrong with a dataset: files, duplicates, identities, cameras."""

from __future__ import annotations

from reid_plugins_inspect.checks.channels import channel_statistics
from reid_plugins_inspect.checks.checkup import Report, check_up
from reid_plugins_inspect.checks.finding import Finding
from reid_plugins_inspect.checks.image_stats import Facts
from reid_plugins_inspect.checks.inputs import Subject

__all__ = ["Facts", "Finding", "Report", "Subject", "channel_statistics", "check_up"]
