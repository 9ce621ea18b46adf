"""``reidcore data import`` reads what datumaro, CVAT's own writer of formats, exports."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from reid_plugins_own_data.importing import Wishes, choose_importer, import_dataset

from reidcore.plugins import make_plugins

pytest.importorskip("datumaro", reason="compares with datumaro, see tests/peers/requirements.txt")

from datumaro.components.annotation import AnnotationType, Bbox, LabelCategories
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

FRAMES, TRACKS = 4, 3
CLASSES = ("car", "van")


def box(frame: int, track: int) -> Bbox:
    """Return a track's box in a frame, with the attributes that CVAT gives it."""
    return Bbox(
        2 + 2 * frame + 8 * track,
        3 + 6 * track,
        14,
        18,
        label=track % 2,
        attributes={"track_id": track, "plate": f"B-{track}", "occluded": False, "outside": False},
    )


@pytest.fixture(scope="module")
def tracks() -> Dataset:
    """Three vehicles in four frames whose grey tells their number."""
    labels = LabelCategories.from_iterable((name, None, ["plate"]) for name in CLASSES)
    items = [
        DatasetItem(
            f"frame_{frame:06d}",
            subset="default",
            media=Image.from_numpy(np.full((48, 64, 3), 40 * frame, np.uint8)),
            annotations=[box(frame, track) for track in range(1, TRACKS + 1)],
            attributes={"frame": frame},
        )
        for frame in range(FRAMES)
    ]
    return Dataset.from_iterable(items, categories={AnnotationType.label: labels})


def imported(source: Path, target: Path, **options: str) -> list[dict[str, str]]:
    with make_plugins() as plugins:
        chosen = choose_importer(source, "", options, plugins)
        import_dataset(source, target, chosen, Wishes(options))
    with (target / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("form", "options", "pids"),
    [
        ("coco", {}, ["1", "2", "3"]),  # with files of other tasks, which have no tracks
        ("coco_instances", {}, ["1", "2", "3"]),
        ("coco_instances", {"identity": "plate"}, ["B-1", "B-2", "B-3"]),
        ("cvat", {"identity": "plate"}, ["B-1", "B-2", "B-3"]),
        ("mot_seq_gt", {}, ["1", "2", "3"]),
    ],
)
def test_tracks_come_back_as_identities_with_their_classes(
    tracks, tmp_path, form, options, pids
) -> None:
    tracks.export(str(tmp_path / "export"), form, save_media=True)
    rows = imported(tmp_path / "export", tmp_path / "mine", **options)
    assert len(rows) == FRAMES * TRACKS
    assert sorted({row["pid"] for row in rows}) == pids
    assert {(row["pid"][-1], row["class"]) for row in rows} == {
        (str(track), CLASSES[track % 2]) for track in range(1, TRACKS + 1)
    }
    for row in rows:
        with PIL.Image.open(tmp_path / "mine" / row["path"]) as crop:
            assert crop.size == (14, 18)
            first = int(form == "mot_seq_gt")
            assert np.asarray(crop).mean() == pytest.approx(40 * (int(row["frame"]) - first), abs=2)
