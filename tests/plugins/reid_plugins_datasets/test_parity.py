"""Every benchmark and option, held against what reference readers give for miniature trees.

Test labels must be equal, training labels up to renaming. Where the reference is wrong or invents
something, `DEPARTURES` says so, and makes the right expectation of the recorded one.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from reid_plugins_datasets.reading.draws import drawn
from reidcore.data import init_image_dataset, init_video_dataset
from reidcore.errors import DataError

EXPECTED = Path(__file__).parents[2] / "fixtures" / "datasets" / "expected_seed0"
OPEN = {"image": init_image_dataset, "video": init_video_dataset}
SPLITS = ("train", "query", "gallery")

Case: TypeAlias = dict[str, Any]
Row: TypeAlias = tuple[Any, int, int]
"""Path below the data root (a tuple of paths for a tracklet), identity, camera."""


@dataclass(frozen=True)
class Departure:
    """Where our table differs on purpose.

    Attributes:
        why: what is wrong with the recorded one.
        expect: makes the right expectation of the recorded case.
    """

    why: str
    expect: Callable[[Case], Case]


def each_picture_once(case: Case) -> Case:
    """Keep the first of several training rows with the same picture."""
    first = {row[0]: row for row in reversed(case["train"])}
    return {**case, "train": list(first.values())}


def without_tests(case: Case) -> Case:
    return {**case, "query": [], "gallery": []}


def without_train(case: Case) -> Case:
    """Learn from nothing, unless the test pictures are to be combined."""
    return each_picture_once(case) if case["options"].get("combineall") else {**case, "train": []}


def seen_by(camera: Callable[[Case, str], int]) -> Callable[[Case], Case]:
    """Give pictures the camera that a rule says, of the case and their path."""

    def expect(case: Case) -> Case:
        rows = {
            split: [(path, pid, camera(case, path)) for path, pid, _ in case[split]]
            for split in SPLITS
        }
        return {**case, **rows}

    return expect


def university_camera(case: Case, path: str) -> int:
    view = path.split("/")[-3].removeprefix("query_").removeprefix("gallery_")
    return ("drone", "satellite", "street", "google").index(view)


def numbered_by(pid: Callable[[str], int]) -> Callable[[Case], Case]:
    """Give query and gallery the identity that a rule says, of the path."""

    def expect(case: Case) -> Case:
        rows = {
            split: [(path, pid(path), camid) for path, _, camid in case[split]]
            for split in ("query", "gallery")
        }
        return {**case, **rows}

    return expect


def sensereid_pid(path: str) -> int:
    return int(Path(path).name.split("_")[0])


def whole_tracks(case: Case) -> Case:
    """Add the last frame of tracks that begin with number 2; the maker's frames are 12 apart."""
    pattern = re.compile(r"(.*F)(\d+)(_?X)(\d+)(\.jpg)")

    def whole(frames: list[str]) -> list[str]:
        if "F0002" not in frames[0]:
            return frames
        last = pattern.fullmatch(frames[-1])
        assert last is not None
        before, frame, between, source, after = last.groups()
        return [*frames, f"{before}{int(frame) + 1:04d}{between}{int(source) + 12:05d}{after}"]

    return {
        **case,
        **{
            split: [(whole(path), pid, camid) for path, pid, camid in case[split]]
            for split in SPLITS
        },
    }


def side_camera(case: Case, path: str) -> int:
    return int(any(path == searched for searched, _, _ in case["gallery"]))


def drawn_gallery(case: Case) -> Case:
    """Let the first of each vehicle's pictures in our own fixed order be the gallery."""
    rows = [*case["query"], *case["gallery"]]
    numbers = {pid: [row[2] for row in rows if row[1] == pid] for _, pid, _ in rows}
    first = {drawn(pictures, "VehicleID", 0)[0] for pictures in numbers.values()}
    return {
        **case,
        "query": [row for row in rows if row[2] not in first],
        "gallery": [row for row in rows if row[2] in first],
    }


