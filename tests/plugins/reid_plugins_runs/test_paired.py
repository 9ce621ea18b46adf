"""``reidcore runs compare A B``: two groups on the same queries, and whether chance explains it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reid_plugins_runs.per_query import PerQuery, write_per_query

from reidcore.evaluation.bootstrap import paired_interval

PIDS = np.repeat(np.arange(40), 3)
Tested = Callable[..., Path]
CONDITIONS = {"protocol": "market1501", "ap": "plain", "data": "1f3a", "metric": "euclidean"}


@pytest.fixture
def base() -> np.ndarray[Any, Any]:
    """(120,) average precisions, alike within an identity."""
    rng = np.random.default_rng(5)
    return rng.uniform(0.2, 0.8, 40)[PIDS] + rng.uniform(-0.1, 0.1, 120)


@pytest.fixture
def tested(write_run) -> Tested:
    """Write a run with what its test found for each query."""

    def write(name: str, ap: Any, order: Any = None, folder: str = "/data", **changes: Any) -> Path:
        conditions = CONDITIONS | changes.pop("conditions", {})
        path: Path = write_run(name, float(np.mean(ap)), **changes)
        results = json.loads((path / "results.json").read_text())
        results["targets"]["shop"]["conditions"] = conditions
        (path / "results.json").write_text(json.dumps(results))
        order = np.arange(len(ap)) if order is None else order
        paths = np.array([f"{folder}/{pid}_{place}.jpg" for place, pid in enumerate(PIDS)])
        hits = (np.asarray(ap) > 0.5).astype(float)
        arrays = {"mAP": np.asarray(ap)[order], "rank1": hits[order], "score": hits[order] * 9}
        pids = PIDS[order]
        queries = PerQuery(
            pids, pids * 0, paths[order], arrays["mAP"], arrays["mAP"], pids * 0 + 1, arrays
        )
        write_per_query(path / "per_query.npz", {"shop": queries})
        return path

    return write


def test_a_better_run_is_said_to_be_better_by_so_much(here, tested, base) -> None:
    noise = np.random.default_rng(6).normal(0, 0.05, 120)
    tested("log/a", base, train__lr=0.1)
    tested("log/b", base + 0.03 + noise, train__lr=0.2)
    found = paired_interval(base, base + 0.03 + noise, PIDS)
    low, high = 100 * found.low, 100 * found.high
    sentence = (
        f"shop: log/b is better than log/a by {100 * found.difference:.1f} points mAP, 95 % "
        f"interval {low:.1f} to {high:.1f}"
    )
    assert low > 0
    assert sentence in here("runs", "compare", "log/a", "log/b").out
    # The order of the groups turns the difference, and not what is said.
    assert sentence in here("runs", "compare", "log/b", "log/a").out
    latex = here("runs", "compare", "log/a", "log/b", "--latex").out
    assert latex.rstrip().splitlines()[-1] == f"% {sentence}"
    record = json.loads(here("runs", "compare", "log/a", "log/b", "--json").out)
    (pair,) = record["paired"]
    assert pair["groups"] == ["log/a", "log/b"]
    assert pair["figures"]["mAP"] == {
        "difference": pytest.approx(found.difference),
        "low": pytest.approx(found.low),
        "high": pytest.approx(found.high),
    }
    assert {"rank1", "score"} <= pair["figures"].keys()


def test_tests_alone_are_compared_too_and_folders_without_either_are_told(
    here, tested, base, tmp_path
) -> None:
    for name, ap in (("t/a", base), ("t/b", base + 0.03)):
        folder = tested(name, ap, test__rerank=name == "t/b")
        for file in ("results.json", "per_query.npz"):
            (folder / file).rename(folder / f"test_{file}")
        (folder / "metrics.jsonl").unlink(missing_ok=True)
    (tmp_path / "empty").mkdir()
    done = here("runs", "compare", "t/a", "t/b", "empty")
    assert "shop: t/b is better than t/a by 3.0 points mAP" in done.out
    assert "no run in 'empty'" in done.err
    assert "Results (%)" in here("runs", "show", "t/a").out


def test_where_chance_explains_it_no_difference_is_shown(here, tested, base) -> None:
    noise = np.random.default_rng(7).normal(0, 0.1, 120)
    tested("log/a", base, train__lr=0.1)
    tested("log/b", base + noise - noise.mean(), train__lr=0.2)
    out = here("runs", "compare", "log").out
    assert "shop: no difference in mAP is shown: log/b less log/a is" in out
    assert "better" not in out


def test_queries_are_averaged_over_seeds_and_found_wherever_they_lie(here, tested, base) -> None:
    shuffled = np.random.default_rng(8).permutation(120)
    tested("log/a1", base, train__seed=1, train__lr=0.1)
    tested("log/a2", base + 0.02, shuffled, "/mnt/other", train__seed=2, train__lr=0.1)
    tested("log/b1", base + 0.05, shuffled, "/home/me", train__seed=1, train__lr=0.2)
    record = json.loads(here("runs", "compare", "log", "--json").out)
    (pair,) = record["paired"]
    assert pair["runs"] == [2, 1]
    assert pair["figures"]["mAP"]["difference"] == pytest.approx(0.04)
    assert pair["figures"]["mAP"]["low"] == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"conditions": {"ap": "trapezoid"}}, "'ap' differs: 'plain' in 'log/a', 'trapezoid'"),
        ({"conditions": {"data": "77"}}, "their data differ: '1f3a' in 'log/a', '77' in 'log/b'"),
        ({"conditions": {"draws": 10}}, "'draws' differs: None in 'log/a', 10"),
        ({"order": np.arange(100)}, "one has 120 queries, another 100"),
        ({"order": np.minimum(np.arange(120), 100)}, "not of the same queries: one has identity"),
    ],
)
def test_what_is_not_comparable_is_told(here, tested, base, changes, told) -> None:
    tested("log/a", base, train__lr=0.1)
    tested("log/b", base, train__lr=0.2, **changes)
    done = here("runs", "compare", "log/a", "log/b")
    assert done.code == 0
    assert "shop is not compared query by query: " in done.err
    assert told in done.err
    assert "points" not in done.out


def test_another_metric_is_what_is_compared(here, tested, base) -> None:
    tested("log/a", base, train__lr=0.1)
    tested("log/b", base, train__lr=0.2, conditions={"metric": "cosine", "rerank": {"k1": 20}})
    assert "no difference in mAP" in here("runs", "compare", "log").out


def test_runs_of_older_versions_are_compared_by_their_means_alone(here, write_run) -> None:
    write_run("log/a", train__lr=0.1)
    write_run("log/b", train__lr=0.2)
    done = here("runs", "compare", "log")
    assert done.code == 0
    assert "there is no 'log/a/per_query.npz'" in done.err
    assert "50.0" in done.out
