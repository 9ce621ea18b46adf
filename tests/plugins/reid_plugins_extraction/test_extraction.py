"""Extracting a table: what is written, what is kept on the way, and how processes share it."""

from __future__ import annotations

import json
import os
import shutil
import threading

import numpy as np
import pytest
import torch
from reid_plugins_extraction import extraction, parts
from reid_plugins_extraction.extraction import extract_table
from reid_plugins_extraction.subjects import Boxes, Files

from reidcore.errors import DataError, UserError

RECORD = {"weights_sha256": "abc", "normalize": False}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(parts, "BLOCK", 3)


def read(path) -> dict[str, np.ndarray]:
    with np.load(path) as found:
        return {name: found[name] for name in found.files}


def same(found: np.ndarray, wanted: torch.Tensor) -> None:
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-6, rtol=1e-5)


def test_features_stand_beside_their_paths_and_tell_their_model(
    extractor, photos, tmp_path
) -> None:
    extract_table(extractor, Files(photos), RECORD, tmp_path / "f.npz")
    found = read(tmp_path / "f.npz")
    assert found["paths"].tolist() == photos
    assert found["features"].dtype == np.float32
    same(found["features"], extractor(photos))
    assert json.loads(str(found["reidcore"])) == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["f.npz"]


def test_parquet_holds_the_same(extractor, photos, video, boxes, tmp_path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for name, subjects in (("images", Files(photos)), ("boxes", Boxes(str(video), boxes))):
        for ending in ("npz", "parquet"):
            extract_table(extractor, subjects, RECORD, tmp_path / f"{name}.{ending}")
        table = parquet.read_table(tmp_path / f"{name}.parquet")
        assert json.loads(table.schema.metadata[b"reidcore"]) == RECORD
        wanted = read(tmp_path / f"{name}.npz")
        assert {*table.column_names} == {*wanted} - {"reidcore"}
        for column in table.column_names:
            assert table[column].to_pylist() == wanted[column].tolist()


@pytest.mark.parametrize("source", ["video", "frame_folder"])
def test_boxes_of_a_video(extractor, request, source, boxes, pixels, tmp_path) -> None:
    subjects = Boxes(str(request.getfixturevalue(source)), boxes)
    extract_table(extractor, subjects, RECORD, tmp_path / "f.npz")
    found = read(tmp_path / "f.npz")
    assert found["frame"].tolist() == [1, 1, 2, 5]
    assert found["track"].tolist() == [7, 8, 7, -1]
    assert found["box"].shape == (4, 4)
    first = extractor.crops(pixels[0], found["box"][:2], "ltwh")
    same(found["features"][:2], first)
    same(found["features"][3:], extractor.crops(pixels[4], [[0, 0, 64, 48]]))


def test_what_has_no_picture_is_told_and_left_out(extractor, video, tmp_path, caplog) -> None:
    (tmp_path / "b.txt").write_text(
        "1,1,5,5,20,20\n1,2,100,5,20,20\n2,1,5,5,0,9\n6,1,0,0,9,9\n8,4,0,0,9,9\n"
    )
    extract_table(extractor, Boxes(str(video), tmp_path / "b.txt"), RECORD, tmp_path / "f.npz")
    assert read(tmp_path / "f.npz")["frame"].tolist() == [1, 6]
    assert caplog.messages == [
        "2 of 5 boxes left out (outside, or of no area): 'frame 1, id 2', 'frame 2, id 1'",
        f"1 of 5 boxes left out (the video {str(video)!r} ends before, after 6 frames): "
        "'frame 8, id 4'",
    ]


def test_an_unreadable_image_amid_others(extractor, photos, tmp_path, caplog) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    paths = [*photos[:3], str(tmp_path / "broken.jpg"), *photos[3:9]]
    extract_table(extractor, Files(paths), RECORD, tmp_path / "f.npz")
    found = read(tmp_path / "f.npz")
    assert found["paths"].tolist() == photos[:9]
    same(found["features"], extractor(photos[:9]))
    assert "1 of 10 images left out (not an image)" in caplog.text
    with pytest.raises(DataError, match="of 1 image none can be read"):
        extract_table(extractor, Files(paths[3:4]), RECORD, tmp_path / "g.npz")
    assert not (tmp_path / "g.npz").exists()


class Bad(Files):
    """Files of which the first few are bad, each in its own way."""

    def images(self, rows, on_bad):
        for each in super().images(rows, on_bad):
            if each.row < 4:
                on_bad(each.row, DataError(f"torn {each.row}"))
            else:
                yield each


def test_many_reasons_are_told_in_one_line(extractor, photos, tmp_path, caplog) -> None:
    extract_table(extractor, Bad(photos[:6]), RECORD, tmp_path / "f.npz")
    (told,) = caplog.messages
    assert told.startswith("4 of 6 images left out (unreadable): ")
    assert f"{photos[0]} (torn 0)" in told


class Cut(Files):
    """Files of which the reading is interrupted."""

    def images(self, rows, on_bad):
        for each in super().images(rows, on_bad):
            if each.row == 9:
                raise KeyboardInterrupt
            yield each


def test_an_interrupted_extraction_goes_on(extractor, photos, tmp_path, caplog) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract_table(extractor, Cut(photos), RECORD, tmp_path / "f.npz")
    assert not (tmp_path / "f.npz").exists()
    kept = [path.name for path in sorted((tmp_path / "f.npz.parts").glob("*.npz"))]
    assert kept == ["000000000000.npz"]
    asked = []
    files = Files(photos)
    images = files.images
    files.images = lambda rows, on_bad: asked.extend(rows) or images(rows, on_bad)
    with caplog.at_level("INFO", logger="reidcore"):
        extract_table(extractor, files, RECORD, tmp_path / "f.npz")
    assert asked == list(range(3, 11))
    assert "Going on: 3 of 11 images are there" in caplog.text
    same(read(tmp_path / "f.npz")["features"], extractor(photos))


def test_what_ends_before_a_part_is_finished_leaves_no_folder(extractor, video, boxes, tmp_path):
    rows = Boxes(str(video), boxes)
    rows.images = lambda rows, on_bad: iter([None])
    with pytest.raises(AttributeError):
        extract_table(extractor, rows, RECORD, tmp_path / "f.npz")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"record": {**RECORD, "weights_sha256": "b"}}, "differs in weights_sha256"),
        ({"count": 10}, "differs in images. Delete that folder"),
    ],
)
def test_parts_of_another_extraction_are_refused(
    extractor, photos, tmp_path, change, message
) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract_table(extractor, Cut(photos), RECORD, tmp_path / "f.npz")
    files = Files(photos[: change.get("count", 11)])
    with pytest.raises(UserError, match=message):
        extract_table(extractor, files, change.get("record", RECORD), tmp_path / "f.npz")


