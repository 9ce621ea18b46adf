"""``reidcore evaluate``: features from elsewhere have the figures that a run would give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reid_plugins_runs.per_query import read_per_query

from reidcore.evaluation import Labels, RerankedDistances, evaluate, evaluate_features

CLOTHES = """
from reidcore import hookimpl
from reidcore.evaluation import Market1501


class Clothes(Market1501):
    needs = ("clothes",)

    def __init__(self, shift: int = 0):
        self.shift = shift

    def conditions(self):
        return super().conditions() | {"shift": self.shift}


@hookimpl
def reid_register_protocols(registry):
    registry.add("dressed", Clothes)
"""


@pytest.fixture
def arrays(tmp_path: Path) -> dict[str, Any]:
    """Features of 12 queries and 60 gallery items, in ``f.npz``."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(6, 8))
    pids = {"q": np.arange(12) % 6, "g": np.arange(60) % 6}
    found = {f"{side}_pids": each for side, each in pids.items()}
    found |= {"q_camids": np.zeros(12, dtype=int), "g_camids": np.arange(60) // 6 % 3}
    for side, each in pids.items():
        noise = rng.normal(size=(len(each), 8))
        found[f"{side}_features"] = (centres[each] + 1.5 * noise).astype(np.float32)
    np.savez(tmp_path / "f.npz", **found)
    return found


def in_order(arrays: dict[str, Any]) -> list[Any]:
    names = ("features", "pids", "camids")
    return [arrays[f"{side}_{name}"] for name in names for side in "qg"]


def test_the_figures_are_those_of_the_front_door_and_are_kept(here, arrays, tmp_path) -> None:
    done = here("evaluate", "f.npz", "--metric", "cosine", "-o", "log/mine", "--json")
    assert done.code == 0, done.err
    expected = evaluate_features(*in_order(arrays), metric="cosine")
    record = json.loads(done.out)
    assert record == json.loads((tmp_path / "log" / "mine" / "results.json").read_text())
    target = record["targets"]["f"]
    for name, value in expected.summary().items():
        assert target[name] == pytest.approx(value)
        low, high = target["intervals"][name]
        assert low <= value <= high
    assert target["conditions"]["metric"] == "cosine"
    assert target["conditions"]["protocol"] == "market1501"
    kept = read_per_query(tmp_path / "log" / "mine" / "per_query.npz")["f"]
    assert np.nanmean(kept.contributions["mAP"]) == pytest.approx(expected.mAP)
    out = here("evaluate", "f.npz", "--metric", "cosine").out
    assert f"{100 * expected.mAP:.1f}" in out
    assert "f: protocol market1501, cosine, plain AP, own camera ignored" in out
    assert "log/mine" in here("runs", "ls").out


def test_two_files_are_compared_query_by_query(here, arrays, tmp_path) -> None:
    np.savez(tmp_path / "better.npz", **arrays | {"g_features": arrays["g_features"] * 1.0})
    noise = np.random.default_rng(4).normal(size=(60, 8))
    np.savez(tmp_path / "worse.npz", **arrays | {"g_features": arrays["g_features"] + 3 * noise})
    for name in ("better", "worse"):
        assert here("evaluate", f"{name}.npz", "-o", name, "--name", "shop").code == 0
    done = here("runs", "compare", "worse", "better")
    table, sentence = done.out.splitlines()[:4], done.out.splitlines()[-1]
    assert [line.split()[1] for line in table[2:]] == ["worse.npz", "better.npz"]
    assert sentence.startswith("shop: ")
    assert "95 % interval" in sentence


def test_pairs_of_cameras_have_figures_of_their_own(here, arrays) -> None:
    found = json.loads(here("evaluate", "f.npz", "--cameras", "--json").out)["cameras"]
    pair = next(each for each in found["pairs"] if each["gallery_camera"] == 2)
    query, gallery, q_pids, g_pids, q_camids, g_camids = in_order(arrays)
    seen = g_camids == 2
    alone = evaluate_features(query, gallery[seen], q_pids, g_pids[seen], q_camids, g_camids[seen])
    assert pair["mAP"] == pytest.approx(alone.mAP)
    here("evaluate", "f.npz", "--cameras", "-o", "kept")
    assert json.loads(Path("kept/results.json").read_text(encoding="utf-8"))["cameras"] == found
    row = here("evaluate", "f.npz", "--cameras").out.splitlines()[-1].split()
    assert row[0] == "0"
    assert row[2] == "-"  # its own camera
    assert row[4] == f"{100 * alone.mAP:.1f}"


def test_options_change_what_they_say(here, arrays) -> None:
    def mean(*words: str) -> float:
        done = here("evaluate", "f.npz", *words, "--json")
        assert done.code == 0, done.err
        return float(json.loads(done.out)["targets"]["f"]["mAP"])

    query, gallery, q_pids, g_pids, q_camids, g_camids = in_order(arrays)
    labels = Labels(q_pids, g_pids, q_camids, g_camids)
    scaled = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (query, gallery)]
    reranked = RerankedDistances.of_features(*map(torch.from_numpy, scaled))
    assert mean("--normalize", "--rerank") == pytest.approx(evaluate(reranked, labels).mAP)
    trapezoid = evaluate_features(*in_order(arrays), ap="trapezoid").mAP
    assert mean("--ap", "trapezoid") == pytest.approx(trapezoid)
    assert trapezoid != pytest.approx(mean())
    blind = evaluate_features(query, gallery, q_pids, g_pids, q_camids, g_camids + 1)
    assert mean("--without-cameras") == pytest.approx(blind.mAP)


