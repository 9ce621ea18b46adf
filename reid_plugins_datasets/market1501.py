"""Market-1501 (Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015)."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from reid_plugins_datasets.market_layout import (
    GALLERY,
    QUERY,
    TRAIN,
    MarketStyleDataset,
    open_market_style,
)
from reidcore.errors import DataError

_log = logging.getLogger(__name__)

_RELEASE = Path("market1501", "Market-1501-v15.09.15")
_DISTRACTORS = "images"
_SOURCE = "http://www.liangzheng.org/Project/project_reid.html"


def market1501(
    root: str | os.PathLike[str], *, use_500k_distractors: bool = False
) -> MarketStyleDataset:
    """Read Market-1501: 12,936 images of 751 people to learn from, 3,368 queries, 15,913 to search.

    Args:
        root: folder that holds ``market1501/Market-1501-v15.09.15``, or that folder itself.
        use_500k_distractors: whether the images of ``distractors_500k.zip``, unpacked to
            ``images/`` inside that folder, are searched too.

    Raises:
        DataError: a folder is missing, or an image has a name of another form.
    """
    directory = _found(Path(root))
    _require(directory, (TRAIN, QUERY, GALLERY), root)
    distractors = None
    if use_500k_distractors:
        _require(directory, (_DISTRACTORS,), root)
        distractors = directory / _DISTRACTORS
    return open_market_style(directory, "market1501", distractors)


def _found(root: Path) -> Path:
    """Return the folder that holds the picture folders; the release's own place wins."""
    if (root / _RELEASE).is_dir():
        return root / _RELEASE
    flat = root / _RELEASE.parent
    if (flat / TRAIN).is_dir():
        _log.warning(
            "%s holds the picture folders directly, which is deprecated: move them to %s",
            flat,
            root / _RELEASE,
        )
        return flat
    if (root / TRAIN).is_dir():
        return root
    return root / _RELEASE


def _require(directory: Path, folders: tuple[str, ...], root: str | os.PathLike[str]) -> None:
    missing = [folder for folder in folders if not (directory / folder).is_dir()]
    if missing:
        raise DataError(
            f"market1501 needs the folder {str(directory / missing[0])!r}, which does not exist",
            f"Expected {TRAIN}/, {QUERY}/ and {GALLERY}/ ({_DISTRACTORS}/ with the 500k "
            f"distractors) in {Path(root) / _RELEASE}; get them from {_SOURCE}, or set data.root.",
        )