@pytest.mark.parametrize("name", ["door.avi", "00.png"])
def test_another_file_of_the_same_name_is_another_source(photos, video, boxes, tmp_path, name):
    own = tmp_path / name
    files = {"00.png": (photos[0], photos[1]), "door.avi": (str(video), str(boxes))}[name]
    shutil.copy2(files[0], own)
    subjects = Boxes(str(own), boxes) if name == "door.avi" else Files([str(own)])
    before = subjects.record()
    assert subjects.record() == before
    os.utime(own, ns=(0, 0))  # of the same size
    touched = subjects.record()
    shutil.copy2(files[1], own)
    after = subjects.record()
    for one, other in ((before, touched), (touched, after)):
        assert [key for key in one if one[key] != other[key]] == [[*one][-1]]


def test_parts_of_a_stream_are_not_gone_on_with(extractor, video, boxes, tmp_path, monkeypatch):
    live = Boxes(str(video), boxes)
    live.is_live = True

    kept = parts.Parts(tmp_path / "f.npz", len(live))
    kept.open({**RECORD, **live.record()}, can_go_on=False)
    kept.write(range(3), parts.Part(*map(np.array, ([0, 1, 2], np.zeros((3, 5)), [], []))))
    with pytest.raises(UserError, match=r"has parts of a stream, which is not where it was\. Del"):
        extract_table(extractor, live, RECORD, tmp_path / "f.npz")
    monkeypatch.setattr(extraction, "rank_and_world", lambda: (1, 2))
    with pytest.raises(UserError, match=r"stream is read by one process, and there are 2\. Run it"):
        extract_table(extractor, live, RECORD, tmp_path / "g.npz")


def test_processes_share_the_blocks_and_the_first_writes(
    extractor, photos, tmp_path, monkeypatch
) -> None:
    own, together = threading.local(), threading.Barrier(2)
    monkeypatch.setattr(extraction, "rank_and_world", lambda: (own.rank, 2))
    monkeypatch.setattr(extraction, "barrier", together.wait)
    extracted: dict[int, list[int]] = {0: [], 1: []}

    class Noted(Files):
        def images(self, rows, on_bad):
            extracted[own.rank] += rows
            return super().images(rows, on_bad)

    def work(rank: int) -> None:
        own.rank = rank
        extract_table(extractor, Noted(photos), RECORD, tmp_path / "f.npz")

    threads = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert extracted == {0: [0, 1, 2, 6, 7, 8], 1: [3, 4, 5, 9, 10]}
    found = read(tmp_path / "f.npz")
    assert found["paths"].tolist() == photos
    same(found["features"], extractor(photos))
