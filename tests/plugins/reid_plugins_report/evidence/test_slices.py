from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter
from reid_plugins_report.evidence.slices import sharpness, slices_of, time_gaps

from reidcore.data import VIEWER, SampleTable
from reidcore.evaluation import Labels, SameIdentity


def tables(tmp_path, **columns) -> tuple[SampleTable, SampleTable]:
    query = SampleTable.of([(str(tmp_path / "dark.png"), 1, 0), (str(tmp_path / "gone.png"), 2, 0)])
    gallery = SampleTable.of([("a", 1, 1), ("b", 1, 1), ("c", 2, 1)])
    asked = {name: np.array(each[:2]) for name, each in columns.items()}
    given = {name: np.array(each[2:]) for name, each in columns.items()}
    return replace(query, columns=asked), replace(gallery, columns=given)


def found(query: SampleTable, gallery: SampleTable):
    relations = SameIdentity(Labels.from_samples(query, gallery))
    slices = slices_of(query, gallery, relations, VIEWER, 100)
    return dict(zip(slices.name.tolist(), slices.value.T.tolist(), strict=True))


def test_what_is_seen_in_a_picture(tmp_path) -> None:
    Image.new("L", (20, 40), 51).save(tmp_path / "dark.png")
    seen = found(*tables(tmp_path))
    assert [seen[name][0] for name in ("box size", "brightness", "sharpness")] == [800, 51, 0]
    assert np.isnan([seen[name][1] for name in ("box size", "brightness", "sharpness")]).all()


def test_a_blurred_picture_is_less_sharp() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (128, 64), dtype=np.uint8)
    picture = Image.fromarray(noise)
    blurred = picture.filter(ImageFilter.GaussianBlur(2))
    assert sharpness(blurred) < sharpness(picture) / 10


def test_the_laplacian_of_one_bright_pixel() -> None:
    levels = np.zeros((128, 64), dtype=np.uint8)
    levels[60, 30] = 100
    laplacian = np.zeros((126, 62))
    laplacian[59, 29] = -400
    laplacian[[58, 60, 59, 59], [29, 29, 28, 30]] = 100
    assert sharpness(Image.fromarray(levels)) == pytest.approx(laplacian.var())


def test_a_time_gap_is_that_to_the_nearest_match_in_time(tmp_path) -> None:
    query, gallery = tables(tmp_path, time=[10, 50, 4, 13, -1])
    relations = SameIdentity(Labels.from_samples(query, gallery))
    gaps = time_gaps(query, gallery, relations)
    assert gaps[0] == 3
    assert np.isnan(gaps[1])  # its match has no time
    assert time_gaps(*tables(tmp_path), relations) is None


def test_frames_of_two_recordings_have_no_gap(tmp_path) -> None:
    query, gallery = tables(
        tmp_path, frame=[10, 50, 4, 13, 60], sequence=[1, 1, 1, 2, 1], time=[0] * 5
    )
    relations = SameIdentity(Labels.from_samples(query, gallery))
    frames = [
        replace(each, columns={k: v for k, v in each.columns.items() if k != "time"})
        for each in (query, gallery)
    ]
    assert time_gaps(*frames, relations).tolist() == [6, 10]


def test_columns_of_few_values_are_slices(tmp_path) -> None:
    columns = {"occlusion": [0, 2, 0, 0, 0], "alike": [1] * 5, "unknown": [-1, 3, 0, 0, 0]}
    seen = found(*tables(tmp_path, **columns))
    assert seen["occlusion"] == [0, 2]
    assert seen.keys().isdisjoint({"alike", "unknown"})


def test_columns_of_text_are_slices_by_their_texts(tmp_path) -> None:
    query, gallery = tables(tmp_path, modality=["visible", "infrared", "x", "x", "x"])
    relations = SameIdentity(Labels.from_samples(query, gallery))
    slices = slices_of(query, gallery, relations, VIEWER, 100)
    place = slices.name.tolist().index("modality")
    assert slices.value[:, place].tolist() == [1, 0]
    assert slices.text[place].tolist()[:3] == ["infrared", "visible", ""]


def test_time_gaps_of_more_queries_than_are_looked_at_together() -> None:
    count = 1500
    rows = np.arange(count)
    query = replace(
        SampleTable.of([(f"q{row}", row, 0) for row in rows]), columns={"time": 10 * rows}
    )
    gallery = replace(
        SampleTable.of([(f"g{row}", row, 1) for row in rows]),
        columns={"time": 10 * rows + rows % 7},
    )
    relations = SameIdentity(Labels.from_samples(query, gallery))
    np.testing.assert_array_equal(time_gaps(query, gallery, relations), rows % 7)
