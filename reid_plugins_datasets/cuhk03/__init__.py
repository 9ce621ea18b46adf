"""CUHK03 (Li et al., DeepReID, CVPR 2014), with the new protocol of Zhong et al., CVPR 2017."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_datasets.cuhk03.pictures import pictures_of
from reid_plugins_datasets.cuhk03.protocols import classic_splits, new_splits
from reidcore.data.sample import Splits
from reidcore.errors import DataError

_RELEASE = Path("cuhk03_release", "cuhk-03.mat")
_SOURCES = (
    "http://www.ee.cuhk.edu.hk/~xgwang/CUHK_identification.html (cuhk03_release) and "
    "https://github.com/zhunzhong07/person-re-ranking (the two protocol files)"
)


def cuhk03(
    root: str | os.PathLike[str],
    *,
    labeled_images: bool = False,
    classic_split: bool = False,
    split_id: int = 0,
) -> Splits:
    """Read CUHK03; its pictures are written out of the ``.mat`` file on first use.

    Args:
        root: folder that holds ``cuhk03/``.
        labeled_images: whether the boxes are drawn by hand instead of detected.
        classic_split: whether the 20 random splits into 1367 / 100 people are used, whose test
            pictures are query and gallery at once, instead of the new 767 / 700 protocol.
        split_id: which of the classic splits, base 0; the new protocol has only number 0.

    Raises:
        DataError: a file is missing or is not what it should be, or there is no such split.
        UserError: a package of the extra ``mat`` is missing, or the pictures cannot be written.
    """
    directory = Path(root) / "cuhk03"
    kind = "labeled" if labeled_images else "detected"
    release = directory / _RELEASE
    if classic_split:
        _require(release, root)
        pictures = pictures_of(directory / f"images_{kind}", release, kind)
        return classic_splits(pictures, release, split_id)
    protocol = directory / f"cuhk03_new_protocol_config_{kind}.mat"
    _require(protocol, root)
    if not (directory / f"images_{kind}").is_dir():
        _require(release, root)
    pictures = pictures_of(directory / f"images_{kind}", release, kind)
    return new_splits(pictures, protocol, split_id)


def _require(file: Path, root: str | os.PathLike[str]) -> None:
    if not file.is_file():
        raise DataError(
            f"cuhk03 needs the file {str(file)!r}, which does not exist",
            f"Expected in {Path(root) / 'cuhk03'}: {_RELEASE.as_posix()} and "
            f"cuhk03_new_protocol_config_{{detected,labeled}}.mat; get them from {_SOURCES}.",
        )
