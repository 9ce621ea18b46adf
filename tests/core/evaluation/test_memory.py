"""Peak memory above the features, measured in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
import numpy as np, torch
from reidcore.evaluation import evaluate_features
from reidcore.evaluation.kernel import counting_with

def field(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024

torch.set_num_threads(1)
rng = np.random.default_rng(0)
*sizes, dim = map(int, sys.argv[2:])
people = sizes[1] // 10
pids = [rng.integers(0, people, n) for n in sizes]
camids = [rng.integers(0, 6, n) for n in sizes]
centres = rng.standard_normal((people, dim), dtype=np.float32)
features = [centres[p] + 0.3 * rng.standard_normal((len(p), dim), dtype=np.float32) for p in pids]
with counting_with(sys.argv[1]):
    few = [part[:300] for part in (*features, *pids, *camids)]
    evaluate_features(*few[:2], *few[2:4], *few[4:])
    Path("/proc/self/clear_refs").write_text("5")
    before = field("VmRSS")
    result = evaluate_features(*features, *pids, *camids)
assert 0.3 < result.mAP <= 1, result.mAP
print(field("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured on Linux only")
@pytest.mark.parametrize(
    ("kind", "queries", "gallery", "dim", "megabytes"),
    [
        ("cython", 2_000, 200_000, 16, 128),
        ("torch", 500, 200_000, 16, 128),
        ("cython", 3_368, 15_913, 512, 32),  # Market1501
        ("torch", 300, 15_913, 512, 32),
        ("cython", 11_659, 82_161, 32, 128),  # MSMT17, of narrower features
    ],
)
def test_an_evaluation_stays_in_bounded_memory(kind, queries, gallery, dim, megabytes):
    if kind == "cython":
        pytest.importorskip("reidcore.evaluation._counting")
    # Otherwise glibc keeps some 30 MB of what was freed, or gives it back, as it happens.
    at_once = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}
    program = [sys.executable, "-c", PROGRAM, kind, *map(str, (queries, gallery, dim))]
    child = subprocess.run(program, capture_output=True, text=True, check=False, env=at_once)
    assert child.returncode == 0, child.stderr
    assert float(child.stdout) < megabytes
