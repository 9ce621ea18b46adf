"""Market-1501 (Zheng et al., ICCV 2015)."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import numpy as np

from reid_plugins_datasets.people.attributes import with_attributes
from reid_plugins_datasets.reading.market_layout import (
    DISTRACTOR_PID,
    TRAIN,
    market_folders,
    read_folder,
    read_market_layout,
)
from reid_plugins_datasets.reading.names import NameForm
from reidcore.data import (
    JUNK_PID,
    Archive,
    DatasetCard,
    OfficialCount,
    SampleTable,
    Splits,
    described_by,
    require,
)
from reidcore.errors import DataError, counted

_log = logging.getLogger(f"reidcore.{__name__}")

CARD = DatasetCard(
    title="Market-1501",
    folder="market1501",
    layout="""\
market1501/
    Market-1501-v15.09.15/
        bounding_box_train/0002_c1s1_000451_03.jpg    identity 2, camera 1
        query/
        bounding_box_test/
        gt_bbox/                only with multi_query=true
        images/                 only with use_500k_distractors=true, from distractors_500k.zip
        market_attribute.mat    only with attributes=true""",
    paper="Zheng et al. Scalable Person Re-identification: A Benchmark. ICCV 2015",
    source="http://www.liangzheng.org/Project/project_reid.html",
    licence="not stated",
    protocol="Each query is searched for in the gallery; images of the query's person by the "
    "query's camera are left out. Junk boxes (-1) are in no list; distractors (0) are in the "
    "gallery and never learnt from. The columns sequence and frame say when an image was taken "
    "(not of the further distractors). With multi_query, for test.protocol=market1501_multi, the "
    "queries are all boxes of gt_bbox that the query's camera has of its person.",
    junk_pids=(DISTRACTOR_PID, JUNK_PID),
    archives=(
        Archive("Market-1501-v15.09.15.zip", "market1501"),
        Archive("distractors_500k.zip", "market1501/Market-1501-v15.09.15"),
    ),
    counts=(
        OfficialCount("train", 751, 12_936, 6),
        OfficialCount("query", 750, 3_368, 6, when={"multi_query": False}),
        OfficialCount("gallery", 751, 15_913, 6, when={"use_500k_distractors": False}),
    ),
    camera_names=tuple("123456"),
)

_RELEASE = Path("market1501", "Market-1501-v15.09.15")
_DISTRACTORS = "images"
_BOXES = "gt_bbox"
_ATTRIBUTES = "market_attribute.mat"
_RANGES = {"pid": range(-1, 1502), "camera": range(1, 7)}
_EXAMPLE = "0002_c1s1_000451_03.jpg: identity 2, camera 1"
FORM = NameForm(
    re.compile(r"(?P<pid>-1|\d{4})_c(?P<camera>\d)s(?P<sequence>\d+)_(?P<frame>\d+)_\d+(\.jpg)+"),
    _EXAMPLE,
    _RANGES,
)
"""The names of Market-1501's images."""

# No more than this is known of how the distractors are named.
_DISTRACTOR_FORM = NameForm(
    re.compile(r"(?P<pid>-1|\d+)_c(?P<camera>\d)(?!\d).*\.jpg"), _EXAMPLE, _RANGES
)


@described_by(CARD)
def market1501(
    root: str | os.PathLike[str],
    *,
    use_500k_distractors: bool = False,
    attributes: bool = False,
    multi_query: bool = False,
) -> Splits:
    """Read Market-1501; identity 0 of the gallery holds the distractors.

    Args:
        root: folder that holds ``market1501/Market-1501-v15.09.15``, or that folder itself.
        use_500k_distractors: whether the images of ``distractors_500k.zip``, unpacked to
            ``images/`` inside that folder, are searched too.
        attributes: whether the attributes in ``market_attribute.mat`` beside the picture folders
            become columns of the tables, such as ``attribute_backpack``; -1 is unknown.
        multi_query: whether all boxes drawn by hand, in ``gt_bbox/``, that a query's camera has
            of its person are queries, which the protocol ``market1501_multi`` makes one.

    Raises:
        DataError: a folder or file is missing, images have names of another form, or a query has
            no box.
        UserError: attributes are asked for, and scipy is missing.
    """
    directory = _found(Path(root))
    distractors = directory / _DISTRACTORS
    described = directory / _ATTRIBUTES
    require(
        CARD,
        *market_folders(directory),
        *([distractors] if use_500k_distractors else []),
        *([described] if attributes else []),
        *([directory / _BOXES] if multi_query else []),
    )
    splits = read_market_layout(directory, FORM)
    if multi_query:
        boxes = read_folder(directory / _BOXES, FORM)
        splits = splits._replace(query=_boxes_of(SampleTable.of(splits.query), boxes))
    if use_500k_distractors:
        further = read_folder(distractors, _DISTRACTOR_FORM)
        searched = SampleTable.joined([SampleTable.of(splits.gallery), further])
        splits = splits._replace(gallery=searched)
    return with_attributes(splits, described, described.stem) if attributes else splits


def _boxes_of(query: SampleTable, boxes: SampleTable) -> SampleTable:
    """Return the boxes that show a query's person before its camera.

    Raises:
        DataError: a query has none.
    """
    asked, known = (table.pids * len(_RANGES["camera"]) + table.camids for table in (query, boxes))
    missing = query.paths.take(~np.isin(asked, known))
    if len(missing):
        raise DataError(
            f"{_BOXES} has no box of {len(missing)} of {counted(len(query), 'query', 'queries')}, "
            f"the first {missing[0]!r}",
            "Unpack the dataset again.",
        )
    return boxes.take(np.isin(known, asked))


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
