"""University-1652 (Zheng et al., ACM MM 2020): buildings seen from the air and the street."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.listing import list_folders
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import choose
from reidcore.data import (
    Archive,
    DatasetCard,
    OfficialCount,
    Sample,
    Splits,
    described_by,
    find_image_files,
    require,
)
from reidcore.errors import DataError

VIEWS = ("drone", "satellite", "street", "google")
"""What a picture was taken by; its place is the camera number."""

CARD = DatasetCard(
    title="University-1652",
    folder="university1652",
    layout="""\
university1652/
    University-Release/
        train/
            drone/0839/image-01.jpeg    building 839
            satellite/, street/, google/
        test/
            query_drone/, query_satellite/, query_street/
            gallery_drone/, gallery_satellite/, gallery_street/""",
    paper="Zheng et al. University-1652: A Multi-view Multi-source Benchmark for Drone-based "
    "Geo-localization. ACM MM 2020",
    source="https://github.com/layumi/University1652-Baseline",
    licence="not stated here: its authors hand it out on request",
    protocol="All four views of the training buildings are learnt from. The buildings that drones "
    "saw are searched for among satellite pictures; query_view=satellite gallery_view=drone is the "
    "benchmark's other direction. The view counts as the camera (drone 0, satellite 1, street 2, "
    "google 3). test.protocol=university1652 reports R@1 % and the authors' AP.",
    archives=(Archive("University-Release.zip", "university1652"),),
    counts=(
        OfficialCount("train", 701, 50_218, 4),
        OfficialCount("query", 701, 37_855, 1, when={"query_view": "drone"}),
        OfficialCount("query", 701, 701, 1, when={"query_view": "satellite"}),
        OfficialCount("query", 701, 2_579, 1, when={"query_view": "street"}),
        OfficialCount("gallery", 951, 51_355, 1, when={"gallery_view": "drone"}),
        OfficialCount("gallery", 951, 951, 1, when={"gallery_view": "satellite"}),
        OfficialCount("gallery", 793, 2_921, 1, when={"gallery_view": "street"}),
    ),
)

_TEST_VIEWS = {view: view for view in VIEWS[:3]}
_BUILDING = NameForm(re.compile(r"(?P<pid>\d{4})"), "0839: building 839")


@described_by(CARD)
def university1652(
    root: str | os.PathLike[str], *, query_view: str = "drone", gallery_view: str = "satellite"
) -> Splits:
    """Read University-1652; an identity is a building, a camera is a view.

    Args:
        root: folder that holds ``university1652/University-Release``.
        query_view: what is searched for: ``drone``, ``satellite`` or ``street``.
        gallery_view: what is searched in, likewise.

    Raises:
        DataError: a folder is missing, a building's folder has another name, or a view is none or
            given twice.
    """
    _check_views(query_view, gallery_view)
    release = Path(root) / CARD.folder / "University-Release"
    query = release / "test" / f"query_{query_view}"
    gallery = release / "test" / f"gallery_{gallery_view}"
    train = [release / "train" / view for view in VIEWS]
    require(CARD, *train, query, gallery)
    learnt = [_read(folder, view) for folder, view in zip(train, VIEWS, strict=True)]
    return Splits(
        [sample for samples in learnt for sample in samples],
        _read(query, query_view),
        _read(gallery, gallery_view),
    )


def _check_views(query_view: str, gallery_view: str) -> None:
    choose(CARD.title, "query_view", query_view, _TEST_VIEWS)
    choose(CARD.title, "gallery_view", gallery_view, _TEST_VIEWS)
    if query_view == gallery_view:
        raise DataError(
            f"{CARD.title} has no protocol for searching {query_view} pictures in the same view",
            "Choose another gallery_view",
        )


def _read(folder: Path, view: str) -> list[Sample]:
    buildings = list_folders(folder)
    matches = _BUILDING.read([building.name for building in buildings], folder)
    return [
        Sample(str(Path(building.path, name)), int(match["pid"]), VIEWS.index(view))
        for building, match in zip(buildings, matches, strict=True)
        for name in find_image_files(building.path).files
    ]
