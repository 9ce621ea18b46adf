"""Torchreid's own scripts, tools and projects run after ``reidcore migrate imports``.

``TORCHREID_CHECKOUT`` names a checkout of github.com/KaiyangZhou/deep-person-reid, 1.4; the scripts
need yacs: ``pip install yacs``. Each trains for one epoch on a few drawn people.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.models import build_model
from reidcore.testing import fake_dataset

PUBLIC = Path(__file__).parents[1] / "fixtures" / "torchreid_names.json"
SIZE = [
    *("data.height", "64", "data.width", "32", "data.workers", "0"),
    *("train.batch_size", "8", "train.max_epoch", "1", "model.pretrained", "False"),
]
OSNET = "configs/im_osnet_x0_25_softmax_256x128_amsgrad.yaml"


@pytest.fixture(scope="module")
def checkout() -> Path:
    """A checkout of Torchreid."""
    found = os.environ.get("TORCHREID_CHECKOUT")
    if not found:
        pytest.skip("Torchreid's scripts are not here: set TORCHREID_CHECKOUT to a checkout")
    if importlib.util.find_spec("yacs") is None:
        pytest.skip("yacs is not here: pip install yacs")
    return Path(found)


@pytest.fixture(scope="module")
def migrated(checkout, tmp_path_factory) -> Path:
    """Its scripts, tools and projects, rewritten, beside a dataset in Market-1501's layout."""
    folder = tmp_path_factory.mktemp("torchreid")
    for name in ("scripts", "tools", "projects", "configs"):
        shutil.copytree(checkout / name, folder / name)
    command = [sys.executable, "-m", "reidcore", "migrate", "imports", "--write", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tree = folder / "data" / "market1501" / "Market-1501-v15.09.15"
    name = "{pid:04d}_c{camid}s1_{image:06d}_00.jpg"
    # A batch of compute_mean_std.py has 100 images.
    fake_dataset(tree, images=9, train="bounding_box_train", query=None, gallery=None, name=name)
    fake_dataset(tree, train=None, gallery="bounding_box_test", name=name)
    weights = build_model("osnet_x0_25", 10, pretrained=False).state_dict()
    (folder / "home" / "weights").mkdir(parents=True)
    torch.save(weights, folder / "home" / "weights" / "osnet_x0_25_imagenet.pth")
    return folder


@pytest.fixture(scope="module")
def script(migrated) -> Callable[..., str]:
    """Run a script in its folder, and return what it writes."""

    def run(path: str, *words: object, folder: str = "") -> str:
        done = subprocess.run(
            [sys.executable, path, *map(str, words)],
            cwd=migrated / folder,
            env={**os.environ, "REIDCORE_HOME": str(migrated / "home"), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    return run


@pytest.fixture(scope="module")
def trained(script, migrated) -> Path:
    """The folder of a training by ``scripts/main.py``."""
    words = ["--config-file", OSNET, "-s", "market1501", "-t", "market1501", "--root", "data"]
    told = script("scripts/main.py", *words, "data.save_dir", "log/osnet", *SIZE)
    assert "Model complexity: params=203,568 flops=5,208,800" in told
    return migrated / "log" / "osnet"


def test_the_table_of_names_is_that_of_the_checkout(checkout) -> None:
    root = checkout / "torchreid"
    for module, names in json.loads(PUBLIC.read_text(encoding="utf-8")).items():
        path = root.joinpath(*module.split("."))
        file = path.with_suffix(".py") if module and not path.is_dir() else path / "__init__.py"
        defined = {
            node.name
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        }
        assert defined <= set(names), module


def test_the_main_script_trains_and_tests(trained, script, migrated) -> None:
    assert (trained / "model.pth.tar-1").is_file()
    assert [*trained.glob("train.log-*")]
    words = ["--config-file", OSNET, "--root", "data", "data.save_dir", "log/eval/split_0", *SIZE]
    words += ["model.load_weights", "log/osnet/model.pth.tar-1", "test.evaluate", "True"]
    assert "Rank-20" in script("scripts/main.py", *words)
    results = json.loads((migrated / "log/eval/split_0/test_results.json").read_text())
    trained_results = json.loads((trained / "results.json").read_text())
    assert results["targets"]["market1501"]["mAP"] == pytest.approx(
        trained_results["targets"]["market1501"]["mAP"]
    )


def test_results_of_splits_are_found_and_runs_compare_averages_them(
    trained, script, migrated
) -> None:
    """The tool runs, and finds no lines in Torchreid's form: our own command has the figures."""
    split = migrated / "log" / "parse" / "split_0"
    split.mkdir(parents=True)
    (split / "test.log").write_text("mAP: 30.0%\nRank-1  : 50.0%\n")
    told = script("tools/parse_test_res.py", "log/parse")
    assert "mAP: 30.0" in told
    assert "r1: 50.0" in told


def test_statistics_and_activation_maps(trained, script, migrated) -> None:
    assert "Mean: tensor(" in script("tools/compute_mean_std.py", "data", "market1501")
    words = ["--root", "data", "-m", "osnet_x0_25", "--weights", trained / "model.pth.tar-1"]
    words += ["--height", 64, "--width", 32, "--save-dir", "log/act"]
    script("tools/visualize_actmap.py", *words)
    pictures = [*(migrated / "log" / "act" / "actmap_market1501").glob("*.jpg")]
    assert len(pictures) == 24
    with Image.open(pictures[0]) as picture:
        assert picture.size == (3 * 32 + 20, 64)


def test_mutual_learning(script, migrated) -> None:
    folder = "projects/DML"
    words = ["--config-file", "im_osnet_x1_0_dml_256x128_amsgrad_cosine.yaml"]
    words += ["--root", "../../data", "model.name", "osnet_x0_25", "data.save_dir", "log", *SIZE]
    words += ["sampler.num_instances", "2", "train.fixbase_epoch", "0"]
    assert "loss1_ml" in script("main.py", *words, folder=folder)
    assert {path.name for path in (migrated / folder / "log").glob("*.pth.tar-1")} == {
        "model1.pth.tar-1",
        "model2.pth.tar-1",
    }


def test_the_search_for_osnet_ain(script) -> None:
    words = ["--config-file", "nas.yaml", "-s", "market1501", "-t", "market1501"]
    words += ["--root", "../../data", "data.save_dir", "log", *SIZE]
    told = script("main.py", *words, folder="projects/OSNet_AIN")
    assert "*** Display the found architecture ***" in told


def test_attribute_recognition(script, migrated) -> None:
    savemat = pytest.importorskip("scipy.io", reason="scipy is not here").savemat
    draws = np.random.default_rng(0)
    root = migrated / "data" / "pa100k"
    (root / "annotation").mkdir(parents=True)
    (root / "data").mkdir()
    held = {"attributes": np.array([[f"attribute {n}"] for n in range(4)], dtype=object)}
    for split, count in (("train", 16), ("val", 8), ("test", 8)):
        names = [f"{split}_{number:03d}.jpg" for number in range(count)]
        for name in names:
            pixels = draws.integers(0, 256, (64, 32, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(root / "data" / name)
        held[f"{split}_images_name"] = np.array([[name] for name in names], dtype=object)
        held[f"{split}_label"] = draws.integers(0, 2, (count, 4)).astype(np.uint8)
    savemat(root / "annotation" / "annotation.mat", held)
    words = ["--root", migrated / "data", "-d", "pa100k", "-a", "osnet_maxpool"]
    words += ["--max-epoch", 1, "--batch-size", 8, "--height", 64, "--width", 32, "--workers", 0]
    words += ["--no-pretrained", "--weighted-bce", "--save-dir", "log"]
    told = script("main.py", *words, folder="projects/attribute_recognition")
    assert "mA for each attribute" in told
