"""VeRi-776 (Liu et al., ECCV 2016): vehicles seen by twenty cameras."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from reid_plugins_datasets.reading.list_file import read_lines
from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.reading.pictures import read_pictures
from reid_plugins_datasets.reading.tables import table_of
from reidcore.data import DatasetCard, OfficialCount, SampleTable, Splits, described_by, require
from reidcore.errors import DataError, counted

CARD = DatasetCard(
    title="VeRi-776",
    folder="veri",
    layout="""\
veri/
    image_train/0001_c001_00016450_0.jpg    vehicle 1, camera 1, frame, number
    image_query/
    image_test/
    test_track.txt    if there is one: a line a track, with the names of its pictures
    keypoint_train.txt, keypoint_test.txt    if they are there: pictures and their viewpoints""",
    paper="Liu et al. A Deep Learning-Based Approach to Progressive Vehicle Re-identification for "
    "Urban Surveillance. ECCV 2016",
    source="https://vehiclereid.github.io/VeRi/",
    licence="academic research only; given out on request",
    protocol="1,678 pictures of 200 vehicles are searched for in image_test, which holds each "
    "query too: it is left out with the other pictures of the query's vehicle by the query's "
    "camera. That is image to image; test.protocol=veri veri.to=track searches among the tracks "
    "of test_track.txt, which are the column track.",
    counts=(
        OfficialCount("train", None, 37_778, 20),
        OfficialCount("query", 200, 1_678),
        OfficialCount("gallery", 200, 11_579),
    ),
    camera_names=tuple(map(str, range(1, 21))),
)

NO_TRACK = -1
"""Track of a picture that no line of the list names."""

NO_VIEW = -1
"""Viewpoint of a picture that no list names."""

_VIEWS = range(8)

_PICTURES = NameForm(
    re.compile(r"(?P<vehicle>\d{4})_c(?P<camera>\d{3})_(?P<frame>\d+)_\d+\.jpg"),
    "0001_c001_00016450_0.jpg: vehicle 1, camera 1",
    {"vehicle": range(1, 777), "camera": range(1, 21)},
)


@described_by(CARD)
def veri(root: str | os.PathLike[str]) -> Splits:
    """Read VeRi-776 by the names of its pictures.

    The column ``frame`` says when a picture was taken. Where ``test_track.txt`` is there, the
    column ``track`` of query and gallery has the track of each picture, base 0 in the order of the
    list; a query's is that of the same picture in the gallery. Where lists of key points are there
    (Wang et al., "Orientation Invariant Feature Embedding and Spatial Temporal Regularization for
    Vehicle Re-identification", ICCV 2017), the column ``view`` has the viewpoint that ends a line,
    0 to 7.

    Args:
        root: folder that holds ``veri/``.

    Raises:
        DataError: a folder is missing, a picture has a name of another form, the list of tracks
            names pictures that are not there, or one of viewpoints is no such list.
    """
    directory = Path(root) / CARD.folder
    folders = [directory / name for name in ("image_train", "image_query", "image_test")]
    require(CARD, *folders)
    views = _read_views(directory)
    train, query, gallery = (_with_views(_read(folder), views) for folder in folders)
    listed = directory / "test_track.txt"
    if not listed.is_file():
        return Splits(train, query, gallery)
    tracks = _read_tracks(listed, {_name(path) for path in gallery.paths.files()})
    return Splits(train, _with_tracks(query, tracks), _with_tracks(gallery, tracks))


def _read(folder: Path) -> SampleTable:
    return table_of(read_pictures(folder, _PICTURES), pid="vehicle", columns=("frame",))


def _read_tracks(listed: Path, known: set[str]) -> dict[str, int]:
    """Return name of a picture -> its track.

    A line may begin with a name for the track itself, which copies of the list differ in.

    Raises:
        DataError: a line names no picture that is there.
    """
    tracks: dict[str, int] = {}
    lines = read_lines(listed)
    for number, line in enumerate(lines):
        names = known.intersection(line.split())
        if not names:
            raise DataError(
                f"line {number + 1} of {counted(len(lines), 'line')} of {str(listed)!r} names no "
                f"picture in image_test: {line[:60]!r}",
                "List and pictures are of different versions: get both again",
            )
        tracks.update(dict.fromkeys(names, number))
    return tracks


def _with_tracks(table: SampleTable, tracks: Mapping[str, int]) -> SampleTable:
    numbers = [tracks.get(_name(path), NO_TRACK) for path in table.paths.files()]
    return replace(table, columns={**table.columns, "track": np.array(numbers, dtype=np.int64)})


def _read_views(directory: Path) -> dict[str, int]:
    """Return name of a picture -> its viewpoint, of the lists that are there.

    A line is the picture's path, the places of 20 key points, and the viewpoint.

    Raises:
        DataError: a line ends in no viewpoint.
    """
    views: dict[str, int] = {}
    for listed in (directory / f"keypoint_{split}.txt" for split in ("train", "test")):
        for number, line in enumerate(read_lines(listed) if listed.is_file() else []):
            path, view = line.split()[0], line.split()[-1]
            if view not in map(str, _VIEWS):
                raise DataError(
                    f"line {number + 1} of {str(listed)!r} ends in {view!r}, which is no viewpoint "
                    f"from {_VIEWS[0]} to {_VIEWS[-1]}: {line[:60]!r}",
                    "Get the list again, or remove it: the column 'view' is then left out",
                )
            views[path.rpartition("/")[2]] = int(view)
    return views


def _with_views(table: SampleTable, views: Mapping[str, int]) -> SampleTable:
    if not views:
        return table
    numbers = [views.get(_name(path), NO_VIEW) for path in table.paths.files()]
    return replace(table, columns={**table.columns, "view": np.array(numbers, dtype=np.int64)})


def _name(path: str) -> str:
    return path.rpartition(os.sep)[2]
