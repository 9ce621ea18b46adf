from __future__ import annotations

import hashlib
import os
import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reidcore.data.sample import SamplePath
from reidcore.data.table import PathColumn, SampleTable
from reidcore.errors import DataError

NAMES = st.lists(st.integers(1, 255), min_size=1, max_size=12).map(bytes).map(os.fsdecode)
FILES = st.lists(st.sampled_from(["", "/", "a/", "/data/ü/", "\udcff/x/"]), max_size=2).flatmap(
    lambda folders: NAMES.map(lambda name: "".join(folders) + name)
)
PATHS = st.lists(st.one_of(FILES, st.lists(FILES, min_size=1, max_size=4).map(tuple)), max_size=20)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows need several pieces, as a million do."""
    monkeypatch.setattr("reidcore.data.table._CHUNK", 3)


@given(PATHS)
@example(["/data/ü/\udcff.jpg", "/data/\u00fc/b", ("/data/x", "/data/y")])
def test_every_path_is_kept_as_it_is(paths: list[SamplePath]) -> None:
    column = PathColumn.of(paths)
    assert list(column) == [column[row] for row in range(len(paths))] == paths
    flat = [name for path in paths for name in ((path,) if isinstance(path, str) else path)]
    assert list(column.files()) == flat
    assert column.has_tracklets == any(isinstance(path, tuple) for path in paths)
    assert column.num_files == len(flat) == column.sizes().sum()


@given(PATHS, st.data())
def test_rows_are_chosen_and_sent_to_another_process(
    paths: list[SamplePath], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.sampled_from(range(len(paths))), max_size=9)) if paths else []
    chosen = PathColumn.of(paths).take(np.array(rows, dtype=np.int64))
    expected = [paths[row] for row in rows]
    assert list(chosen) == expected
    assert list(chosen.files()) == list(PathColumn.of(expected).files())
    assert list(pickle.loads(pickle.dumps(chosen))) == expected
    assert list(PathColumn.of(paths)[1:-1]) == paths[1:-1]


@given(st.lists(PATHS, min_size=1, max_size=4))
def test_columns_are_joined_whatever_their_folders(parts: list[list[SamplePath]]) -> None:
    joined = PathColumn.joined([PathColumn.of(part) for part in parts])
    assert list(joined) == [path for part in parts for path in part]


@given(PATHS, st.data())
def test_only_the_first_of_a_path_stays(paths: list[SamplePath], data: st.DataObject) -> None:
    again = paths + (data.draw(st.lists(st.sampled_from(paths), max_size=4)) if paths else [])
    table = SampleTable.of([(path, 0, 0) for path in again])
    assert list(table.distinct().paths) == list(dict.fromkeys(again))


@given(PATHS, st.sampled_from(["/data/reid/", "/d\udcc3/", "here/", ""]))
def test_the_fingerprint_is_of_the_paths_below_the_common_folder(
    paths: list[SamplePath], folder: str
) -> None:
    moved = [
        folder + path if isinstance(path, str) else tuple(folder + frame for frame in path)
        for path in paths
    ]
    table = SampleTable.of([(path, 1, 2) for path in moved])
    assert table.fingerprint() == plain_fingerprint(moved)


def plain_fingerprint(paths: list[SamplePath]) -> str:
    """What a table of these paths, of identity 1 and camera 2, has to give, row by row."""
    frames = [(path,) if isinstance(path, str) else path for path in paths]
    shared = os.path.commonprefix([name for names in frames for name in names])  # noqa: RUF071
    above = shared[: shared.rfind("/") + 1]
    digest = hashlib.sha256()
    for names in frames:
        line = "\0".join(name.removeprefix(above) for name in names)
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    digest.update(np.full(len(paths), 1, "<i8").tobytes() + np.full(len(paths), 2, "<i8").tobytes())
    return digest.hexdigest()


def test_a_known_fingerprint_stays() -> None:
    """Records of runs hold fingerprints: they must not change with how tables are stored."""
    table = SampleTable.of([("/d/a/1.jpg", 5, 0), ("/d/b/2.jpg", 7, 1)])
    assert table.fingerprint().startswith("0b6dcca99cf48e98")


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(DataError, match="no file name"):
        PathColumn.of(["/d/a.jpg", "/d/\ud800.jpg"])
    with pytest.raises(DataError, match=r"'b\\x00' is no file name: it holds a zero byte"):
        PathColumn.of(["/d/a.jpg", "/d/b\0"])


@pytest.mark.parametrize("folder", ["/d", "/d/"])
def test_a_table_of_names_below_a_folder(folder: str) -> None:
    labels = np.array([3, 4])
    table = SampleTable.below(folder, ["x/a.jpg", "x/b.jpg"], labels, labels - 3)
    assert [tuple(sample) for sample in table] == [("/d/x/a.jpg", 3, 0, 0), ("/d/x/b.jpg", 4, 1, 0)]
    assert list(SampleTable.below("", ["/d/a.jpg", "b.jpg"], labels, labels).paths) == [
        "/d/a.jpg",
        "b.jpg",
    ]


def test_a_pickled_row_is_small() -> None:
    column = PathColumn.of([f"/d/{number:06d}.jpg" for number in range(2000)])
    assert len(pickle.dumps(column)) > 20_000
    assert len(pickle.dumps(column.take(np.array([5])))) < 2_000
