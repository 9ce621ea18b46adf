"""``per_query.npz``: what a run leaves for each query, and what reads it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reid_plugins_runs import reid_run_files
from reid_plugins_runs.per_query import PerQuery, read_per_query, write_per_query

from reidcore.errors import DataError
from reidcore.testing import tiny_run


def queries(count: int = 3, **arrays: Any) -> PerQuery:
    values = {
        "pids": np.arange(count),
        "camids": np.zeros(count, dtype=np.int64),
        "paths": np.array([f"query/{number}.jpg" for number in range(count)]),
        "ap": np.linspace(0, 1, count),
        "inp": np.linspace(0, 1, count),
        "first_rank": np.arange(1, count + 1),
        "contributions": {"mAP": np.linspace(0, 1, count)},
    }
    return PerQuery(**values | arrays)


def test_a_run_leaves_the_queries_of_its_last_test_whose_means_are_its_figures(tiny_model) -> None:
    run = tiny_model.folder
    figures = json.loads((run / "results.json").read_text())["targets"]["tiny"]
    (found,) = read_per_query(run / "per_query.npz").values()
    assert len(found) == figures["num_valid_queries"] + figures["num_skipped_queries"]
    assert {"mAP", "mINP", "rank1", "rank5"} <= set(found.contributions)
    for name, values in found.contributions.items():
        assert np.nanmean(values) == pytest.approx(figures[name], abs=1e-12)
    assert all(Path(path).is_file() for path in found.paths)
    assert np.array_equal(found.ap, found.contributions["mAP"], equal_nan=True)


def test_what_a_run_leaves_goes_aside_with_it(tiny_model) -> None:
    left = {"per_query.npz", "provenance.json"}
    assert left <= {path.name for path in tiny_model.folder.iterdir()}
    assert left <= {*reid_run_files()}


def test_a_test_alone_leaves_the_trainings_file_as_it_was(tiny_model, tmp_path) -> None:
    run = shutil.copytree(tiny_model.folder, tmp_path / "run")
    before = (run / "per_query.npz").read_bytes()
    weights = f"model.load_weights={run / 'model.pth.tar-1'}"
    tiny_run(
        save_dir=run,
        root=tiny_model.root,
        overrides=["test.evaluate=true", weights, "test.dist_metric=cosine"],
    )
    assert (run / "per_query.npz").read_bytes() == before
    assert read_per_query(run / "test_per_query.npz").keys() == {"tiny"}


def test_a_full_disk_costs_no_run(tmp_path, monkeypatch, caplog) -> None:
    (tmp_path / "per_query.npz").mkdir()
    assert tiny_run(save_dir=tmp_path).result["finished"]
    assert "per_query.npz is left out, and the run goes on" in caplog.text


def test_names_with_slashes_come_back(tmp_path) -> None:
    written = {
        "plugin/shop": queries(contributions={"TPR@1%/day": np.array([0.0, np.nan, 1.0])}),
        "shop": queries(2),
    }
    write_per_query(tmp_path / "q.npz", written)
    found = read_per_query(tmp_path / "q.npz")
    assert found.keys() == written.keys()
    kept = found["plugin/shop"].contributions["TPR@1%/day"]
    assert np.array_equal(kept, [0.0, np.nan, 1.0], equal_nan=True)
    assert found["shop"].paths.tolist() == ["query/0.jpg", "query/1.jpg"]


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"pid": np.arange(3)}, "an array 'pid' of no target"),
        ({"a/pids": np.arange(3)}, "has no array 'pid'. Did you mean 'pids'?"),
        ({"a/pid": np.array(["1"] * 3)}, "'pid' of target 'a' is <U1"),
        ({"a/rank1": np.zeros(2)}, r"'rank1' of target 'a' has the shape \(2,\), 'pid' \(3,\)"),
        ({"a/rank1": np.array([None] * 3)}, "allow_pickle"),
    ],
)
def test_files_that_are_no_runs_are_refused(tmp_path, arrays, told) -> None:
    path = tmp_path / "q.npz"
    write_per_query(path, {"a": queries()})
    with np.load(path) as archive:
        own = dict(archive) if any("/" in name for name in arrays) else {}
    if "a/pids" in arrays:
        del own["a/pid"]
    np.savez(path, **{**own, **arrays})
    with pytest.raises(DataError, match=told):
        read_per_query(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "test again"), (b"", "is no per_query.npz"), (b"PK\3\4 a broken zip", "is no per")],
)
def test_missing_and_damaged_files_are_told(tmp_path, content, told) -> None:
    path = tmp_path / "q.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_per_query(path)
