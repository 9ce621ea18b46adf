"""QMUL i-LIDS (Zheng et al., BMVC 2009): pictures of 119 people in an airport."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reid_plugins_datasets.reading.draws import drawn, halved
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.option_values import check_split_id
from reid_plugins_datasets.reading.pictures import read_pictures
from reid_plugins_datasets.reading.split_file import check_stored, stored_split
from reidcore.data import Archive, DatasetCard, OfficialCount, Sample, Splits, described_by, require
from reidcore.errors import DataError

CARD = DatasetCard(
    title="QMUL i-LIDS",
    folder="ilids",
    layout="""\
ilids/
    i-LIDS_Pedestrian/
        Persons/0001001.jpg    person 1, picture 1
    splits.json    only if Torchreid drew splits""",
    paper="Zheng et al. Associating Groups of People. BMVC 2009",
    source="http://www.eecs.qmul.ac.uk/~jason/data/i-LIDS_Pedestrian.tgz",
    licence="not stated",
    protocol="10 random splits, whose results are averaged: all pictures of 59 people are learnt "
    "from; of each of the other 60 one random picture is searched for among one other of each. "
    "The cameras are not known: camera 1 is the gallery's, 0 everything else's, so that nothing is "
    "left out.",
    archives=(Archive("i-LIDS_Pedestrian.tgz", "ilids"),),
    counts=(
        OfficialCount("train", 59, None),
        OfficialCount("query", 60, 60),
        OfficialCount("gallery", 60, 60),
    ),
)

_SPLITS = 10
_FORM = NameForm(
    re.compile(r"(?P<pid>\d{4})(?P<picture>\d{3})\.jpg"), "0001002.jpg: person 1, picture 2"
)

Names = dict[str, list[str]]
"""Split -> file names."""


@described_by(CARD)
def ilids(root: str | os.PathLike[str], *, split_id: int = 0) -> Splits:
    """Read one of i-LIDS' 10 splits: Torchreid's if it left ``splits.json``, else a fixed one.

    Args:
        root: folder that holds ``ilids/``.
        split_id: which split, base 0.

    Raises:
        DataError: the folder is missing, images have names of another form, or there is no such
            split.
    """
    directory = Path(root) / CARD.folder
    folder = directory / "i-LIDS_Pedestrian" / "Persons"
    require(CARD, folder)
    known = {
        match.string: Sample(path, int(match["pid"]), 0)
        for match, path in read_pictures(folder, _FORM)
    }
    path = directory / "splits.json"
    names = stored_split(path, CARD.title, split_id, lambda split: _stored(split, known, path))
    return _splits(names or _draw(known, split_id), known)


def _stored(split: Mapping[str, Any], known: Mapping[str, Sample], path: Path) -> Names:
    names = {mode: list(split[mode]) for mode in ("train", "query", "gallery")}
    for mode in names:
        check_stored(names[mode], known, path)
    return names


def _draw(known: Mapping[str, Sample], split_id: int) -> Names:
    check_split_id(CARD.title, split_id, _SPLITS)
    pictures: dict[int, list[str]] = {}
    for name, sample in known.items():
        pictures.setdefault(sample.pid, []).append(name)
    learnt, tested = halved(pictures, CARD.title, split_id)
    alone = [pid for pid in tested if len(pictures[pid]) < 2]
    if alone:
        raise DataError(
            f"{len(alone)} people of i-LIDS have one picture only, such as number {alone[0]}",
            "Unpack it again",
        )
    pairs = [drawn(pictures[pid], CARD.title, split_id)[:2] for pid in tested]
    return {
        "train": [name for pid in learnt for name in pictures[pid]],
        "query": [query for query, _ in pairs],
        "gallery": [gallery for _, gallery in pairs],
    }


def _splits(names: Names, known: Mapping[str, Sample]) -> Splits:
    def samples(listed: Sequence[str], camid: int) -> list[Sample]:
        return [known[name]._replace(camid=camid) for name in sorted(listed)]

    return Splits(
        samples(names["train"], 0), samples(names["query"], 0), samples(names["gallery"], 1)
    )
