"""``reidcore complexity``."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.program import Program, run


@pytest.fixture
def complexity(monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setenv("COLUMNS", "80")
    return partial(run, "complexity")


def test_counts_and_latency_in_two_tables(complexity: Program) -> None:
    words = ["squeezenet1_1", "osnet_x0_25", "--size", "48x24", "--batch", "1,2", "--device", "cpu"]
    words += ["--seconds", "0"]
    code, out, err = complexity(*words)
    assert code == 0, err
    costs, latencies = out.split("\n\n")
    assert costs.split()[:6] == [
        *("model", "size", "parameters", "multiply-adds", "operations", "features")
    ]
    assert costs.splitlines()[2].split()[:4] == ["osnet_x0_25", "48x24", "0.20", "M"]
    rows = [line.split() for line in latencies.splitlines()[1:]]
    assert [row[:2] for row in rows] == [
        [name, batch] for name in ("squeezenet1_1", "osnet_x0_25") for batch in "12"
    ]
    for _, _, p50, p95, _ in rows:
        assert 0 < float(p50) <= float(p95)


def test_json_has_the_exact_counts_of_each_name_once(complexity: Program) -> None:
    _, out, _ = complexity("osnet_x0_25", "osnet_x0_25", "--no-latency", "--json")
    assert json.loads(out) == [
        {
            "name": "osnet_x0_25",
            "height": 256,
            "width": 128,
            "parameters": 203568,
            "multiply_adds": 82316000,
            "operations": 92574976,
            "feature_dim": 512,
        }
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["osnet_x0_25", "--size", "256"], "Give height x width, such as 256x128"),
        (["osnet_x0_25", "--size", "0x128"], "--size 0x128 is no size"),
        (["osnet_x0_25", "--batch", "1,0"], "batch sizes of 1 or more"),
        (["osnet_x025", "--no-latency"], "Did you mean"),
        (["hacnn", "--size", "256x128", "--no-latency"], "HACNN takes images of 160x64"),
        (["resnet18", "--device", "gpu"], "no device is named 'gpu'"),
    ],
)
def test_mistakes_are_told_in_a_line(words: list[str], told: str, complexity: Program) -> None:
    code, _, err = complexity(*words)
    assert code == 2
    assert told in err
