"""LTCC (Qian et al., ACCV 2020): people who change their clothes, seen by twelve cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.clothing.clothes import splits_with_clothes
from reid_plugins_datasets.reading.listing import PNG
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reid_plugins_datasets.reading.tables import table_of
from reidcore.data import DatasetCard, OfficialCount, SampleTable, Splits, described_by, require

CARD = DatasetCard(
    title="LTCC",
    folder="LTCC_ReID",
    layout="""\
LTCC_ReID/
    train/094_1_c9_015833.png    person 94, outfit 1, camera 9
    query/
    test/                        the gallery""",
    paper="Qian et al. Long-Term Cloth-Changing Person Re-identification. ACCV 2020",
    source="https://naiq.github.io/LTCC_Perosn_ReID.html",
    licence="research only; given out after an agreement is signed",
    protocol="Standard: pictures of the query's person by the query's camera are left out. "
    "Cloth-changing (test.protocol=clothes): those of the query's person in the query's clothes "
    "are left out as well; the column clothes has the outfits.",
    counts=(
        OfficialCount("train", 77, 9_576),
        OfficialCount("query", 75, 493),
        OfficialCount("gallery", 75, 7_050),
    ),
    camera_names=tuple(map(str, range(1, 13))),
)

_PICTURES = NameForm(
    re.compile(r"(?P<pid>\d+)_(?P<clothes>\d+)_c(?P<camera>\d+)_\d+\.png"),
    "094_1_c9_015833.png: person 94, outfit 1, camera 9",
    {"camera": range(1, 13)},
)


@described_by(CARD)
def ltcc(root: str | os.PathLike[str]) -> Splits:
    """Read LTCC; the column ``clothes`` tells outfits apart.

    Args:
        root: folder that holds ``LTCC_ReID/``.

    Raises:
        DataError: a folder is missing, or a picture has a name of another form.
    """
    folders = [Path(root) / CARD.folder / name for name in ("train", "query", "test")]
    require(CARD, *folders)
    return splits_with_clothes(*(_read(folder) for folder in folders))


def _read(folder: Path) -> SampleTable:
    return table_of(read_pictures(folder, _PICTURES, PNG), columns=("clothes",))
