"""``reidcore migrate config`` as users run it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def files(tmp_path) -> None:
    (tmp_path / "base.yml").write_text("MODEL: {HEADS: {WITH_BNNECK: True}}\nSOLVER: {STEP: 3}\n")
    (tmp_path / "own.yml").write_text("_BASE_: base.yml\nTEST: {METRIC: euclidean}\n")


def test_the_result_goes_to_a_pipe_and_what_is_told_beside_it(migrate) -> None:
    done = migrate("config", "own.yml")
    assert done.code == 0
    assert "neck: bnneck" in done.out
    assert "#   SOLVER.STEP = 3: no such key is known. Did you mean 'SOLVER.STEPS'" in done.out
    assert done.err.startswith("left out  SOLVER.STEP = 3")


def test_a_file_is_written_whole(migrate, tmp_path) -> None:
    done = migrate("config", "own.yml", "-o", "ours.yaml")
    assert done.out == ""
    assert "reidcore run ours.yaml" in done.err
    assert "dist_metric: euclidean" in (tmp_path / "ours.yaml").read_text()


def test_a_mistake_is_told_and_nothing_written(migrate, tmp_path) -> None:
    (tmp_path / "own.yml").write_text("_BASE_: ../out.yml\n_BASE_: ../../out.yml\n")
    done = migrate("config", "own.yml", "-o", "ours.yaml")
    assert done.code == 2
    assert "outside of" in done.err
    assert not (tmp_path / "ours.yaml").exists()
