"""The example of a published plugin, as a user would install it."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import sysconfig

SMALL = [
    "train.max_epoch=1",
    "train.batch_size=8",
    "data.height=32",
    "data.width=16",
    "data.workers=0",
    "test.visrank=false",
    "use_gpu=false",
]


def test_reid_acme_passes_its_tests_and_takes_part_in_a_run(
    reidcore, target, install, checkout, tmp_path
) -> None:
    example = checkout / "examples" / "reid-acme"
    files = [path for path in example.rglob("*") if path.suffix in (".py", ".toml", ".md")]
    project = install("acme", {str(path.relative_to(example)): path.read_text() for path in files})
    path = os.pathsep.join([str(target), sysconfig.get_path("purelib")])
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    tested = subprocess.run(
        [sys.executable, "-S", "-m", "pytest", *options, project / "tests"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        timeout=240,
    )
    assert tested.returncode == 0, tested.stdout[-3000:]

    write_warehouse = runpy.run_path(str(project / "tests" / "conftest.py"))["write_warehouse"]
    root = write_warehouse(tmp_path / "data")
    words = ["-s", "acme", "-t", "acme", "--root", root, "acme.without=[]", *SMALL]
    terms = "loss.terms={softmax: 1.0, cross_camera: 0.5}"
    done = reidcore("run", "quickstart", *words, terms, "settings.acme_guard.patience=3")
    assert done.returncode == 0, done.stderr
    assert "step: core <- acme_guard (wraps)" in done.stdout
    record = json.loads((tmp_path / "here" / "log" / "quickstart" / "results.json").read_text())
    assert record["training"][0]["cross_camera"] > 0
    assert {"acme", "acme_guard"} <= {plugin["name"] for plugin in record["plugins"]}

    without = reidcore("--no-plugin", "acme_guard", "plugins", "why", "reid_forward_backward")
    assert "acme_guard" not in without.stdout
    assert "1. 'core'" in without.stdout


def test_a_new_package_is_written_installed_and_listed_from_the_wheel(
    reidcore, install, tmp_path
) -> None:
    done = reidcore("new", "dataset", "fresh")
    assert done.returncode == 0, done.stderr
    package = tmp_path / "here" / "reid-fresh"
    files = [path for path in package.rglob("*") if path.is_file()]
    install("fresh", {str(path.relative_to(package)): path.read_text() for path in files})
    (mine,) = (row for row in json.loads(reidcore("ls", "--json").stdout) if row["name"] == "fresh")
    assert (mine["kind"], mine["distribution"]) == ("datasets", "reid-fresh")
    taken = reidcore("new", "dataset", "fresh", "--dir", "elsewhere")
    assert (taken.returncode, taken.stdout) == (2, "")
    assert "plugin 'fresh' (reid-fresh) is installed" in taken.stderr
    assert not (tmp_path / "here" / "elsewhere").exists()