INVENTED = "the reference invents cameras"
NUMBERED = "the reference takes the number of a picture for a camera, and leaves out true matches"
LOST = "the reference loses the last frame of tracks that begin with number 2"
DEPARTURES: dict[str, tuple[Departure, ...]] = {
    "cuhk03": (
        Departure("combineall takes query and gallery, one list, twice", each_picture_once),
    ),
    "cuhksysu": (Departure("its one query and gallery picture is a dummy", without_tests),),
    "dukemtmcvidreid": (Departure(LOST, whole_tracks),),
    "dukemtmcvidreid_old": (Departure(LOST, whole_tracks),),
    "ilids": (Departure(INVENTED, seen_by(side_camera)),),
    "occluded_reid": (Departure(NUMBERED, seen_by(side_camera)),),
    "partial_ilids": (Departure(NUMBERED, seen_by(side_camera)),),
    "partial_reid": (Departure(NUMBERED, seen_by(side_camera)),),
    "sensereid": (
        Departure(
            "train is query and gallery again, and combineall takes them twice", without_train
        ),
        Departure("test identities are renumbered without need", numbered_by(sensereid_pid)),
    ),
    "university1652": (Departure(INVENTED, seen_by(university_camera)),),
    "vehicleid": (Departure("the reference draws its gallery anew each time", drawn_gallery),),
}

# Layouts that are further forms of a dataset.
KEYS = {
    "cuhk01_zip": "cuhk01",
    "dukemtmcvidreid_old": "dukemtmcvidreid",
    "market1501_flat": "market1501",
    "msmt17_v2": "msmt17",
}

# Layout -> options that the reference refuses and we read: the new protocol has one split whatever
# the number, which datasets beside it may need; test_cuhk03.py has that it says so.
READ_ALL_THE_SAME = {"cuhk03": [{"split_id": 1}]}

# Attributes are columns, which test_attributes.py compares.
NOT_READ = {"dukemtmc_attribute", "market1501_attribute"}


def as_ours(case: Case) -> Case:
    """Write down in our words what readers other than Torchreid's gave.

    FastReID's training labels are text such as ``veri_13``, and its sizes ``small-800``; the
    records of Simple-CCReID have clothes as well, which test_clothes.py compares, and two kinds of
    queries.
    """
    if "error" in case:
        return case
    options = {
        name: value.split("-")[0].replace("default", "large") if name == "size" else value
        for name, value in case["options"].items()
    }
    found = {**case, "query": case.get("query", case.get("query_diff"))}
    rows = {
        split: [(path, number(pid), number(camid)) for path, pid, camid, *_ in found[split]]
        for split in SPLITS
    }
    return {**found, **rows, "options": options}


def number(label: int | str) -> int:
    return label if isinstance(label, int) else int(label.rpartition("_")[2])


def case_params() -> Iterable[Any]:
    for path in sorted(EXPECTED.iterdir()):
        record = json.loads(lzma.decompress(path.read_bytes()))
        layout = record["dataset"]
        if layout not in NOT_READ:
            for case in record["cases"]:
                if case["options"] in READ_ALL_THE_SAME.get(layout, []):
                    continue
                yield pytest.param(
                    record, as_ours(case), id=f"{layout}-{json.dumps(case['options'])}"
                )


def below(path: str | tuple[str, ...], root: Path) -> Any:
    if isinstance(path, tuple):
        return tuple(below(frame, root) for frame in path)
    return Path(path).relative_to(root).as_posix()


def rows_of(samples: Iterable[Any], root: Path) -> list[Row]:
    return sorted((below(s.path, root), s.pid, s.camid) for s in samples)


def expected_rows(samples: Iterable[Any]) -> list[Row]:
    return sorted(
        (tuple(path) if isinstance(path, list) else path, pid, camid)
        for path, pid, camid in samples
    )


def renaming(rows: list[Row], others: list[Row]) -> set[tuple[int, int]]:
    """Return which label stands for which, of rows that are otherwise equal."""
    assert [(path, camid) for path, _, camid in rows] == [
        (path, camid) for path, _, camid in others
    ]
    return {(pid, other) for (_, pid, _), (_, other, _) in zip(rows, others, strict=True)}


@pytest.mark.parametrize(("record", "case"), list(case_params()))
def test_a_dataset_is_read_as_recorded(record, case, used_root):
    layout, root = record["dataset"], used_root(record["dataset"])
    opening = OPEN[record["kind"]]
    key, place = KEYS.get(layout, layout), root / record["root"]
    if "error" in case:
        with pytest.raises(DataError):
            opening(key, root=place, **case["options"])
        return
    for departure in DEPARTURES.get(layout, ()):
        case = departure.expect(case)
    found = opening(key, root=place, **case["options"])
    expected = {split: expected_rows(case[split]) for split in SPLITS}
    assert rows_of(found.query, root) == expected["query"]
    assert rows_of(found.gallery, root) == expected["gallery"]
    labels = renaming(rows_of(found.train, root), expected["train"])
    people = {pid for _, pid, _ in expected["train"]}
    assert len(labels) == len({ours for ours, _ in labels}) == len(people) == found.num_train_pids
    assert found.num_train_cams == len({camid for _, _, camid in expected["train"]})
