"""``reidcore reproduce``: a record is run again, and told what of it is not as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from reid_plugins_runs import provenance
from reid_plugins_runs.provenance import read_provenance, surroundings, weights_of

from reidcore.errors import UserError
from reidcore.plugins import current_plugins


def change_json(path: Path, change: Callable[[Any], None]) -> None:
    read = json.loads(path.read_text())
    change(read)
    path.write_text(json.dumps(read))


@pytest.fixture
def run(tiny_model, tmp_path) -> Path:
    """A copy of a run's folder, without its data and checkpoints."""
    return shutil.copytree(
        tiny_model.folder, tmp_path / "run", ignore=shutil.ignore_patterns("*.tar*", "events*")
    )


class Child:
    """Takes the place of the run: leaves the recorded results, changed.

    Attributes:
        words: of its command line.
        change: changes the results that it leaves.
    """

    def __init__(self, recorded: Path) -> None:
        self.recorded = recorded
        self.words: list[str] = []
        self.change: Callable[[Any], None] = lambda results: None

    def __call__(self, words: list[str], stdout: int | None = None) -> int:
        self.words = words
        folder = Path(words[-1].removeprefix("data.save_dir="))
        for name in ("results.json", "provenance.json"):
            shutil.copy(self.recorded / name, folder / name)
        change_json(folder / "results.json", self.change)
        return 0


@pytest.fixture
def child(run, monkeypatch) -> Child:
    kept = shutil.copytree(run, run.parent / "kept")
    made = Child(kept)
    monkeypatch.setattr("reid_plugins_runs.child.run_reidcore", made)
    return made


def test_a_real_run_comes_out_the_same(tiny_model, here, tmp_path) -> None:
    """The run is in a process of its own, with the plugins of the command."""
    words = ("-p", tiny_model.plugin, "reproduce", tiny_model.folder / "results.json", "--json")
    done = here(*words, "-o", tmp_path / "again")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["agreement"] == "exact"
    assert found["losses_differ_from_epoch"] is None
    assert {"mAP", "mINP", "rank1"} <= found["targets"]["tiny"].keys()
    # The plugin came from this process there, and from a file here.
    assert {each["kind"] for each in found["changes"]} <= {"plugin", "code", "machine"}
    assert (tmp_path / "again" / "model.pth.tar-1").exists()


def test_what_differs_is_told_before_and_afterwards(here, run, child) -> None:
    def other_then(results: Any) -> None:
        results["versions"]["torch"] = "1.0"
        results["device"] = "cuda:1"
        results["config"]["train"]["lr"] = 0.25
        del results["config"]["test"]["ap"], results["config"]["settings"]["standard"]
        results["dataset"]["tiny"]["query"] = "0" * 64
        results["targets"]["tiny"]["mAP"] -= 0.01
        results["training"][0]["softmax"] += 1

    change_json(run / "results.json", other_then)
    change_json(run / "provenance.json", lambda kept: kept["code"].update(reidcore="0000"))
    done = here("reproduce", "run")
    assert done.code == 1
    before, after = done.err, done.out
    for told in (
        "version torch: 1.0 then",
        "device: cuda then, cpu now",
        "code reidcore: 0000 then",
    ):
        assert told in before
        assert told in after
    told = [line for line in after.splitlines() if line.startswith("  configuration ")]
    assert len(told) == 1, told  # not what an older version did not have
    assert "configuration train.lr: 0.25 then, " in told[0]
    assert "data tiny, query: 000000000000 then, " in after
    assert "data" not in before
    assert "The numbers do not agree" in after
    assert "The losses differ from epoch 1 on" in after
    row = next(line.split() for line in after.splitlines() if line.startswith("tiny"))
    assert row[1] == "mAP"
    assert float(row[3]) - float(row[2]) == pytest.approx(0.01)
    assert row[4] == "differs"


def test_where_all_is_as_it_was_that_is_told(here, run, child) -> None:
    change_json(run / "results.json", lambda results: results["plugins"].pop())  # TinyWorld
    change_json(run / "provenance.json", lambda kept: kept["machine"].update(processes="2"))
    done = here("reproduce", "run")
    assert done.code == 0
    assert done.err.splitlines() == [
        "1 thing not as recorded:",
        "  machine processes: 2 then, 1 now",
    ]
    change_json(run / "provenance.json", lambda kept: kept["machine"].update(processes="1"))
    again = here("reproduce", "run", "-o", "again")
    assert "Code, versions, plugins and device are as they were" in again.err
    assert "The numbers agree exactly\nThe losses of all epochs are the same\n" in again.out


