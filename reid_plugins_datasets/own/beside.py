"""What lies beside the folders of a dataset's splits, told: loose images and further folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reidcore.data import is_image, is_side_file, leave_out

__all__ = ["tell_beside"]

_WHY = "beside the folders of the splits"


def tell_beside(root: Path, splits: Sequence[Path]) -> None:
    """Tell of images, and of folders with images below, that belong to no split.

    Args:
        root: the dataset's folder, which is looked at with the folders that lead to the splits.
        splits: the folders that are read, with all below them; those elsewhere have no neighbours.
    """
    root, *splits = (Path(os.path.normpath(folder)) for folder in (root, *splits))
    above = {parent for folder in splits for parent in folder.parents}
    looked_at = sorted(
        each
        for each in above
        if each.is_relative_to(root) and not any(map(each.is_relative_to, splits))
    )
    entries = [each for folder in looked_at for each in _entries(folder)]
    rest = [each for each in entries if each not in splits and each not in above]
    leave_out([each for each in rest if is_image(each.name) and each.is_file()], "images", _WHY)
    folders = [each for each in rest if each.is_dir() and _has_images(each)]
    leave_out(folders, "folders", f"with images, {_WHY}")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if not is_side_file(each.name))
    except OSError:
        return []


def _has_images(folder: Path) -> bool:
    """Say whether there is an image; no more is looked at than has to be."""
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_side_file(name)]
        if any(is_image(name) and not is_side_file(name) for name in names):
            return True
    return False
