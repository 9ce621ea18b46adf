"""What is particular about CUHK03: its pictures are written out of one file."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from reid_plugins_datasets.people.cuhk03 import cuhk03
from reidcore.data import ImageDataset
from reidcore.errors import DataError

h5py = pytest.importorskip("h5py")
pytest.importorskip("scipy")

RELEASE = "cuhk03/cuhk03_release/cuhk-03.mat"


@pytest.fixture
def root(plant):
    """A data root as it is after downloading."""
    return plant("cuhk03").root


def described(path):
    """Return size, mode and a hash of the pixels, as they are recorded."""
    with Image.open(path) as image:
        width, height = image.size
        digest = hashlib.sha256(np.asarray(image).tobytes()).hexdigest()
        return f"{width}x{height} {image.mode} {digest}"


def test_pictures_are_written_to_the_pixel_and_only_of_the_kind_asked_for(root, recorded):
    cuhk03(root, labeled_images=True)
    written = {
        path.relative_to(root).as_posix(): described(path)
        for path in (root / "cuhk03/images_labeled").iterdir()
    }
    named = recorded("cuhk03")["extracted"]
    assert written == {path: told for path, told in named.items() if "labeled" in path}
    assert not (root / "cuhk03/images_detected").exists()


def test_a_moved_root_is_read_where_it_is_now(root):
    cuhk03(root)
    moved = root / "moved"
    moved.mkdir()
    (root / "cuhk03").rename(moved / "cuhk03")
    dataset = ImageDataset(*cuhk03(moved), verbose=False)
    assert dataset[0]["img"].mode == "RGB"


def test_pictures_once_written_serve_without_the_release(root):
    first = cuhk03(root)
    (root / RELEASE).unlink()
    assert cuhk03(root) == first


def test_a_broken_release_leaves_no_half_folder(root):
    file = root / RELEASE
    with h5py.File(file, "r+") as opened:
        del opened["detected"]
    with pytest.raises(DataError, match=r"cuhk-03\.mat"):
        cuhk03(root)
    file.write_bytes(b"not HDF5")
    with pytest.raises(DataError, match=r"cuhk-03\.mat"):
        cuhk03(root)
    assert [p for p in (root / "cuhk03").iterdir() if p.suffix != ".mat"] == [file.parent]


def test_a_folder_that_lacks_pictures_is_told(root):
    cuhk03(root)
    first = sorted((root / "cuhk03/images_detected").iterdir())[0]
    first.unlink()
    with pytest.raises(DataError, match=rf"lacks 1 .*{first.name}"):
        cuhk03(root)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"classic_split": True, "split_id": 20}, "0 to 19"),
        ({"classic_split": True, "split_id": -1}, "0 to 19"),
    ],
)
def test_a_split_that_does_not_exist_is_told(root, options, told):
    with pytest.raises(DataError, match=told):
        cuhk03(root, **options)


def test_the_new_protocol_has_one_split_and_says_so(root, caplog):
    # Beside datasets that have several, data.split_id is for those.
    first, other = cuhk03(root), cuhk03(root, split_id=3)
    assert [list(split) for split in first] == [list(split) for split in other]
    assert "split_id=3 has no effect" in caplog.text
