from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reidcore.data.tables.cache.store import open_arrays, write_arrays

ARRAYS = {
    "numbers": np.arange(-3, 7, dtype=np.int64),
    "none": np.empty((0, 3), dtype=np.float32),
    "words": np.array(["a", "long word", "ü"]),
    "grid": np.arange(12, dtype=np.uint8).reshape(3, 4)[:, ::2],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.table"
    write_arrays(path, {"colour": "green"}, ARRAYS)
    return path


def test_arrays_come_back_as_they_were(file: Path) -> None:
    found = open_arrays(file)
    assert found is not None
    meaning, arrays = found
    assert meaning == {"colour": "green"}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].tolist() == array.tolist()


def test_writing_to_the_arrays_leaves_the_file_alone(file: Path) -> None:
    before = file.read_bytes()
    found = open_arrays(file)
    assert found is not None
    found[1]["numbers"][0] = 99
    assert found[1]["numbers"][0] == 99
    assert file.read_bytes() == before


@pytest.mark.parametrize("place", [0, 9, 17, 40, -1])
def test_one_changed_byte_anywhere_is_noticed(file: Path, place: int) -> None:
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 1
    file.write_bytes(damaged)
    assert open_arrays(file) is None


@pytest.mark.parametrize("size", [0, 5, 20, 100, -1])
def test_half_a_file_is_noticed(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    assert open_arrays(file) is None


def test_a_missing_file_is_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_arrays(tmp_path / "none.table")


def test_a_file_without_arrays(tmp_path: Path) -> None:
    write_arrays(tmp_path / "empty.table", {}, {})
    assert open_arrays(tmp_path / "empty.table") == ({}, {})
