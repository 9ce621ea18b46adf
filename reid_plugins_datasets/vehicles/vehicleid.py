"""PKU VehicleID (Liu et al., CVPR 2016): vehicles without cameras, test sets of several sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from reid_plugins_datasets.reading.draws import drawn
from reid_plugins_datasets.reading.list_file import match_lines, read_lines
from reid_plugins_datasets.reading.listing import check_files
from reid_plugins_datasets.reading.option_values import check_split_id, choose
from reidcore.data import DatasetCard, OfficialCount, Sample, Splits, described_by, require

SIZES = {
    "small": 800,
    "medium": 1600,
    "large": 2400,
    "3200": 3200,
    "6000": 6000,
    "all": 13164,
}
"""Value of the option ``size`` -> number of test vehicles, as in the name of the list."""

DRAWS = 10

DRAWN_BY = {"reader": False, "protocol": True}
"""Value of the option ``draw`` -> whether the draw is left to the evaluation protocol."""

CARD = DatasetCard(
    title="VehicleID",
    folder="vehicleid",
    layout="""\
vehicleid/
    image/0000001.jpg
    train_test_split/
        train_list.txt            lines such as 0000001 24127: picture, vehicle
        test_list_800.txt, test_list_1600.txt, test_list_2400.txt, test_list_13164.txt""",
    paper="Liu et al. Deep Relative Distance Learning: Tell the Difference Between Similar "
    "Vehicles. CVPR 2016",
    source="https://pkuml.org/resources/pku-vehicleid.html",
    licence="research only; given out after an agreement is signed",
    protocol="Of each test vehicle one picture, drawn at random, is the gallery, and all others "
    "are searched for. Ten draws, chosen by split_id and the same everywhere, are averaged; the "
    "CMC is reported. With draw=protocol test.protocol=vehicleid draws all ten in one test, from "
    "queries and a gallery that are all test pictures. There are no cameras: each picture counts "
    "as seen by its own, so that nothing is left out.",
    counts=(
        OfficialCount("train", 13_164, 113_346),
        OfficialCount("query", 800, 5_693, when={"size": "small", "draw": "reader"}),
        OfficialCount("gallery", 800, 800, when={"size": "small", "draw": "reader"}),
        OfficialCount("query", 1_600, 11_777, when={"size": "medium", "draw": "reader"}),
        OfficialCount("gallery", 1_600, 1_600, when={"size": "medium", "draw": "reader"}),
        OfficialCount("query", 2_400, 17_377, when={"size": "large", "draw": "reader"}),
        OfficialCount("gallery", 2_400, 2_400, when={"size": "large", "draw": "reader"}),
        OfficialCount("query", 800, 6_493, when={"size": "small", "draw": "protocol"}),
        OfficialCount("query", 1_600, 13_377, when={"size": "medium", "draw": "protocol"}),
        OfficialCount("query", 2_400, 19_777, when={"size": "large", "draw": "protocol"}),
    ),
)

_LINE = re.compile(r"(?P<picture>\d+)\s+(?P<vehicle>\d+)")


@described_by(CARD)
def vehicleid(
    root: str | os.PathLike[str],
    *,
    size: str | int = "large",
    split_id: int = 0,
    draw: str = "reader",
) -> Splits:
    """Read VehicleID with one of its test lists.

    Args:
        root: folder that holds ``vehicleid/``.
        size: test vehicles: ``small`` (800), ``medium`` (1600), ``large`` (2400), ``3200``,
            ``6000`` or ``all`` (13164).
        split_id: which of ten draws of the gallery, base 0.
        draw: ``reader`` for that draw, ``protocol`` to leave the draws to the evaluation protocol:
            query and gallery are then all test pictures.

    Raises:
        DataError: a folder or list is missing or not as expected, or an option has no such value.
    """
    directory = Path(root) / CARD.folder
    vehicles = choose(CARD.title, "size", size, SIZES)
    check_split_id(CARD.title, split_id, DRAWS)
    left_to_protocol = choose(CARD.title, "draw", draw, DRAWN_BY)
    pictures = directory / "image"
    lists = directory / "train_test_split"
    train, test = lists / "train_list.txt", lists / f"test_list_{vehicles}.txt"
    require(CARD, pictures, train, test)
    tested = _read(test, pictures)
    if left_to_protocol:
        return Splits(_read(train, pictures), tested, tested)
    searched = _one_each(tested, split_id)
    return Splits(
        _read(train, pictures),
        [sample for sample in tested if sample.camid not in searched],
        [sample for sample in tested if sample.camid in searched],
    )


def _read(listed: Path, pictures: Path) -> list[Sample]:
    lines = match_lines(read_lines(listed), _LINE, "0000001 24127", listed)
    names = [f"{line['picture']}.jpg" for line in lines]
    check_files(pictures, names, listed)
    return [
        Sample(f"{pictures}{os.sep}{name}", int(line["vehicle"]), int(line["picture"]))
        for name, line in zip(names, lines, strict=True)
    ]


def _one_each(samples: Sequence[Sample], split_id: int) -> set[int]:
    """Draw one picture of each vehicle, the same in a smaller and in a larger test list."""
    numbers: dict[int, list[int]] = {}
    for _, vehicle, picture, _ in samples:
        numbers.setdefault(vehicle, []).append(picture)
    return {drawn(pictures, CARD.title, split_id)[0] for pictures in numbers.values()}
