"""The newest whole checkpoint of a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from reidcore.engine.latest import checkpoint_to_resume, newest_checkpoint
from reidcore.errors import CheckpointError
from reidcore.utils import save_checkpoint


def saved(folder: Path, name: str, epoch: int, seconds: int, *models: str) -> Path:
    state = {"state_dict": {"a": torch.ones(1)}, "epoch": epoch, "reidcore": {"models": [*models]}}
    path = save_checkpoint(state, folder, name=name)
    os.utime(path, (seconds, seconds))
    return path


def test_it_is_the_one_that_was_written_last(tmp_path: Path) -> None:
    saved(tmp_path, "model", 60, 1)  # of an older run
    saved(tmp_path, "model", 2, 2)
    newest = saved(tmp_path, "model-interrupted", 2, 3)
    assert newest_checkpoint(tmp_path) == newest
    again = saved(tmp_path, "model", 3, 3)
    assert newest_checkpoint(tmp_path) == again


def test_files_of_other_names_are_none(tmp_path: Path) -> None:
    saved(tmp_path, "model", 1, 1).rename(tmp_path / "model-best.pth.tar")
    saved(tmp_path, ".model", 2, 2)
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / "nowhere") is None


def test_of_several_models_all_must_be_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = saved(tmp_path, "model", 1, 1, "model", "teacher")
    saved(tmp_path, "teacher", 1, 0, "model", "teacher")
    saved(tmp_path, "model", 2, 2, "model", "teacher")  # the run was killed between the two
    assert newest_checkpoint(tmp_path) == whole
    assert "teacher.pth.tar-2, written with it, is missing" in caplog.text


def test_a_damaged_one_is_told_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = saved(tmp_path, "model", 1, 1)
    half = saved(tmp_path, "model", 2, 2)
    half.write_bytes(half.read_bytes()[:100])
    torch.save({"a": torch.ones(1)}, tmp_path / "weights.pth.tar-3")
    assert newest_checkpoint(tmp_path) == whole
    assert "model.pth.tar-2' is damaged" in caplog.text
    assert "weights.pth.tar-3: it holds no training state" in caplog.text


def test_a_file_is_itself_a_folder_its_newest_and_auto_the_runs(tmp_path: Path) -> None:
    path = saved(tmp_path / "log", "model", 1, 1)
    assert checkpoint_to_resume("some.pth", tmp_path) == Path("some.pth")
    assert checkpoint_to_resume(path.parent, tmp_path) == path
    assert checkpoint_to_resume("auto", path.parent) == path
    assert checkpoint_to_resume("auto", tmp_path) is None
    with pytest.raises(CheckpointError, match="no complete checkpoint in"):
        checkpoint_to_resume(tmp_path, path.parent)
