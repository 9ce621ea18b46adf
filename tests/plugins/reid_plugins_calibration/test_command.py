"""``reidcore calibrate``, as a user has it."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from reid_plugins_calibration import read_calibration

from reidcore.testing import tiny_run
from reidcore.utils import load_checkpoint
from tests.program import Program


@pytest.fixture
def here(here: Program) -> Program:
    """Run ``reidcore calibrate`` in an empty folder."""
    return partial(here, "calibrate")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A checkpoint of a model that has hardly learnt, and 11 people whom it has not seen."""
    folder = tmp_path_factory.mktemp("run")
    people = {"train_ids": 6, "test_ids": 11, "cameras": 2, "images_per_camera": 2}
    words = [f"synthetic.{key}={value}" for key, value in people.items()]
    tiny_run(
        save_dir=folder,
        root=folder / "data",
        dataset="synthetic",
        model="osnet_x0_25",
        overrides=words,
    )
    return folder / "model.pth.tar-1"


def copied(path: Path, folder: Path) -> Path:
    copy = folder / "copy.pth"
    copy.write_bytes(path.read_bytes())
    return copy


def test_a_checkpoint_tells_its_data_and_keeps_the_calibration(here, trained, tmp_path) -> None:
    checkpoint = copied(trained, tmp_path)
    ended = here(checkpoint, "--fmr", "0.1", "--fmr", "0.01", "--plot", "made.png")
    assert ended.code == 0, ended.err
    assert "the test images of synthetic, compared across cameras" in ended.out
    assert "11 identities" in ended.out
    assert "refused: FMR 0.01 needs 300 pairs of identities" in ended.out
    assert "below 50 identities" in ended.out
    assert "Calibration written to" in ended.err
    found = read_calibration(checkpoint)
    assert [each.fmr for each in found.thresholds] == [0.1]
    assert found.record["pairs"]["images"] >= 11 * 4
    assert (tmp_path / "made.png").stat().st_size > 1000


def test_another_part_of_the_data_with_options_of_its_own(here, trained, tmp_path) -> None:
    ended = here(
        *(trained, "--data", "synthetic", "--split", "train", "train_ids=12", "--root", "drawn"),
        *("--fmr", "0.1", "--within-cameras", "--pooled-only", "-o", "made.json", "--json"),
    )
    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert "were perhaps learnt from" in ended.err
    assert record["pairs"]["identities"] == 12
    assert not record["pairs"]["across_cameras"]
    assert json.loads((tmp_path / "made.json").read_text()) == record
    assert read_calibration(tmp_path / "made.json", model=trained)
    assert "calibration" not in load_checkpoint(trained)["reidcore"]["hooks"]


def test_features_need_no_checkpoint(here, features_file, tmp_path) -> None:
    ended = here("--features", features_file, "-o", "made.json")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[1].split()[:4] == ["FMR", "similarity", "from", "to"]
    assert read_calibration(tmp_path / "made.json").threshold(1e-3).nonmatches


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "neither a checkpoint nor features"),
        (["--features", "f.npz"], "-o FILE.json"),
        (["--features", "f.npz", "--data", "csv", "-o", "a.json"], "in place of a dataset"),
        (["--features", "f.npz", "--root", "here", "-o", "a.json"], "in place of a dataset"),
        (["none.pth"], "no checkpoint at"),
        (["--features", "f.npz", "-o", "a.json", "--plot", "a.jpg"], "does not end in .png"),
        (["--features", "f.npz", "-o", "a.json"], "there is no file"),
        (["--features", "f.npz", "-o", "a.json", "--fmr", "1.5"], "1.5"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(here, words, told) -> None:
    ended = here(*words)
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.err


def test_features_of_another_model_are_refused(here, trained, features_file, tmp_path) -> None:
    ended = here(trained, "--features", features_file, "-o", "made.json")
    assert ended.code == 2
    assert "have 12 dimensions, those of the checkpoint 512" in ended.err
    assert not (tmp_path / "made.json").exists()


def test_a_dataset_option_of_no_kind_is_refused(here, trained) -> None:
    assert "is no OPTION=VALUE" in here(trained, "many").err
    assert "has no section 'market1501'" in here(trained, "market1501.x=1").err
    assert "no_such" in here(trained, "--data", "no_such").err


def test_weights_of_others_go_to_a_file_beside(here, tmp_path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "others.pth")
    assert "-o FILE.json" in here("others.pth", "--data", "synthetic").err


def test_without_scipy_the_extra_is_named(here, features_file, monkeypatch) -> None:
    from reid_plugins_calibration import fit

    monkeypatch.setattr(fit, "find_spec", lambda name: None)
    assert "reidcore[calibration]" in here("--features", features_file, "-o", "a.json").err


def test_help_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; import reid_plugins_calibration, reid_plugins_calibration.command; "
        "print({'torch', 'numpy', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
