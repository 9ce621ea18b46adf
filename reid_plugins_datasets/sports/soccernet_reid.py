"""SoccerNet-v3 ReID (Giancola et al., MMSports 2022): players seen again in replays."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reid_plugins_datasets.reading.listing import PNG
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import choose
from reid_plugins_datasets.reading.pictures import read_below
from reid_plugins_datasets.reading.tables import table_of, texts
from reidcore.data import (
    WITHOUT_CAMERAS,
    Archive,
    DatasetCard,
    SampleTable,
    Splits,
    described_by,
    require,
)

PARTS = {"test": "test", "valid": "valid"}
"""Value of the option ``part`` -> the folder to test with."""

CARD = DatasetCard(
    title="SoccerNet-v3 ReID",
    folder="soccernetv3",
    layout="""\
soccernetv3/reid/
    train/CHAMPIONSHIP/SEASON/GAME/ACTION/
        54404-1940-33397-5089-Player_team_right-9-014r002_00858c3b0003-775x449.png
                     box, action, person, frame, role, number on the shirt, annotation, size
    valid/query/, valid/gallery/, test/query/, test/gallery/    likewise""",
    paper="Giancola et al. SoccerNet 2022 Challenges Results. MMSports 2022",
    source="https://github.com/SoccerNet/sn-reid",
    licence="research only, as far as known; given out by the package SoccerNet",
    protocol="A person in the frame of an action is searched for in the replays of that action "
    "alone: people have other numbers in other actions, so test.protocol=soccernet ranks within "
    "the column action. Queries count as one camera and the gallery as another. The challenge "
    "set, whose labels are secret, is not read.",
    archives=(
        Archive("train.zip", "soccernetv3/reid"),
        Archive("valid.zip", "soccernetv3/reid"),
        Archive("test.zip", "soccernetv3/reid"),
    ),
)

_PICTURES = NameForm(
    re.compile(
        r"(?:[^/]+/)*\d+-(?P<action>\d+)-(?P<pid>\d+)-(?P<frame>\d+)-(?P<role>[^-/]+)-[^-/]*"
        r"-[^-/]*-\d+x\d+\.png"
    ),
    "54404-1940-33397-5089-Player_team_right-9-014r002_00858c3b0003-775x449.png: action 1940, "
    "person 33397, frame 5089",
)


@described_by(CARD)
def soccernet_reid(root: str | os.PathLike[str], *, part: str = "test") -> Splits:
    """Read SoccerNet's players.

    The columns ``action`` and ``frame`` number these within a set; ``role`` is text such as
    ``Player_team_right`` or ``Main_referee``.

    Args:
        root: folder that holds ``soccernetv3/reid``.
        part: ``test`` or ``valid``: which games are searched in.

    Raises:
        DataError: a folder is missing, a picture has a name of another form, or there is no such
            part.
    """
    release = Path(root) / CARD.folder / "reid"
    tested = release / choose(CARD.title, "part", part, PARTS)
    folders = {
        "train": release / "train",
        "query": tested / "query",
        "gallery": tested / "gallery",
    }
    require(CARD, *folders.values())
    return Splits(**{split: _read(folder, split) for split, folder in folders.items()})


def _read(folder: Path, split: str) -> SampleTable:
    pictures = read_below(folder, _PICTURES, PNG)
    roles = texts([match for match, _ in pictures], "role")
    return table_of(
        pictures,
        camera=WITHOUT_CAMERAS[split],
        columns=("action", "frame"),
        further={"role": roles},
    )
