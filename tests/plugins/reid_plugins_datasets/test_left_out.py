"""What benchmarks leave out is counted and told."""

from pathlib import Path

import pytest

from reidcore.data import init_image_dataset, init_video_dataset


def counts(dataset):
    return {found.what: found.count for found in dataset.left_out}


def test_market1501_tells_of_junk_and_of_files_of_other_names(plant):
    root = plant("market1501").root
    folder = next(root.rglob("bounding_box_test"))
    junk = len(list(folder.glob("-1_*.jpg")))
    for name in ("overview.PNG", "notes.txt", "Thumbs.db", ".keep", "._0001_c1s1_000001_00.jpg"):
        (folder / name).touch()
    (folder / "old").mkdir()
    (folder / "old" / "0001_c1s1_000001_00.jpg").touch()
    dataset = init_image_dataset("market1501", root=root)
    assert junk
    assert counts(dataset) == {
        "images of identity -1": junk,
        "files": 2,
        "side files and folders": 1,
        "images in folders below": 1,
    }
    by_kind = {found.what: found for found in dataset.left_out}
    assert by_kind["images of identity -1"].expected
    assert by_kind["side files and folders"].expected
    assert not by_kind["files"].expected
    assert [Path(name).name for name in by_kind["files"].names] == ["notes.txt", "overview.PNG"]


def test_copies_in_another_format_are_read_for_the_originals_and_not_beside_them(planted, plant):
    plain = init_image_dataset("market1501", root=planted("market1501").root)
    root = plant("market1501").root
    folder = next(root.rglob("bounding_box_train"))
    pictures = sorted(folder.glob("*.jpg"))
    for path in pictures[::2]:
        path.rename(path.with_suffix(".png"))
    (folder / f"{pictures[1].stem}.webp").touch()
    mixed = init_image_dataset("market1501", root=root)
    assert {Path(sample[0]).suffix for sample in mixed.train} == {".jpg", ".png"}
    assert [tuple(sample[1:3]) for sample in mixed.train] == [
        tuple(sample[1:3]) for sample in plain.train
    ]
    assert counts(mixed)["images"] == 1


def test_mars_tells_of_junk_tracklets(planted):
    pytest.importorskip("scipy")
    dataset = init_video_dataset("mars", root=planted("mars").root)
    assert counts(dataset).get("tracklets of identity -1", 0) > 0


def test_tracklets_that_are_too_short_are_recorded(planted):
    root = planted("dukemtmcvidreid").root
    dataset = init_video_dataset("dukemtmcvidreid", root=root, min_seq_len=5)
    assert sum(counts(dataset).values()) > 0
    assert all(found.total >= found.count for found in dataset.left_out)


def test_cuhk03_tells_of_files_that_are_none_of_its_pictures(plant):
    pytest.importorskip("h5py")
    root = plant("cuhk03").root
    init_image_dataset("cuhk03", root=root)
    images = next(root.rglob("images_detected"))
    (images / "1_001_1_01 (copy).png").touch()
    found = init_image_dataset("cuhk03", root=root).left_out
    assert [(one.what, one.count, one.expected) for one in found] == [("files", 1, False)]
