"""The numbers that sections show, of evidence that is written down here."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reid_plugins_report.evidence import (
    Cameras,
    Curves,
    Queries,
    Rankings,
    Slices,
    Spread,
    read_evidence,
    write_evidence,
)
from reid_plugins_report.page import Section
from reid_plugins_report.report import Report, ReportedTarget
from reid_plugins_report.sections.cameras import cameras_section
from reid_plugins_report.sections.curves import curves_section
from reid_plugins_report.sections.distances import distances_section
from reid_plugins_report.sections.rankings import rankings_section
from reid_plugins_report.sections.results import results_section
from reid_plugins_report.sections.slices import slices_section


@pytest.fixture
def made(tmp_path):
    """Makes a section of parts of evidence."""

    def make(section: Any, *parts: Any, **figures: Any) -> Section:
        write_evidence(tmp_path / "report_x.npz", {"metric": "cosine"}, parts)
        target = ReportedTarget("x", figures, read_evidence(tmp_path / "report_x.npz"))
        return section(Report(Path("run"), {}, [target]), target)

    return make


def told(section: Section) -> list[list[str]]:
    """What each chart of a section says of its points."""
    found = re.findall('data-points="([^"]*)"', section.body)
    return [[text for _, _, text in json.loads(html.unescape(each))] for each in found]


def cells(section: Section) -> list[str]:
    return re.findall("<td[^>]*>([^<]*)</td>", section.body)


SPREAD = Spread(np.arange(5) / 4, np.array([6, 3, 1, 0]), np.array([0, 10, 30, 60]))


def test_a_slice_has_the_figures_of_its_queries(made) -> None:
    queries = Queries(
        np.array([0.1, 1.0, 0.5, np.nan, 0.25, 0.75]),
        np.array([0.0, 1.0, 0.0, np.nan, 0.0, 1.0]),
        np.arange(6),
    )
    looked_at = np.array([1, 2, 3, 4, 5])
    values = np.array([[1.0], [0], [0], [0], [1]])
    texts = np.array([["back", "front"]])
    mean, first = told(
        made(slices_section, queries, Slices(looked_at, np.array(["view"]), values, texts))
    )
    assert [text.partition(" [")[0] for text in (*mean, *first)] == [
        "back\nmAP (%): 37.5",
        "front\nmAP (%): 87.5",
        "back\nRank-1 (%): 0",
        "front\nRank-1 (%): 100",
    ]
    assert {text.rpartition("\n")[2] for text in (*mean, *first)} == {"2 queries"}


def test_curves(made) -> None:
    cmc, precision, roc = told(
        made(curves_section, Curves(np.array([0.5, 0.75]), np.linspace(1, 0.5, 101)), SPREAD)
    )
    assert cmc == ["rank: 1\nqueries (%): 50", "rank: 2\nqueries (%): 75"]
    assert precision[0] == "recall (%): 0\nprecision (%): 100"
    assert precision[-1] == "recall (%): 100\nprecision (%): 50"
    assert roc[0] == "false match rate (%): 1\ntrue match rate (%): 60"
    assert roc[-1] == "false match rate (%): 100\ntrue match rate (%): 100"


def test_distances_are_shares_of_their_kind(made) -> None:
    section = made(distances_section, SPREAD)
    (points,) = told(section)
    assert points[0] == "matches\ncosine distance: 0.125\npairs (%): 60"
    assert points[-1] == "non-matches\ncosine distance: 0.875\npairs (%): 60"
    assert cells(section)[:6] == ["0.5", "10 %", "10 %", "0.5", "10 %", "10 %"]
    assert cells(section)[6:9] == ["0.25", "0 %", "40 %"]
    assert "10 matches, 100 non-matches" in section.body


def test_cameras(made) -> None:
    shares, hits = np.array([[0.25, np.nan], [0.5, 1.0]]), np.array([[0.0, np.nan], [1, 1]])
    names, count = np.array(["a", "b"]), np.array([[4, 0], [3, 2]])
    section = made(cameras_section, Cameras(names, names, shares, hits, count))
    assert cells(section) == [
        "query ↓ gallery →",
        *("25.0", "–", "50.0", "100.0"),  # noqa: RUF001
        "query ↓ gallery →",
        *("0.0", "–", "100.0", "100.0"),  # noqa: RUF001
    ]
    assert re.findall('title="([^"]*)"', section.body)[:2] == ["4 queries", "0 queries"]


def test_rankings_say_which_items_are_right(made) -> None:
    one = np.array(["q"])
    texts = np.array([["a", "b", ""]])
    found = Rankings(
        ap=np.array([0.25]),
        first_rank=np.array([2]),
        num_matches=np.array([3]),
        path=one,
        pid=one,
        camid=one,
        item_path=texts,
        item_pid=texts,
        item_camid=texts,
        distance=np.array([[0.5, 0.75, np.nan]]),
        matched=np.array([[False, True, False]]),
        match_path=one,
    )
    section = made(rankings_section, found)
    assert re.findall('<li class="(.*?)">', section.body) == ["asked", "wrong", "right"]
    assert "AP 25.0 %, first match at rank 2, 3 in all" in section.body


def test_a_tile_draws_its_figure_and_its_interval(made) -> None:
    section = made(results_section, mAP=0.5, intervals={"mAP": [0.25, 0.875]})
    bars = re.findall(r'<rect x="(.*?)" y="\d" width="(.*?)"', section.body)
    assert [tuple(map(float, each)) for each in bars] == [(0, 100), (0, 50), (25, 62.5)]
    assert "25.0 to 87.5" in section.body
