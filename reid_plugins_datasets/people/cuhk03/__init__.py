"""CUHK03 (Li et al., DeepReID, CVPR 2014), with the new protocol of Zhong et al., CVPR 2017."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from reid_plugins_datasets.people.cuhk03.pictures import pictures_of
from reid_plugins_datasets.people.cuhk03.protocols import classic_splits, new_splits
from reidcore.data import Archive, DatasetCard, OfficialCount, Splits, described_by, require

_log = logging.getLogger(f"reidcore.{__name__}")

_NEW = {"classic_split": False}
_CLASSIC = {"classic_split": True}

CARD = DatasetCard(
    title="CUHK03",
    folder="cuhk03",
    layout="""\
cuhk03/
    cuhk03_release/cuhk-03.mat
    cuhk03_new_protocol_config_detected.mat
    cuhk03_new_protocol_config_labeled.mat
    images_detected/, images_labeled/    written out of cuhk-03.mat on first use""",
    paper="Li et al. DeepReID: Deep Filter Pairing Neural Network for Person Re-identification. "
    "CVPR 2014; the new protocol: Zhong et al. Re-ranking Person Re-identification with "
    "k-reciprocal Encoding. CVPR 2017",
    source="http://www.ee.cuhk.edu.hk/~xgwang/CUHK_identification.html (cuhk03_release) and "
    "https://github.com/zhunzhong07/person-re-ranking (the two protocol files)",
    licence="not stated",
    protocol="New: 767 people are learnt from; two queries of each of the other 700 are searched "
    "for among their remaining pictures, and those of the query's person by the query's camera are "
    "left out. Classic (classic_split=true): 20 splits, whose results are averaged; 100 people's "
    "pictures are query and gallery at once, for test.protocol=cuhk03 (one gallery picture a "
    "person; CMC without mAP). The camera is the view, 0 or 1, of a pair of cameras.",
    pids_apart=True,
    archives=(Archive("cuhk03_release.zip", "cuhk03"),),
    counts=(
        OfficialCount("train", 767, 7_365, 2, when={**_NEW, "labeled_images": False}),
        OfficialCount("query", 700, 1_400, 2, when=_NEW),
        OfficialCount("gallery", 700, 5_332, 2, when={**_NEW, "labeled_images": False}),
        OfficialCount("train", 767, 7_368, 2, when={**_NEW, "labeled_images": True}),
        OfficialCount("gallery", 700, 5_328, 2, when={**_NEW, "labeled_images": True}),
        OfficialCount("train", 1_367, None, 2, when=_CLASSIC),
        OfficialCount("query", 100, None, 2, when=_CLASSIC),
        OfficialCount("gallery", 100, None, 2, when=_CLASSIC),
    ),
)


@described_by(CARD)
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
        split_id: which of the classic splits, base 0; the new protocol has one split, whatever
            the number, which other datasets beside it may need.

    Raises:
        DataError: a file is missing or is not what it should be, or there is no such split.
        UserError: a package of the extra ``mat`` is missing, or the pictures cannot be written.
    """
    directory = Path(root) / CARD.folder
    kind = "labeled" if labeled_images else "detected"
    release = directory / "cuhk03_release" / "cuhk-03.mat"
    images = directory / f"images_{kind}"
    protocol = directory / f"cuhk03_new_protocol_config_{kind}.mat"
    if classic_split:
        require(CARD, release)
        return classic_splits(pictures_of(images, release, kind), release, split_id)
    require(CARD, protocol, *([] if images.is_dir() else [release]))
    if split_id:
        _log.warning(
            "CUHK03: split_id=%d has no effect, the new protocol has one split; the classic ones "
            "are read with classic_split=true",
            split_id,
        )
    return new_splits(pictures_of(images, release, kind), protocol)
