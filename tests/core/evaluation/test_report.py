import numpy as np
import pytest
from rich.console import Console

from reidcore.evaluation import Labels, evaluate, table, text
from reidcore.evaluation.report import further_table


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


def test_names_are_one_line_and_no_markup(result):
    result.figures["[b]odd\x1b"] = 1.0
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table({"shop\nmarket1501": result}))
        console.print(further_table({"shop\nmarket1501": result}))
    shown = capture.get()
    assert shown.count(r"shop\nmarket1501") == 2
    assert r"[b]odd\x1b" in shown
