import math
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from reidcore.evaluation import Labels, conditions_line, evaluate, further_table, table, text


@pytest.fixture
def result():
    labels = Labels([1, 2, 9], [1, 2, 3, 3, 3, 3], [0, 0, 0], [1] * 6)
    return evaluate(np.array([[0, 1, 2, 2, 2, 2], [2, 1, 0, 3, 3, 3], [0] * 6]), labels)


def test_the_lines_show_percentages_and_skipped_queries(result):
    shown = text(result, ranks=(1, 5))
    assert "mAP: 75.0%" in shown
    assert "Rank-1  : 50.0%" in shown
    assert "Rank-5  : 100.0%" in shown
    assert "1 of 3 queries without a match" in shown


def test_the_table_has_a_row_for_each_target(result):
    console = Console(width=100)
    with console.capture() as capture:
        console.print(table({"market1501": result, "dukemtmcreid": result}))
    shown = capture.get()
    assert shown.count("75.0") == 6  # mAP and mINP of both and of their average
    for word in ("market1501", "dukemtmcreid", "Rank-20", "mINP"):
        assert word in shown


def test_intervals_stand_beside_the_figures_and_below_the_targets(result):
    result = replace(
        result,
        intervals={"mAP": (0.512, 0.988), "EER": (0.1, 0.2)},
        figures={"EER": 0.125, "nobody": math.nan},
    )
    assert "mAP: 75.0% [51.2%, 98.8%]" in text(result).splitlines()
    assert "EER: 0.125 [0.1, 0.2]" in text(result).splitlines()
    console = Console(width=100)
    with console.capture() as capture:
        console.print(table({"market1501": result}), further_table({"market1501": result}))
    lines = [line.split() for line in capture.get().splitlines()]
    assert ["95", "%", "from", "51.2", "-", "-", "-", "-", "-"] in lines
    assert ["95", "%", "to", "98.8", "-", "-", "-", "-", "-"] in lines
    assert ["EER", "0.125", "[0.1,", "0.2]"] in lines
    assert ["nobody", "-"] in lines


def test_a_line_says_what_the_figures_are(result):
    conditions = {
        "protocol": "market1501",
        "metric": "cosine",
        "normalized": True,
        "ap": "plain",
        "unmatched": "skipped",
        "junk": "own camera",
        "draws": 10,
        "selected_on": None,
        "rerank": {"k1": 20, "lambda": 0.3},
        "test_time": ["flip", {"alpha_qe": {"k": 5}}, {"normalize": {}}],
    }
    assert conditions_line("target", conditions, result) == (
        "target: protocol market1501, cosine, normalized, plain AP, own camera ignored, draws 10, "
        "re-ranked (k1=20, lambda=0.3), test time flip then alpha_qe=(k=5) then normalize, "
        "1 of 3 queries without a match: skipped"
    )
    zero = replace(result, ap=np.nan_to_num(result.ap))
    assert conditions_line("", {}, zero) == "1 of 3 queries without a match: counted as zero"


def test_names_are_one_line_and_no_markup(result):
    result.figures["[b]odd\x1b"] = 1.0
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table({"shop\nmarket1501": result}))
        console.print(further_table({"shop\nmarket1501": result}))
    shown = capture.get()
    assert shown.count(r"shop\nmarket1501") == 2
    assert r"[b]odd\x1b" in shown
