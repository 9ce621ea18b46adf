"""What the data of a run must be like, checked before and while its loaders are made."""

from __future__ import annotations

from reidcore.config.options import DataOptions
from reidcore.config.options.test import VALIDATION
from reidcore.data.dataset import Dataset
from reidcore.errors import ConfigError, DataError


def check_consistent(data: DataOptions, holds_out: bool = False) -> None:
    """Refuse options that contradict each other.

    Args:
        data: the options.
        holds_out: whether training identities are held out for validation.

    Raises:
        ConfigError: naming those that do.
    """
    if not (data.sources or data.targets):
        raise ConfigError("no dataset is named", "Give data.sources, data.targets or both")
    for names in (data.sources, data.targets):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ConfigError(f"dataset {min(twice)!r} is named twice", "Name each dataset once")
    both = sorted(set(data.sources) & set(data.targets))
    if data.load_train_targets and both:
        raise ConfigError(
            f"load_train_targets=True, and {', '.join(both)} is source and target at once",
            "Choose targets that are no sources",
        )
    if holds_out and VALIDATION in data.targets:
        raise ConfigError(
            f"a target is called {VALIDATION!r}, as the identities that are held out for it are",
            "Give it another name in data.datasets, or set test.select_on to targets or none",
        )
    only_of_images = {"k_tfm": data.k_tfm > 1, "load_train_targets": data.load_train_targets}
    for name, is_set in only_of_images.items():
        if is_set and data.type == "video":
            raise ConfigError(
                f"data.{name}={getattr(data, name)} with data.type=video", "It is for images only"
            )


def check_alone(phase: str, batch_size: int) -> None:
    """Refuse a batch of several clips where ``sample_method='all'`` gives each its own length.

    Raises:
        ConfigError: if the batch size is not 1.
    """
    if batch_size != 1:
        raise ConfigError(
            f"sample_method='all' gives clips of any length, and a {phase} batch of {batch_size} "
            "needs equal ones",
            f"Set {phase}.batch_size to 1, or video.sample_method to evenly",
        )


def check_filled(name: str, split: str, view: Dataset) -> None:
    """Refuse a split without samples.

    Raises:
        DataError: naming the dataset, and what lies there and is not used.
    """
    if not len(view):
        unread = [str(found) for found in view.left_out if not found.expected]
        other = "Learn from another dataset"
        if split != "train":
            other = "Name the datasets to test on in data.targets"
        raise DataError(
            f"dataset {name!r} has no {split} {view.unit}", "; ".join(unread[:1]) or other
        )
