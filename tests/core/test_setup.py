"""The kernel is optional: the build succeeds without a compiler or without Cython."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    target = tmp_path / "reidcore" / "evaluation"
    target.mkdir(parents=True)
    for name in ("_counting.pyx", "_kernel.c", "_codes.c", "_kernel.h", "_panel.h", "_filter.h"):
        shutil.copy(ROOT / "reidcore" / "evaluation" / name, target)
    shutil.copy(ROOT / "setup.py", tmp_path)
    return tmp_path


def build(checkout, **environment):
    return subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--inplace"],
        cwd=checkout,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_compiler_the_build_succeeds_and_says_so(checkout):
    pytest.importorskip("Cython")
    built = build(checkout, CC="no-such-compiler")
    assert built.returncode == 0, built.stderr
    assert not list(checkout.rglob("*.so"))
    assert "_counting" in built.stdout + built.stderr


def test_without_cython_the_build_succeeds_and_says_so(checkout):
    (checkout / "Cython.py").write_text("raise ImportError('none here')\n")
    built = build(checkout, PYTHONPATH=str(checkout))
    assert built.returncode == 0, built.stderr
    assert not list(checkout.rglob("*.so"))
    assert "No Cython here" in built.stderr
