"""PersonX (Sun and Zheng, CVPR 2019): 1266 drawn people, seen all round."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.market_layout import market_folders
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reid_plugins_datasets.reading.tables import table_of
from reidcore.data import DatasetCard, OfficialCount, SampleTable, Splits, described_by, require

CARD = DatasetCard(
    title="PersonX",
    folder="personx",
    layout="""\
personx/
    subset1/    or 1/ ... 6/ of PersonX_v1, a folder for each background (option subset)
        bounding_box_train/0004_c1s1_01.jpg    person 4, camera (background) 1, viewpoint 1
        query/
        bounding_box_test/""",
    paper="Sun and Zheng. Dissecting Person Re-identification from the Viewpoint of Viewpoint. "
    "CVPR 2019",
    source="https://github.com/sxzrt/Instructions-of-the-PersonX-dataset",
    licence="not stated",
    protocol="Each query is searched for in the gallery; images of the query's person by the "
    "query's camera are left out. The subset of the VisDA 2020 challenge, subset1, is the usual "
    "source of domain adaptation; its cameras are called 3, 4, 8, 10, 11 and 12. A folder of "
    "PersonX_v1 has one camera: test it with test.protocol=any_camera. The column viewpoint "
    "counts steps of 10 degrees round the person.",
    counts=(
        OfficialCount("train", None, 9_840, 6, when={"subset": "subset1"}),
        OfficialCount("query", None, 5_136, when={"subset": "subset1"}),
        OfficialCount("gallery", None, 30_816, when={"subset": "subset1"}),
    ),
    camera_names=tuple(map(str, range(1, 13))),
)

_PICTURES = NameForm(
    re.compile(r"(?P<pid>\d+)_c(?P<camera>\d+)(?:s\d+)?_(?P<viewpoint>\d+)\.jpg"),
    "0004_c1s1_01.jpg: person 4, camera 1, viewpoint 1",
    {"camera": range(1, 13)},
)


@described_by(CARD)
def personx(root: str | os.PathLike[str], *, subset: str = "subset1") -> Splits:
    """Read a subset of PersonX; the column ``viewpoint`` has the side a person is seen from.

    Args:
        root: folder that holds ``personx/``.
        subset: the folder in it with the three folders of pictures.

    Raises:
        DataError: a folder is missing, or a picture has a name of another form.
    """
    folders = market_folders(Path(root) / CARD.folder / subset)
    require(CARD, *folders)
    return Splits(*(_read(folder) for folder in folders))


def _read(folder: Path) -> SampleTable:
    return table_of(read_pictures(folder, _PICTURES), columns=("viewpoint",))
