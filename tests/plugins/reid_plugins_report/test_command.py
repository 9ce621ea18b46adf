"""``reidcore report`` as a program."""

from __future__ import annotations

import subprocess
import sys

from tests.program import run


def test_a_page_is_written_beside_the_run_or_where_it_is_asked_for(tested_folder, tmp_path) -> None:
    path = tmp_path / "page.html"
    words = ["report", str(tested_folder), "-o", str(path), "--map", "pca"]
    done = subprocess.run(
        [sys.executable, "-m", "reidcore", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Report written to {path}" in done.stdout
    assert path.read_text().startswith("<!doctype html>")


def test_mistakes_are_told_in_a_line(tmp_path) -> None:
    code, _, told = run("report", tmp_path / "none")
    assert code == 2
    assert "none' is no folder" in told
    assert "Traceback" not in told
