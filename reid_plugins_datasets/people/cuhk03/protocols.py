"""CUHK03's two protocols: which pictures are learnt from, searched for and searched in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reid_plugins_datasets.people.cuhk03.pictures import Picture
from reid_plugins_datasets.reading.matlab import load_mat, open_mat73
from reid_plugins_datasets.reading.option_values import check_split_id
from reidcore.data import Sample, Splits
from reidcore.errors import DataError


def classic_splits(pictures: Mapping[str, Picture], release: Path, split_id: int) -> Splits:
    """Return one of the classic splits: the test pictures are query and gallery at once.

    Identities are numbered from 0, apart in training and test, in the order of pairs and persons.

    Raises:
        DataError: there is no such split, or the release cannot be read.
        UserError: h5py is missing.
    """
    with open_mat73(release) as file:
        cells = file["testsets"][0]
        check_split_id("CUHK03's classic protocol", split_id, len(cells))
        rows = file[cells[split_id]][()].T.astype(int).tolist()
    tested = {(pair, person) for pair, person in rows}
    train = [p for p in pictures.values() if (p.pair, p.person) not in tested]
    test = _numbered([p for p in pictures.values() if (p.pair, p.person) in tested])
    return Splits(_numbered(train), test, test)


def new_splits(pictures: Mapping[str, Picture], protocol: Path) -> Splits:
    """Return the 767 / 700 split that a protocol file lists.

    Raises:
        DataError: the file cannot be read, or a picture is missing.
        UserError: scipy is missing.
    """
    columns = _columns(protocol)
    names = [str(cell[0]) for cell in columns["filelist"]]
    labels = columns["labels"].astype(int).tolist()
    missing = [name for name in names if name not in pictures]
    if missing:
        folder = Path(next(iter(pictures.values())).path).parent
        raise DataError(
            f"{str(folder)!r} lacks {len(missing)} pictures of CUHK03, such as {missing[0]}",
            "Remove the folder: it is then written again.",
        )

    def listed(column: str) -> list[Sample]:
        rows = (columns[column].astype(int) - 1).tolist()
        found = ((pictures[names[row]], labels[row]) for row in rows)
        return [Sample(picture.path, pid, picture.camid) for picture, pid in found]

    return Splits(listed("train_idx"), listed("query_idx"), listed("gallery_idx"))


def _columns(protocol: Path) -> dict[str, Any]:
    """Read the flattened columns of a protocol file."""
    stored = load_mat(protocol, "filelist", "labels", "train_idx", "query_idx", "gallery_idx")
    return {name: column.flatten() for name, column in stored.items()}


def _numbered(pictures: Sequence[Picture]) -> list[Sample]:
    persons = sorted({(picture.pair, picture.person) for picture in pictures})
    number = {person: pid for pid, person in enumerate(persons)}
    return [Sample(p.path, number[p.pair, p.person], p.camid) for p in pictures]
