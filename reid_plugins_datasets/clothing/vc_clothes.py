"""VC-Clothes (Wan et al., CVPRW 2020): people of a video game before four cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from reid_plugins_datasets.clothing.clothes import splits_with_clothes
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import choose
from reid_plugins_datasets.reading.pictures import read_pictures
from reid_plugins_datasets.reading.tables import table_of
from reidcore.data import DatasetCard, SampleTable, Splits, described_by, leave_out, require

CAMERAS = {"all": (1, 2, 3, 4), "same": (2, 3), "changed": (3, 4)}
"""Value of the option ``cameras`` -> the cameras whose test pictures are used."""

CARD = DatasetCard(
    title="VC-Clothes",
    folder="VC-Clothes",
    layout="""\
VC-Clothes/
    train/0001-01-01-01.jpg    person 1, camera 1, outfit 1, picture 1
    query/
    gallery/""",
    paper="Wan et al. When Person Re-identification Meets Changing Clothes. CVPR Workshops 2020",
    source="https://wanfb.github.io/dataset.html",
    licence="research only, as far as known; the source has the terms",
    protocol="Pictures of the query's person by the query's camera are left out. Reported are all "
    "cameras; cameras 2 and 3, before which people wear the same clothes (cameras=same); and "
    "cameras 3 and 4, before which they wear other ones (cameras=changed). The column clothes has "
    "the outfits, for test.protocol=clothes.",
    camera_names=tuple("1234"),
)

_PICTURES = NameForm(
    re.compile(r"(?P<pid>\d+)-(?P<camera>\d+)-(?P<clothes>\d+)-\d+\.jpg"),
    "0001-01-01-01.jpg: person 1, camera 1, outfit 1",
    {"camera": range(1, 5)},
)


@described_by(CARD)
def vc_clothes(root: str | os.PathLike[str], *, cameras: str = "all") -> Splits:
    """Read VC-Clothes; the column ``clothes`` tells outfits apart.

    Args:
        root: folder that holds ``VC-Clothes/``.
        cameras: whose test pictures are used: ``all``, ``same`` (2 and 3, before which people wear
            the same clothes) or ``changed`` (3 and 4, other clothes).

    Raises:
        DataError: a folder is missing, a picture has a name of another form, or there is no such
            value of ``cameras``.
    """
    used = choose(CARD.title, "cameras", cameras, CAMERAS)
    folders = [Path(root) / CARD.folder / name for name in ("train", "query", "gallery")]
    require(CARD, *folders)
    train, query, gallery = (_read(folder) for folder in folders)
    return splits_with_clothes(train, _by_cameras(query, used), _by_cameras(gallery, used))


def _read(folder: Path) -> SampleTable:
    return table_of(read_pictures(folder, _PICTURES), columns=("clothes",))


def _by_cameras(table: SampleTable, used: tuple[int, ...]) -> SampleTable:
    kept = np.isin(table.camids + 1, used)
    leave_out(table.paths.take(~kept), "images", "by other cameras than asked for", expected=True)
    return table.take(kept)
