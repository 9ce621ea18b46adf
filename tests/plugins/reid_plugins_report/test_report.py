"""Reading a run, and making its page of the sections of all plugins."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from reid_plugins_report.build import build_page
from reid_plugins_report.evidence import write_evidence
from reid_plugins_report.page import Section, tag
from reid_plugins_report.report import read_report

from reidcore import hookimpl
from reidcore.errors import DataError, UserError
from reidcore.testing import make_plugins
from reidcore.utils import read_json, write_json


@pytest.fixture
def folder(tested_folder, tmp_path):
    copied = tmp_path / "copied"
    skipped = shutil.ignore_patterns("*.pth*", "events*", "data")
    return shutil.copytree(tested_folder, copied, ignore=skipped)


def page_of(folder, *plugins) -> str:
    with make_plugins(*plugins) as made:
        return build_page(read_report(folder, "pca"), made)


def titles(page: str) -> list[str]:
    return re.findall(r"<h3[^>]*>([^<]*)</h3>", page)


BUNDLED = [
    "Results",
    "Curves",
    "Distances and thresholds",
    "Failure slices",
    "Camera by camera",
    "Hardest queries",
    "Look-alikes",
    "Where the network looks",
    "Map of the embeddings",
    "Training",
    "Provenance",
]


def test_a_run_has_all_sections_and_the_figures_of_its_record(folder) -> None:
    page = page_of(folder)
    assert titles(page) == BUNDLED
    figures = read_json(folder / "results.json")["targets"]["tiny"]
    for name in ("mAP", "rank1"):
        assert f"{100 * figures[name]:.1f}<span>%" in page
        low, high = figures["intervals"][name]
        assert f"{100 * low:.1f} to {100 * high:.1f}" in page
    assert len(re.findall("data:image/jpeg", page)) > 20
    assert page_of(folder) == page


def test_figures_of_a_protocol_come_with_their_intervals(folder) -> None:
    results = read_json(folder / "results.json")
    tiny = results["targets"]["tiny"]
    tiny["figures"] = {"BAKS": 0.5, "identities": 61}
    tiny["intervals"]["BAKS"] = [0.25, 0.75]
    write_json(results, folder / "results.json")
    page = page_of(folder)
    assert ">BAKS</th><td>0.5</td><td>0.25 to 0.75</td>" in page
    assert ">identities</th><td>61</td><td></td>" in page


def test_without_evidence_there_are_figures_and_a_hint(folder) -> None:
    (folder / "report_tiny.npz").unlink()
    page = page_of(folder)
    assert titles(page) == ["Results", "Training", "Provenance"]
    assert "No evidence was kept of tiny" in page


def test_damaged_evidence_is_told(folder) -> None:
    (folder / "report_tiny.npz").write_bytes(b"PK")
    assert "cannot be read as a report&#x27;s evidence" in page_of(folder)


def test_pictures_that_are_gone_are_told(folder, monkeypatch) -> None:
    report = read_report(folder, "pca")
    monkeypatch.setattr(report.pictures, "_read", lambda path: report.pictures.missing.add(path))
    with make_plugins() as made:
        page = build_page(report, made)
    assert "pictures could not be read" in page
    assert 'class="gone"' in page
    assert titles(page) == BUNDLED


def test_reid_report_sections(folder) -> None:
    class Shop:
        @hookimpl(optionalhook=True)
        def reid_report_sections(self, report, target):
            if target is None:
                return None
            return [
                Section("Shop windows", tag("p", f"<{target.name}> in {len(report.targets)}"), 35)
            ]

    page = page_of(folder, Shop())
    assert titles(page)[2:5] == ["Distances and thresholds", "Shop windows", "Failure slices"]
    assert "<p>&lt;tiny&gt; in 1</p>" in page


def test_what_a_plugin_gave_before_it_failed_is_shown(folder) -> None:
    class Broken:
        @hookimpl(optionalhook=True)
        def reid_report_sections(self, target):
            if target is None:
                yield Section("Before", tag("p", "x"))
                raise ZeroDivisionError

    assert titles(page_of(folder, Broken()))[-2:] == ["Before", "Sections that failed"]


@pytest.mark.parametrize("answer", [[1], [Section("x", "<b>no Html</b>")], 5])
def test_a_plugin_that_fails_is_told_of_and_costs_nothing_else(folder, answer) -> None:
    class Broken:
        @hookimpl(optionalhook=True)
        def reid_report_sections(self, target):
            return answer

    page = page_of(folder, Broken())
    assert [title for title in titles(page) if title != "Sections that failed"] == BUNDLED
    assert "Broken" in page
    assert "<b>no Html</b>" not in page


def test_a_test_alone_is_reported_where_it_wrote_its_record(folder) -> None:
    results = read_json(folder / "results.json")
    write_json({**results, "training": []}, folder / "test_results.json")
    for name in ("results.json", "metrics.jsonl", "report_tiny.npz"):
        (folder / name).unlink()
    write_evidence(folder / "report_tiny.npz", {"target": "tiny", "test_only": True}, [])
    assert titles(page_of(folder)) == ["Results", "Provenance"]


def test_what_is_no_run_is_refused(folder, tmp_path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        read_report(tmp_path / "none")
    with pytest.raises(UserError, match=r"holds no results.json.*There is one in .*copied"):
        read_report(tmp_path)
    (folder / "results.json").write_text('{"format": 1, "finished": true, "targets": []}')
    with pytest.raises(DataError, match=r"results\.json' is no record of a run: targets"):
        read_report(folder)


def test_figures_of_any_kind_do_not_break_the_page(folder) -> None:
    """A record is a file that others may have written, by hand or by an older version."""
    results = read_json(folder / "results.json")
    results["targets"]["tiny"] |= {
        "mAP": None,
        "rank1": "high",
        "intervals": {"mINP": [None, 1], "rank5": 3},
        "conditions": {"ap": ["x", {"y": None}]},
        "figures": {"odd": float("inf")},
    }
    results["versions"] = {}
    results["config"] = None
    results["training"] = [{"epoch": "one"}, {"epoch": 2, "loss": None, "lr": 1e-3}]
    (folder / "metrics.jsonl").unlink()
    write_json(results, folder / "results.json")
    assert titles(page_of(folder)) == BUNDLED


def test_parts_that_have_nothing_to_show_are_left_out(folder) -> None:
    with np.load(folder / "report_tiny.npz") as stored:
        arrays = dict(stored)
    arrays["Slices/value"] = np.full_like(arrays["Slices/value"], np.nan)
    arrays["Spread/matches"][:] = 0
    for name in [name for name in arrays if name.startswith("LookAlikes/")]:
        arrays[name] = arrays[name][:0]
    np.savez(folder / "report_tiny.npz", **arrays)
    lacking = {"Distances and thresholds", "Failure slices", "Look-alikes"}
    assert titles(page_of(folder)) == [title for title in BUNDLED if title not in lacking]


def test_a_bundled_section_that_fails_costs_no_other(folder, caplog) -> None:
    with np.load(folder / "report_tiny.npz") as stored:
        arrays = dict(stored)
    arrays["Curves/cmc"] = arrays["Curves/cmc"][:0]
    np.savez(folder / "report_tiny.npz", **arrays)
    page = page_of(folder)
    shown = [title for title in BUNDLED if title != "Curves"]
    at = shown.index("Training")
    assert titles(page) == [*shown[:at], "Sections that failed", *shown[at:]]
    assert "the curves section failed: " in page
    assert "the curves section failed: " in caplog.text


def test_thresholds_say_what_the_distances_are(folder) -> None:
    def told(**facts) -> str:
        with np.load(folder / "report_tiny.npz") as stored:
            arrays = dict(stored)
        known = {**json.loads(arrays["facts"].tobytes()), **facts}
        arrays["facts"] = np.frombuffer(json.dumps(known).encode(), np.uint8)
        np.savez(folder / "report_tiny.npz", **arrays)
        return re.search("A pair is accepted whose (.*?) is below", page_of(folder))[1]

    assert told() == "cosine distance"
    assert told(metric="euclidean") == "squared euclidean distance"
    assert told(rerank=True) == "re-ranked distance"
