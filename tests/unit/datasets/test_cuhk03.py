"""CUHK03, held against what the reference reader gives for a miniature release."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_plugins_datasets.cuhk03 import cuhk03
from reidcore.data import ImageDataset, init_image_dataset
from reidcore.errors import DataError, UserError

h5py = pytest.importorskip("h5py")
savemat = pytest.importorskip("scipy.io").savemat

RECORD = json.loads((Path(__file__).parents[2] / "data/datasets/cuhk03.json").read_text())
KINDS = ("detected", "labeled")


def pixels_of(path):
    """Return pixels that differ from file to file: (H, W, 3)."""
    random = np.random.default_rng(zlib.crc32(path.encode()))
    return random.integers(0, 256, (12, 6, 3), dtype=np.uint8)


def case(classic=False, labeled=False, split_id=0):
    options = {
        "cuhk03_labeled": labeled, "cuhk03_classic_split": classic, "split_id": split_id,
    }  # fmt: skip
    return next(case for case in RECORD["cases"] if case["options"] == options)


def write_release(path):
    """Write a MATLAB v7.3 file: cells are references, and all axes are reversed."""
    with h5py.File(path, "w") as file:
        store = file.create_group("#refs#")

        def put(data, dtype=None):
            return store.create_dataset(str(len(store)), data=data, dtype=dtype).ref

        empty = put(np.zeros(2, np.uint64))
        for kind in KINDS:
            pairs = [put(_cells(kind, pair, put, empty), h5py.ref_dtype) for pair in range(1, 6)]
            file.create_dataset(kind, data=np.array([pairs], dtype=object), dtype=h5py.ref_dtype)
        lists = [put(_tested(split_id)) for split_id in range(20)]
        file.create_dataset("testsets", data=np.array([lists], dtype=object), dtype=h5py.ref_dtype)


def _cells(kind, pair, put, empty):
    names = {Path(p).stem: p for p in RECORD["pictures"] if f"images_{kind}/{pair}_" in p}
    persons = max(int(name.split("_")[1]) for name in names)
    cells = np.full((10, persons), empty, dtype=object)
    for name, path in names.items():
        _, person, _, column = (int(part) for part in name.split("_"))
        cells[column - 1, person - 1] = put(pixels_of(path).T)
    return cells


def _tested(split_id):
    query = case(classic=True, split_id=split_id if split_id in (0, 1, 19) else 0)["query"]
    persons = {tuple(int(part) for part in Path(row[0]).stem.split("_")[:2]) for row in query}
    return np.array(sorted(persons), dtype=float).T


def write_protocol(path, kind):
    new = case(labeled=kind == "labeled")
    files = sorted(Path(p).name for p in RECORD["pictures"] if f"images_{kind}" in p)
    persons = sorted({name[:5] for p in RECORD["pictures"] for name in [Path(p).name]})
    content = {
        "filelist": np.array([[name] for name in files], dtype=object),
        "labels": np.array([[persons.index(name[:5]) + 1] for name in files], np.uint16),
    }
    for split, column in (
        ("train", "train_idx"),
        ("query", "query_idx"),
        ("gallery", "gallery_idx"),
    ):
        indices = [[files.index(Path(row[0]).name) + 1] for row in new[split]]
        content[column] = np.array(indices, np.uint16)
    savemat(path, content)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "cuhk03/cuhk03_release").mkdir(parents=True)
    write_release(root / "cuhk03/cuhk03_release/cuhk-03.mat")
    for kind in KINDS:
        write_protocol(root / f"cuhk03/cuhk03_new_protocol_config_{kind}.mat", kind)
    return root


@pytest.fixture
def release(planted, tmp_path):
    """A root of its own, as it is after downloading."""
    for path in planted.rglob("*.mat"):
        copy = tmp_path / path.relative_to(planted)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path


def rows(samples, root):
    return sorted((Path(s.path).relative_to(root).as_posix(), s.pid, s.camid) for s in samples)


@pytest.mark.parametrize("recorded", RECORD["cases"], ids=lambda case: str(case["options"]))
def test_every_recorded_case_is_read_alike(planted, recorded):
    found = init_image_dataset("cuhk03", root=planted, **recorded["options"])
    for split in ("train", "query", "gallery"):
        assert rows(getattr(found, split), planted) == sorted(tuple(r) for r in recorded[split])


def test_pictures_are_written_to_the_pixel_and_only_of_the_kind_asked_for(release):
    cuhk03(release, labeled_images=True)
    written = sorted((release / "cuhk03/images_labeled").iterdir())
    named = [p for p in RECORD["pictures"] if "labeled" in p]
    assert [p.relative_to(release).as_posix() for p in written] == named
    for path in written:
        stored = pixels_of(path.relative_to(release).as_posix())
        assert np.array_equal(np.asarray(Image.open(path)), stored)
    assert not (release / "cuhk03/images_detected").exists()


def test_a_moved_root_is_read_where_it_is_now(release):
    cuhk03(release)
    moved = release / "moved"
    moved.mkdir()
    (release / "cuhk03").rename(moved / "cuhk03")
    dataset = ImageDataset(*cuhk03(moved), verbose=False)
    assert dataset[0]["img"].size == (6, 12)


def test_pictures_once_written_serve_without_the_release(release):
    first = cuhk03(release)
    (release / "cuhk03/cuhk03_release/cuhk-03.mat").unlink()
    assert cuhk03(release) == first


def test_a_broken_release_leaves_no_half_folder(release):
    file = release / "cuhk03/cuhk03_release/cuhk-03.mat"
    with h5py.File(file, "r+") as opened:
        del opened["detected"]
    with pytest.raises(DataError, match=r"cuhk-03\.mat"):
        cuhk03(release)
    file.write_bytes(b"not HDF5")
    with pytest.raises(DataError, match=r"cuhk-03\.mat"):
        cuhk03(release)
    assert [p for p in (release / "cuhk03").iterdir() if p.suffix != ".mat"] == [file.parent]


def test_a_folder_that_lacks_pictures_is_told(release):
    cuhk03(release)
    first = sorted((release / "cuhk03/images_detected").iterdir())[0]
    first.unlink()
    with pytest.raises(DataError, match=rf"lacks 1 .*{first.name}"):
        cuhk03(release)


@pytest.mark.parametrize(
    ("options", "told"),
    [({"split_id": 1}, "split_id 0 alone"), ({"classic_split": True, "split_id": 20}, "0 to 19"),
     ({"classic_split": True, "split_id": -1}, "0 to 19")],
)  # fmt: skip
def test_a_split_that_does_not_exist_is_told(planted, options, told):
    with pytest.raises(DataError, match=told):
        cuhk03(planted, **options)


def test_missing_files_are_told_with_the_layout(tmp_path):
    with pytest.raises(DataError, match=r"cuhk03_release/cuhk-03\.mat"):
        cuhk03(tmp_path)


@pytest.mark.parametrize("module", ["h5py", "scipy.io"])
def test_a_missing_package_is_told_with_its_extra(release, monkeypatch, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(UserError, match=r"pip install \"reidcore\[mat\]\""):
        cuhk03(release)