def test_steps_are_taken_in_their_order_and_stand_in_the_conditions(here, arrays) -> None:
    def target(*words: str) -> Any:
        done = here("evaluate", "f.npz", *words, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)["targets"]["f"]

    scaled = target("--test-time", "normalize")
    assert scaled["mAP"] == pytest.approx(target("--normalize")["mAP"])
    assert scaled["conditions"]["test_time"]
    expanded = target("--test-time", "normalize", "--test-time", "{alpha_qe: {k: 2}}")
    assert len(expanded["conditions"]["test_time"]) == 2
    assert expanded["mAP"] != pytest.approx(scaled["mAP"])
    for words, told in ((["flip"], "works on images"), (["rerank", "--rerank"], "last of the")):
        done = here("evaluate", "f.npz", "--test-time", *words)
        assert (done.code, told in done.err) == (2, True), done.err


def test_protocols_have_their_options_and_their_columns(here, arrays, tmp_path) -> None:
    (tmp_path / "dressed.py").write_text(CLOTHES)
    words = ("-p", "dressed.py", "evaluate", "f.npz", "--protocol", "dressed")
    lacking = here(*words)
    assert lacking.code == 2
    assert "Clothes needs the column 'clothes': the query has no column 'clothes'" in lacking.err
    clothes = {f"{side}_clothes": np.array(["red"] * len(arrays[f"{side}_pids"])) for side in "qg"}
    np.savez(tmp_path / "f.npz", **arrays, **clothes)
    done = here(*words, "shift=2", "test.ranks=[1,3]", "--json")
    assert done.code == 0, done.err
    target = json.loads(done.out)["targets"]["f"]
    assert target["conditions"]["shift"] == 2
    assert {"rank1", "rank3"} <= target.keys()
    assert "rank5" not in target
    misspelled = here(*words, "shfit=2")
    assert (misspelled.code, "Did you mean 'shift'" in misspelled.err) == (2, True)


@pytest.mark.parametrize(
    ("changes", "words", "told"),
    [
        ({"q_camids": None, "g_camids": None}, [], "--without-cameras"),
        ({"g_camids": np.zeros(60, dtype=int)}, [], "test.protocol=any_camera"),
        ({"g_pids": np.arange(60) + 99}, [], "No identity is on both sides"),
        ({"q_features": np.ones((12, 5))}, [], "Extract both with the same model"),
        ({}, ["--metric", "cosin"], "Did you mean 'cosine'"),
        ({}, ["--protocol", "market"], "Did you mean 'market1501'"),
        ({}, ["g.npz"], "'g.npz' is no KEY=VALUE"),
        ({}, ["test.max_rnk=3"], "Did you mean 'max_rank'"),
        ({}, ["-o", "f.npz"], "f.npz"),
    ],
)
def test_bad_input_is_told(here, arrays, tmp_path, changes, words, told) -> None:
    given = {name: values for name, values in (arrays | changes).items() if values is not None}
    np.savez(tmp_path / "f.npz", **given)
    done = here("evaluate", "f.npz", *words)
    assert done.code == 2
    assert told in done.err


