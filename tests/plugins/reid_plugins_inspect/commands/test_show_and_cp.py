"""``show`` and ``cp``, and what ``run`` prints of its configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reidcore.testing import tiny_run

Run = Callable[..., Any]


def test_show_has_origin_signature_and_documentation(reidcore: Run) -> None:
    shown = reidcore("show", "dataset", "market1501")
    assert shown.returncode == 0, shown.stderr
    assert "from plugin datasets of reidcore: reid_plugins_datasets" in shown.stdout
    assert "market1501(root" in shown.stdout
    assert "use_500k_distractors" in shown.stdout


def test_show_of_a_recipe_is_its_text(reidcore: Run) -> None:
    shown = reidcore("show", "configs", "quickstart")
    assert "# reidcore run quickstart" in shown.stdout


def test_show_names_the_nearest(reidcore: Run) -> None:
    shown = reidcore("show", "optimizer", "adm")
    assert shown.returncode == 2
    assert "Did you mean 'adam'" in shown.stderr


def test_show_of_a_checkpoint_says_what_it_was_chosen_on(reidcore: Run, tmp_path: Path) -> None:
    overrides = ["test.select_on=validation", "test.validation_share=0.3"]
    tiny_run(save_dir=tmp_path, overrides=overrides)
    best = tmp_path / "model-best.pth.tar"
    shown = reidcore("show", "checkpoint", best)
    assert shown.returncode == 0, shown.stderr
    assert "model: tinynet" in shown.stdout
    assert "trained for 1 epoch\n" in shown.stdout
    assert "chosen as the best by rank1 on validation: " in shown.stdout
    chosen = json.loads(reidcore("show", "checkpoint", best, "--json").stdout)["chosen_on"]
    assert (chosen["select_on"], chosen["epoch"]) == ("validation", 1)
    other = json.loads(
        reidcore("show", "checkpoint", tmp_path / "model.pth.tar-1", "--json").stdout
    )
    assert other["chosen_on"] is None
    missing = reidcore("show", "checkpoint", tmp_path / "none.pth.tar")
    assert missing.returncode == 2
    assert "no checkpoint at" in missing.stderr


def test_cp_copies_a_recipe_that_runs_under_its_new_name(reidcore: Run, tmp_path: Path) -> None:
    target = tmp_path / "mine.yaml"
    assert reidcore("cp", "quickstart", target).returncode == 0
    assert "osnet_x0_25" in target.read_text()
    printed = reidcore("run", target, "train.max_epoch=3", "--print-config")
    assert printed.returncode == 0, printed.stderr
    lines = printed.stdout.splitlines()
    assert "  max_epoch: 3  # override 'train.max_epoch=3'" in lines
    assert any(
        line.startswith("  name: osnet_x0_25  # ") and "mine.yaml:" in line for line in lines
    )
    assert "  weight_decay: 0.0005  # default" in lines


def test_cp_replaces_nothing_unless_forced(reidcore: Run, tmp_path: Path) -> None:
    target = tmp_path / "mine.yaml"
    target.write_text("mine")
    refused = reidcore("cp", "quickstart", target)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert target.read_text() == "mine"
    assert reidcore("cp", "quickstart", target, "--force").returncode == 0
    assert target.read_text() != "mine"


def test_resume_is_a_flag_of_run(reidcore: Run) -> None:
    printed = reidcore("run", "quickstart", "--resume", "a/model.pth.tar-3", "--print-config")
    assert "  resume: a/model.pth.tar-3  # flag" in printed.stdout


def test_show_takes_kinds_in_the_singular_and_plural(reidcore: Run) -> None:
    shown = {reidcore("show", kind, "random_flip").stdout for kind in ("transform", "transforms")}
    assert len(shown) == 1
    assert reidcore("show", "recipe", "quickstart").stdout.startswith("recipe quickstart: ")


def test_show_looks_behind_what_was_bound_to_a_factory(reidcore: Run) -> None:
    shown = reidcore("show", "model", "resnet50").stdout
    assert "partial" not in shown
    assert "made by reid_plugins_zoo.resnet:" in shown
    assert "resnet50(num_classes: int = 1000, loss: str = 'softmax', pretrained: bool =" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_json_of_a_component_has_its_options_and_where_it_is_made(reidcore: Run) -> None:
    record = json.loads(reidcore("show", "dataset", "cuhk03", "--json").stdout)
    assert record["options"]["labeled_images"] == {
        "type": "bool",
        "required": False,
        "default": False,
        "spellings": ["cuhk03_labeled", "labeled"],
    }
    assert "root" not in record["options"]
    file, _, line = record["source"].rpartition(":")
    assert Path(file).read_text().splitlines()[int(line)].startswith("def cuhk03(")
