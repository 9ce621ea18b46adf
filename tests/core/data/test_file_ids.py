"""Which paths lead to one file on disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from reidcore.data.table import PathColumn


@pytest.fixture
def names(tmp_path: Path) -> dict[str, str]:
    """One file under several names, a copy of it, and a name of no file."""
    original = tmp_path / "a.jpg"
    original.write_bytes(b"the same bytes")
    (tmp_path / "hard.jpg").hardlink_to(original)
    (tmp_path / "soft.jpg").symlink_to(original)
    (tmp_path / "folder").symlink_to(tmp_path, target_is_directory=True)
    shutil.copyfile(original, tmp_path / "copy.jpg")
    below = ("a.jpg", "hard.jpg", "soft.jpg", "folder/a.jpg", "copy.jpg", "gone.jpg")
    return {name: str(tmp_path / name) for name in below}


def test_links_are_what_they_lead_to_and_copies_are_not(names) -> None:
    first, *others = PathColumn.of(list(names.values())).file_ids.tolist()
    assert others[:3] == [first] * 3
    assert len({first, *others}) == 3


def test_what_is_not_there_is_known_by_its_resolved_path(names, tmp_path: Path) -> None:
    gone = [names["gone.jpg"], str(tmp_path / "folder" / "gone.jpg"), "key/of/a/store"]
    one, other, *further = PathColumn.of(gone).file_ids.tolist()
    assert one == other
    assert further[0] not in (one, other)


def test_numbers_compare_across_columns(names) -> None:
    left, right = (PathColumn.of([names[name]]) for name in ("a.jpg", "hard.jpg"))
    assert left.file_ids.tolist() == right.file_ids.tolist()


def test_tracklets_are_the_same_if_all_their_frames_are(names) -> None:
    a, hard, copy = (names[name] for name in ("a.jpg", "hard.jpg", "copy.jpg"))
    column = PathColumn.of([(a, copy), (hard, copy), (copy, a), (a,), a, (a, copy, a)])
    ids = column.file_ids.tolist()
    assert ids[0] == ids[1]
    assert ids[3] == ids[4]
    assert len(set(ids)) == 4
    assert column.take(np.array([5, 0])).file_ids.tolist() == [ids[5], ids[0]]


def test_a_file_is_looked_up_once(names, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = os.stat
    column = PathColumn.of([names["a.jpg"], names["copy.jpg"]])
    monkeypatch.setattr(os, "stat", lambda path: asked.append(path) or real(path))
    assert column.file_ids is column.file_ids
    assert sorted(asked) == sorted([names["a.jpg"], names["copy.jpg"]])
