"""``reidcore migrate imports`` as users run it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def script(tmp_path) -> Path:
    path = tmp_path / "train.py"
    path.write_text("import torchreid\ntorchreid.models.show_avai_models()\n")
    return path


def test_a_patch_is_shown_and_nothing_written(migrate, script) -> None:
    before = script.read_text()
    done = migrate("imports", "train.py")
    assert done.code == 0
    assert "-import torchreid\n" in done.out
    assert "+import reidcore\n" in done.out
    assert "1 file of 1 to rewrite; --write does it" in done.err
    assert script.read_text() == before


def test_write_rewrites_and_check_is_then_content(migrate, script) -> None:
    assert migrate("imports", "--check", ".").code == 1
    assert migrate("imports", "--write", ".").out == "train.py: rewritten\n"
    assert "torchreid" not in script.read_text()
    again = migrate("imports", "--check", ".")
    assert (again.code, again.out) == (0, "")


def test_what_is_left_is_told_with_its_line(migrate, script) -> None:
    script.write_text("\nfrom torchreid.models.osnet import OSBlock\n")
    done = migrate("imports", "--write", "train.py")
    assert done.code == 1
    assert "train.py:2: torchreid.models.osnet.OSBlock\n    Layers and classes" in done.err
    assert "0 files of 1 rewritten, 1 place left to you" in done.err


def test_other_files_are_rewritten_beside_one_that_is_no_python(migrate, script, tmp_path) -> None:
    (tmp_path / "old.py").write_text("print 'torchreid'\n")
    done = migrate("imports", "--write", ".")
    assert done.code == 2
    assert "import reidcore" in script.read_text()
    assert "1 file is no Python 3, and left as it is: 'old.py': line 1" in done.err


def test_a_path_that_is_not_there_is_told(migrate) -> None:
    done = migrate("imports", "nowhere.py")
    assert done.code == 2
    assert "there is no 'nowhere.py'" in done.err
