"""Peak memory of a 2,000 x 200,000 evaluation, measured in a process of its own."""

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
pids = [rng.integers(0, 20_000, n) for n in (2_000, 200_000)]
camids = [rng.integers(0, 6, n) for n in (2_000, 200_000)]
centres = rng.standard_normal((20_000, 16), dtype=np.float32)
features = [centres[p] + 0.3 * rng.standard_normal((len(p), 16), dtype=np.float32) for p in pids]
with counting_with(sys.argv[1]):
    few = [part[:300] for part in (*features, *pids, *camids)]
    evaluate_features(*few[:2], *few[2:4], *few[4:])
    Path("/proc/self/clear_refs").write_text("5")
    before = field("VmRSS")
    result = evaluate_features(*features, *pids, *camids)
assert 0.3 < result.mAP < 1, result.mAP
print(field("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured on Linux only")
@pytest.mark.parametrize("kind", ["cython", "torch"])
def test_a_large_evaluation_stays_under_128_mb(kind):
    if kind == "cython":
        pytest.importorskip("reidcore.evaluation._counting")
    # Otherwise glibc keeps some 30 MB of what was freed, or gives it back, as it happens.
    at_once = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}
    program = [sys.executable, "-c", PROGRAM, kind]
    child = subprocess.run(program, capture_output=True, text=True, check=False, env=at_once)
    assert child.returncode == 0, child.stderr
    assert float(child.stdout) < 128
