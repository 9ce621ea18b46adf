"""Pictures drawn anew replace what was drawn before, and nothing of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
from reid_plugins_inspect import reid_run_files
from reid_plugins_inspect.pictures.files import FileNames, holds_drawn_alone, replace_drawn


def drawn(folder: Path, names: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    replace_drawn(folder, names)
    for name in names:
        (folder / name).touch()


def test_only_what_was_drawn_before_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "visrank_shop"
    drawn(folder, ["1_a.jpg", "2_b.jpg"])
    (folder / "wedding.jpg").touch()
    drawn(folder, ["1_b.jpg", "2_b.jpg"])
    assert {path.name for path in folder.glob("*.jpg")} == {"1_b.jpg", "2_b.jpg", "wedding.jpg"}


def test_a_list_that_was_tampered_with_names_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "thesis.jpg").touch()
    folder = tmp_path / "visrank_shop"
    folder.mkdir()
    (folder / ".drawn").write_text('["../thesis.jpg", 7, ".."]')
    replace_drawn(folder, ["a.jpg"])
    assert (tmp_path / "thesis.jpg").exists()


def test_a_run_owns_folders_with_nothing_but_its_pictures(tmp_path: Path) -> None:
    drawn(tmp_path / "visrank_shop", ["a.jpg"])
    drawn(tmp_path / "visrank_mixed", ["a.jpg"])
    (tmp_path / "visrank_mixed" / "notes.txt").touch()
    drawn(tmp_path / "elsewhere", ["a.jpg"])
    (tmp_path / "visrank_link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "visrank_thesis").mkdir()
    assert reid_run_files(tmp_path) == ["visrank_shop"]
    assert not holds_drawn_alone(tmp_path / "visrank_thesis")


@pytest.mark.parametrize("name", ["a\x1b[5m.png", "a\n.png", "a\udce9.png"])
def test_no_name_of_a_picture_steers_a_terminal(name: str) -> None:
    shown = FileNames().of(f"shop/{name}")
    assert shown.isprintable()
    assert shown.isascii()
