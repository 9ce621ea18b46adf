"""The README's plugin package, as its reader would write, install and use it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

NAMED = re.compile(r"\*\*(?P<name>[\w.]+)\*\*\s*\n+```\w+\n(?P<text>.*?)^```$", re.M | re.S)
SMALL = shlex.split(
    "train.max_epoch=1 train.batch_size=8 data.height=32 data.width=16 data.workers=0 "
    "test.visrank=false train.print_freq=1 use_gpu=false"
)
STEPS = [  # what the README says that a run with its three files prints
    "step: core <- mirrored (replaces) <- skip_bad_batches (wraps)",
    "losses: core <- feature_norm (wraps)",
]


@pytest.fixture(scope="module")
def readme(checkout) -> dict[str, str]:
    """The files that the README shows, by name, and its text."""
    text = (checkout / "README.md").read_text()
    return {"text": text} | {match["name"]: match["text"] for match in NAMED.finditer(text)}


@pytest.fixture
def people(tmp_path) -> Path:
    """A root with the folder that the README's dataset reads."""
    root = tmp_path / "reid-data"
    for split, first in (("train", 1), ("query", 5), ("gallery", 5)):
        folder = root / "mydata" / split
        folder.mkdir(parents=True)
        for pid in range(first, first + 4):
            for camera in (1, 2):
                color = (40 * pid % 256, 90 * camera, 25 * pid)
                name = f"{pid:04d}_c{camera}_000451.jpg"
                Image.new("RGB", (16, 32), color).save(folder / name)
    return root


@pytest.fixture
def installed(install, readme) -> None:
    """The README's package, and a broken one beside it."""
    install("mydata", {name: readme[name] for name in ("reid_mydata.py", "pyproject.toml")})
    install(
        "broken",
        {
            "reid_broken.py": "import a_package_that_is_not_there\n",
            "pyproject.toml": """
                [project]
                name = "reid-broken"
                version = "0.1"

                [project.entry-points.reidcore]
                broken = "reid_broken"
            """,
        },
    )


@pytest.mark.usefixtures("installed")
def test_the_readmes_package_is_listed_trained_with_and_overrides_the_step(
    reidcore, readme, people, tmp_path
) -> None:
    line = "! plugin 'broken' (reid-broken) is left out: ModuleNotFoundError: No module named "
    listed = reidcore("ls", "datasets", "--json")
    mine = {row["name"]: row for row in json.loads(listed.stdout)}["mydata"]
    assert (mine["plugin"], mine["distribution"], mine["summary"]) == (
        "mydata",
        "reid-mydata",
        "my people",
    )
    assert listed.stderr == f"{line}'a_package_that_is_not_there'\n"

    files = ("feature_norm.py", "skip_bad_batches.py", "mirrored.py")
    words = []
    for name in files:
        (tmp_path / name).write_text(readme[name])
        words += ["-p", tmp_path / name]
    done = reidcore(
        "run", "quickstart", *words, "-s", "mydata", "-t", "mydata", "--root", people, *SMALL
    )
    assert done.returncode == 0, done.stderr
    assert f"{line}'a_package_that_is_not_there'" in (done.stdout + done.stderr).splitlines()
    assert [line for line in STEPS if line not in done.stdout] == []
    assert [line for line in STEPS if line not in readme["text"]] == []
    record = json.loads((tmp_path / "here" / "log" / "quickstart" / "results.json").read_text())
    assert record["step"] == {
        "replacement": "mirrored",
        "step_wrappers": ["skip_bad_batches"],
        "loss_wrappers": ["feature_norm"],
    }
    assert {"softmax", "norm"} <= set(record["training"][0])
    assert "mydata" in json.dumps(record["plugins"])
    assert "broken" not in json.dumps(record["plugins"])

    (tmp_path / "here" / "mine.yaml").write_text("plugins: [reidcore, broken]\n")
    asked = reidcore("run", "mine.yaml")
    assert asked.returncode == 2
    assert "plugin 'broken' (reid-broken) is broken: ModuleNotFoundError" in asked.stderr
    assert "Traceback" not in asked.stderr