def test_the_tolerance_is_for_figures(here, run, child) -> None:
    def a_little(results: Any) -> None:
        results["targets"]["tiny"]["rank1"] -= 0.0004

    child.change = a_little
    near = here("reproduce", "run", "--json")
    assert (near.code, json.loads(near.out)["agreement"]) == (0, "within tolerance")
    strict = here("reproduce", "run", "--tolerance", "0", "-o", "strict")
    assert strict.code == 1
    assert "The numbers do not agree" in strict.out
    assert "All that is recorded is as it was" in strict.out
    child.change = lambda results: results["targets"]["tiny"].pop("rank1")
    assert here("reproduce", "run", "-o", "lacking").code == 1


def test_the_run_is_that_of_the_record_in_another_folder(here, run, child, tmp_path) -> None:
    change_json(
        run / "results.json",
        lambda results: results["config"]["model"].update(resume="x.pth.tar-1"),
    )
    assert here("reproduce", "run", "--root", "data", "--device", "cpu").code == 0
    folder = tmp_path / "run-reproduced"
    assert child.words == [
        *("run", f"{folder}/reproduced_config.yaml", "--root", "data", "--device", "cpu"),
        *("model.resume=", "train.start_epoch=0", f"data.save_dir={folder}"),
    ]
    assert "name: tinynet" in (folder / "reproduced_config.yaml").read_text()
    assert f"'{folder}' holds a run" in here("reproduce", "run").err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r.update(config=None), "Its engine was built by hand"),
        (lambda r: r.update(config={"features": "f.npz", "test": {}}), "reidcore evaluate again"),
        (lambda r: r.update(targets={}), "nothing was tested"),
        (lambda r: r.update(targets={"tiny": {"mAP": None}}), "nothing was tested"),
        (lambda r: r.pop("format"), "is no record of a run"),
    ],
)
def test_records_that_cannot_be_run_again_are_told(here, run, child, change, told) -> None:
    change_json(run / "results.json", change)
    done = here("reproduce", "run/results.json")
    assert (done.code, told in done.err) == (2, True), done.err
    assert child.words == []


def test_a_missing_record_and_a_run_that_fails_are_told(here, run, monkeypatch) -> None:
    assert "there is no 'nowhere/results.json'" in here("reproduce", "nowhere/results.json").err
    monkeypatch.setattr("reid_plugins_runs.child.run_reidcore", lambda words, stdout=None: 2)
    done = here("reproduce", "run")
    assert (done.code, "the run ended with exit code 2" in done.err) == (2, True)


def test_an_older_run_has_no_code_to_compare(here, run, child) -> None:
    (run / "provenance.json").unlink()
    done = here("reproduce", "run")
    assert done.code == 0
    assert "the code is not compared" in done.err
    assert "code reidcore" not in done.out
    (run / "provenance.json").write_text('{"code": 5}')
    assert "no provenance.json of a run" in here("reproduce", "run", "-o", "other").err


def test_code_and_weights_are_told_apart_by_their_content(site, tmp_path) -> None:
    with current_plugins() as plugins:
        first = surroundings(plugins)
    assert first["code"]["reidcore"] != first["code"]["reid_plugins_runs"]
    assert surroundings(plugins) == first
    file = tmp_path / "w.pth"
    file.write_bytes(b"a")
    before = weights_of(str(file))
    file.write_bytes(b"b")
    assert weights_of(str(file)) != before
    assert weights_of("") == weights_of(str(tmp_path / "none")) == {}


def test_a_record_of_what_is_no_mapping_is_refused(tmp_path) -> None:
    (tmp_path / "p.json").write_text("[]")
    with pytest.raises(UserError, match="of a run"):
        read_provenance(tmp_path / "p.json")
    assert read_provenance(tmp_path / "none.json") == {}


def test_code_is_told_apart_by_what_its_files_hold(tmp_path) -> None:
    module = ModuleType("shop")
    module.__file__ = str(tmp_path / "__init__.py")
    for name in ("__init__.py", "part.py"):
        (tmp_path / name).write_text("a = 1\n")
    before = provenance._digest(module)
    (tmp_path / "notes.txt").write_text("not code")
    assert provenance._digest(module) == before
    (tmp_path / "part.py").write_text("a = 2\n")
    assert provenance._digest(module) != before
