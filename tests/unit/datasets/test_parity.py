"""Every benchmark and option, held against what reference readers give for miniature trees.

Test labels must be equal, training labels up to renaming. Where the reference is wrong or invents
something, `DEPARTURES` says so, and makes the right expectation of the recorded one.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from reidcore.data import init_image_dataset, init_video_dataset
from reidcore.errors import DataError

EXPECTED = Path(__file__).parents[2] / "data" / "datasets" / "expected_seed0"
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


def ilids_camera(case: Case, path: str) -> int:
    return int(any(path == searched for searched, _, _ in case["gallery"]))


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


INVENTED = "the reference invents cameras"
DEPARTURES: dict[str, tuple[Departure, ...]] = {
    "cuhk03": (
        Departure("combineall takes query and gallery, one list, twice", each_picture_once),
    ),
    "cuhksysu": (Departure("its one query and gallery picture is a dummy", without_tests),),
    "ilids": (Departure(INVENTED, seen_by(ilids_camera)),),
    "sensereid": (
        Departure(
            "train is query and gallery again, and combineall takes them twice", without_train
        ),
        Departure("test identities are renumbered without need", numbered_by(sensereid_pid)),
    ),
    "university1652": (Departure(INVENTED, seen_by(university_camera)),),
}

# Layouts that are further forms of a dataset.
KEYS = {"cuhk01_zip": "cuhk01", "market1501_flat": "market1501", "msmt17_v2": "msmt17"}


# Recorded, but nobody's benchmark to be read: attributes, and a set that is not supported.
NOT_READ = {"dukemtmc_attribute", "last", "market1501_attribute"}


def case_params() -> Iterable[Any]:
    for path in sorted(EXPECTED.iterdir()):
        record = json.loads(lzma.decompress(path.read_bytes()))
        layout = record["dataset"]
        if layout not in NOT_READ:
            for case in record["cases"]:
                yield pytest.param(record, case, id=f"{layout}-{json.dumps(case['options'])}")


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
