"""``reidcore runs matrix``: what is in which cell, what is tested, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def write_test(
    folder: Path, config: dict[str, Any], conditions: Any = None, **values: float
) -> None:
    """Write what a test leaves: the mAP of each target."""
    targets = {
        name: {
            "mAP": value,
            "rank1": value,
            "figures": {"EER": value / 2},
            "intervals": {
                "mAP": [value - 0.05, value + 0.05],
                "EER": [value / 4, value],
            },
            "conditions": conditions or {},
        }
        for name, value in values.items()
    }
    record = {"format": 1, "finished": True, "targets": targets, "training": [], "timings": {}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test_results.json").write_text(json.dumps(record | {"config": config}))


def sources(*names: str) -> dict[str, Any]:
    return {"data": {"sources": [*names]}}


class Children:
    """Takes the place of the tests' processes.

    Attributes:
        words: those of each.
        codes: exit code by checkpoint.
    """

    def __init__(self) -> None:
        self.words: list[list[str]] = []
        self.codes: dict[str, int] = {}

    def __call__(self, words: list[str], stdout: int | None = None) -> int:
        self.words.append(words)
        words = words[words.index("test") :]
        code = self.codes.get(words[1], 0)
        if not code:
            folder = Path(words[-1].removeprefix("data.save_dir="))
            config = sources("market1501") | {
                "model": {"load_weights": words[1]},
                "test": {"evaluate": True},
            }
            write_test(folder, config, market1501=0.8, msmt17=0.3)
        return code


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    made = Children()
    monkeypatch.setattr("reid_plugins_runs.commands.matrix.run_reidcore", made)
    return made


def test_what_is_there_is_tabulated_and_own_sets_are_bold(here, write_run, tmp_path) -> None:
    folder = write_run("log/a", 0.8, targets=("market1501",), data__sources=["market1501"])
    (folder / "model.pth.tar-3").write_bytes(b"")
    config = {"model": {"load_weights": "log/a/model.pth.tar-3"}, "test": {"evaluate": True}}
    write_test(folder, config, market1501=0.7, msmt17=0.25)
    write_test(tmp_path / "log" / "b", sources("msmt17", "cuhk03"), market1501=0.5, msmt17=0.6)
    lines = here("runs", "matrix", "log", "--figure", "mAP").out.splitlines()
    assert lines[0] == "mAP (%) [95 % interval]"
    assert lines[1].split()[-2:] == ["market1501", "msmt17"]
    assert lines[2].split() == ["market1501", "80.0", "25.0", "[20.0,", "30.0]"]
    assert lines[3].split()[:3] == ["msmt17", "+", "cuhk03"]
    markdown = here("runs", "matrix", "log", "--markdown", "--figure", "mAP").out
    assert r"| msmt17 + cuhk03 | 50.0 \[45.0, 55.0\] | **60.0 \[55.0, 65.0\]** |" in markdown
    latex = here("runs", "matrix", "log", "--latex", "--figure", "mAP").out
    assert r"market1501 & \textbf{80.0} & 25.0 [20.0, 30.0] \\" in latex


def test_seeds_are_one_row_and_json_has_every_figure(here, write_run) -> None:
    for seed, value in ((1, 0.4), (2, 0.6)):
        write_run(f"log/{seed}", value, train__seed=seed, data__sources=["shop"])
    assert "50.0 ± 14.1" in here("runs", "matrix", "log").out
    record = json.loads(here("runs", "matrix", "log", "--json").out)
    assert record["averaged_over"] == ["train.seed"]
    (row,) = record["rows"]
    assert row["sources"] == ["shop"]
    assert row["targets"]["shop"]["is_own"]
    assert row["targets"]["shop"]["figures"]["mAP"]["n"] == 2
    assert row["targets"]["shop"]["figures"]["mAP"]["interval"] is None


def test_the_mean_is_over_what_a_model_has_not_seen(here, tmp_path) -> None:
    config = sources("market1501")
    write_test(tmp_path / "log" / "a", config, market1501=0.9, msmt17=0.2, cuhk03=0.5)
    write_test(tmp_path / "log" / "b", sources("msmt17"), market1501=0.5, msmt17=0.6)
    out = here("runs", "matrix", "log", "--figure", "mAP").out.splitlines()
    assert out[1].split()[-1] == "others"
    assert [line.split()[-1] for line in out[2:]] == ["35.0", "-"]  # b was not tested on cuhk03
    own = here("runs", "matrix", "log/b", "--figure", "EER").out.splitlines()
    assert own[1].split() == ["trained", "on", "market1501", "msmt17"]  # one unseen is no mean


def test_a_protocols_own_figures_are_no_percentages(here, tmp_path) -> None:
    write_test(tmp_path / "log" / "a", sources("msmt17"), veri=0.5)
    assert here("runs", "matrix", "log", "--figure", "EER").out.splitlines()[-1].split() == [
        "msmt17",
        "0.25",
        "[0.125,",
        "0.5]",
    ]


def test_each_model_is_tested_on_all_targets(here, write_run, children, tmp_path) -> None:
    folder = write_run("log/a", epochs=3, data__sources=["market1501"])
    for name in ("model.pth.tar-2", "model.pth.tar-3", "model-best.pth.tar"):
        (folder / name).write_bytes(b"")
    (tmp_path / "other.pth").write_bytes(b"")
    words = (
        "log/a",
        "other.pth",
        "-t",
        "market1501",
        "msmt17",
        "--root",
        "data",
        "test.rerank=true",
    )
    done = here("runs", "matrix", *words, "--figure", "mAP", "-o", "tests")
    assert done.code == 0, done.err
    options = ["--root", "data", "-t", "market1501", "msmt17", "test.rerank=true"]
    assert children.words == [
        ["test", "log/a/model.pth.tar-3", *options, "data.save_dir=tests/log,a,model.pth.tar-3"],
        ["test", "other.pth", *options, "data.save_dir=tests/other.pth"],
    ]
    assert "30.0 [25.0, 35.0]" in done.out
    # What the tests left is tabulated again without them.
    assert "30.0 [25.0, 35.0]" in here("runs", "matrix", "tests").out


def test_the_best_checkpoint_is_tested_where_the_figures_are_its(here, write_run, children) -> None:
    folder = write_run("log/a", epochs=3)
    (folder / "model-best.pth.tar").write_bytes(b"")
    missing = here("runs", "matrix", "log/a", "-t", "msmt17")
    assert (missing.code, "no checkpoint any more" in missing.err) == (2, True)
    results = json.loads((folder / "results.json").read_text())
    results["selection"] = {"epoch": 2, "tested_epoch": 2}
    (folder / "results.json").write_text(json.dumps(results))
    assert here("runs", "matrix", "log/a", "-t", "msmt17").code == 0
    assert children.words[0][1] == "log/a/model-best.pth.tar"


def test_tests_of_a_runs_checkpoint_are_in_its_row(here, write_run, children) -> None:
    folder = write_run("log/a", 0.8, targets=("market1501",), data__sources=["market1501"])
    for name in ("model.pth.tar-2", "model.pth.tar-3"):
        (folder / name).write_bytes(b"")
    for name in ("log/a", "log/a/model.pth.tar-2"):
        assert here("runs", "matrix", name, "-t", "msmt17").code == 0
    rows = json.loads(here("runs", "matrix", "log", "--json").out)["rows"]
    other = "log/matrix/log,a,model.pth.tar-2/test_results.json"
    assert [row["runs"] for row in rows] == [["log/a"], [other]]
    cells = rows[0]["targets"]
    assert [cells[name]["figures"]["mAP"]["mean"] for name in ("market1501", "msmt17")] == [
        0.8,
        0.3,
    ]
    children.words.clear()
    assert here("runs", "matrix", "log", "log/a", "-t", "msmt17").code == 0
    assert [words[1] for words in children.words] == [
        f"log/a/model.pth.tar-{epoch}" for epoch in (3, 2)
    ]


def test_a_test_that_fails_costs_no_other(here, children, tmp_path) -> None:
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).write_bytes(b"")
    children.codes = {"a.pth": 2}
    done = here("runs", "matrix", "a.pth", "b.pth", "-t", "msmt17")
    assert done.code == 2
    assert "1 of 2 tests failed: a.pth (exit code 2)" in done.err
    assert "30.0" in done.out


def test_tests_that_all_fail_are_told_alone(here, children, tmp_path) -> None:
    (tmp_path / "a.pth").write_bytes(b"")
    children.codes = {"a.pth": 2}
    done = here("runs", "matrix", "a.pth", "-t", "msmt17")
    assert (done.code, done.out) == (2, "")
    assert "1 of 1 test failed: a.pth" in done.err
    assert "Name what to test on" not in done.err


def test_figures_of_an_older_version_do_not_tell_how_they_were_measured(here, tmp_path) -> None:
    for name, conditions in (("a", {"ap": "plain"}), ("b", {})):
        write_test(tmp_path / "log" / name, sources(name), conditions, veri=0.5)
    done = here("runs", "matrix", "log")
    assert done.code == 0
    assert "cannot be set side by side: 'log/b/test_results.json' does not tell" in done.err


def test_figures_that_were_not_measured_alike_are_told(here, tmp_path) -> None:
    for name, kind in (("a", "plain"), ("b", "trapezoid")):
        write_test(tmp_path / "log" / name, sources(name), {"ap": kind, "metric": name}, veri=0.5)
    done = here("runs", "matrix", "log")
    assert done.code == 0
    assert "the figures on veri cannot be set side by side: 'ap' differs: 'plain'" in done.err


def test_other_splits_are_other_data_and_are_averaged_over(here, tmp_path) -> None:
    def tested(name: str, source: str, split: int, data: str) -> None:
        config = {"data": {"sources": [source], "split_id": split}}
        write_test(
            tmp_path / "log" / name, config, {"ap": "plain", "data": data}, veri=0.4 + 0.1 * split
        )

    for split in range(2):
        tested(f"a{split}", "a", split, f"of {split}")
    done = here("runs", "matrix", "log")
    assert "45.0 ± 7.1" in done.out
    assert "45.0 ± 7.1 [" not in done.out  # the interval of one run is not that of the mean
    assert "cannot be set side by side" not in done.err
    tested("b0", "b", 0, "of 0")
    assert "cannot be set side by side" not in here("runs", "matrix", "log").err
    tested("b1", "b", 1, "other")
    told = here("runs", "matrix", "log").err
    assert "the figures on veri cannot be set side by side: their data differ: 'of 1'" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere"], "'nowhere' is not there"),
        (["empty"], "no run and no test in 'empty'"),
        (["log", "test.rerank=true"], "Name targets: -t NAME"),
        (["test.rerank=true", "-t", "a"], "no model is given"),
        (["log", "--figure", "map"], "Did you mean 'mAP'"),
        (["log", "-t"], "requires an argument"),
        (["untested"], "no model here was tested"),
    ],
)
def test_bad_input_is_told(here, write_run, tmp_path, words, told) -> None:
    (tmp_path / "empty").mkdir()
    write_run("untested", None)
    write_run("log/a")
    done = here("runs", "matrix", *words)
    assert done.code == 2
    assert told in done.err


def test_a_real_model_is_tested_with_the_plugins_of_the_command(
    tiny_model, here, monkeypatch
) -> None:
    def in_this_process(words: list[str], stdout: int | None = None) -> int:
        return int(here(*words).code)

    monkeypatch.setattr("reid_plugins_runs.commands.matrix.run_reidcore", in_this_process)
    options = ("-o", "tests", "--root", tiny_model.root, "test.dist_metric=cosine", "--json")
    words = ("-p", tiny_model.plugin, "runs", "matrix", tiny_model.folder, "-t", "tiny")
    done = here(*words, *options)
    assert done.code == 0, done.err
    (row,) = json.loads(done.out)["rows"]
    cell = row["targets"]["tiny"]
    assert cell["is_own"]
    low, high = cell["figures"]["mAP"]["interval"]
    assert low <= cell["figures"]["mAP"]["mean"] <= high