def test_a_run_is_not_written_over(here, arrays, write_run, tmp_path) -> None:
    write_run("log/a")
    before = (tmp_path / "log" / "a" / "results.json").read_bytes()
    done = here("evaluate", "f.npz", "-o", "log/a")
    assert (done.code, "'log/a' holds a run" in done.err) == (2, True)
    assert (tmp_path / "log" / "a" / "results.json").read_bytes() == before
    for _ in range(2):  # an evaluation may take the place of an earlier one
        assert here("evaluate", "f.npz", "-o", "log/mine").code == 0


def test_sides_of_two_scales_are_no_features_of_one_model(here, arrays, tmp_path) -> None:
    np.savez(tmp_path / "f.npz", **arrays | {"q_features": arrays["q_features"] * 1000})
    done = here("evaluate", "f.npz")
    assert done.code == 2
    assert "Extract both with one model" in done.err
    assert here("evaluate", "f.npz", "--metric", "cosine").code == 0


def test_cameras_are_not_needed_where_none_counts(here, arrays, tmp_path) -> None:
    np.savez(tmp_path / "f.npz", **{k: v for k, v in arrays.items() if "camids" not in k})
    assert here("evaluate", "f.npz", "--protocol", "any_camera").code == 0


def test_zero_vectors_have_no_direction(here, arrays, tmp_path) -> None:
    arrays["g_features"][4] = 0
    np.savez(tmp_path / "f.npz", **arrays)
    for words in (["--metric", "cosine"], ["--normalize"]):
        done = here("evaluate", "f.npz", *words)
        assert done.code == 2
        assert "1 of 60 features of the gallery of 'f.npz' are zero: '4'" in done.err
    assert here("evaluate", "f.npz").code == 0


def test_steps_that_scale_to_unit_length_refuse_zero_vectors(here, arrays, tmp_path) -> None:
    arrays["q_features"][4] = 0
    np.savez(tmp_path / "f.npz", **arrays)
    done = here("evaluate", "f.npz", "--test-time", "normalize")
    assert (done.code, "features of the query of 'f.npz' are zero: '4'" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train.lr=3"], "'train.lr' is no key of an evaluation of features"),
        (["veri.to=track"], "options of the protocol, such as market1501.NAME"),
        (["--protocol", "vehicleid", "draw=5"], "Did you mean 'draws'? Its options are: "),
        (["test.protocol=vehicleid", "draw=5"], "protocol 'vehicleid' has no option 'draw'"),
        (["draws=5"], "protocol 'market1501' has no option 'draws'"),
        (["--max-rank", "0"], "--max-rank"),
        (["--test-time", ""], "--test-time '' is no step"),
        (["--test-time", "{aqe: {k: 2}"], "'{aqe: {k: 2}' is no step"),
        (["--cameras", "--without-cameras"], "exclude each other"),
    ],
)
def test_words_that_would_change_nothing_are_refused(here, arrays, words, told) -> None:
    done = here("evaluate", "f.npz", *words)
    assert (done.code, told in done.err) == (2, True), done.err


def test_a_protocol_may_be_chosen_by_its_key_too(here, arrays) -> None:
    done = here("evaluate", "f.npz", "test.protocol=vehicleid", "draws=3", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["targets"]["f"]["conditions"]["draws"] == 3


def test_conditions_say_that_cameras_are_not_known(here, arrays, tmp_path) -> None:
    arrays["q_pids"][0] = 77
    np.savez(tmp_path / "f.npz", **arrays)
    done = here("evaluate", "f.npz", "--without-cameras", "--json")
    target = json.loads(done.out)["targets"]["f"]
    assert target["conditions"]["cameras"] == "unknown"
    assert target["num_unmatched_queries"] == 1
