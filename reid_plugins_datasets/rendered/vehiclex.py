"""VehicleX (Yao et al., ECCV 2020): 1362 drawn vehicles, to learn from."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reid_plugins_datasets.reading.tables import table_of
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by, require

CARD = DatasetCard(
    title="VehicleX",
    folder="vehiclex",
    layout="""\
vehiclex/
    AIC20_ReID_Simulation/    (option release)
        image_train/0001_c001_33.jpg    vehicle 1, camera 1, picture 33""",
    paper="Yao et al. Simulating Content Consistent Vehicle Datasets with Attribute Descent. "
    "ECCV 2020",
    source="https://github.com/yorkeyao/VehicleX",
    licence="not stated here: the source has the terms",
    protocol="To learn from only. What track 2 of the AI City Challenge 2020 handed out lies in "
    "AIC20_ReID_Simulation; the pictures adapted to VeRi-776 or VehicleID have names of the same "
    "form, and are read from a folder of another name (release).",
    combines=False,
    counts=(OfficialCount("train", 1_362, None, when={"release": "AIC20_ReID_Simulation"}),),
)

_PICTURES = NameForm(
    re.compile(r"(?P<vehicle>\d+)_c(?P<camera>\d+)_\d+\.jpg"),
    "0001_c001_33.jpg: vehicle 1, camera 1",
    {"vehicle": range(1, 1363)},
)


@described_by(CARD)
def vehiclex(root: str | os.PathLike[str], *, release: str = "AIC20_ReID_Simulation") -> Splits:
    """Read VehicleX; query and gallery are empty.

    Args:
        root: folder that holds ``vehiclex/``.
        release: the folder in it that holds ``image_train/``.

    Raises:
        DataError: the folder is missing, or a picture has a name of another form.
    """
    folder = Path(root) / CARD.folder / release / "image_train"
    require(CARD, folder)
    return Splits(table_of(read_pictures(folder, _PICTURES), pid="vehicle"), [], [])
