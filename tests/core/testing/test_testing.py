"""What plugin authors test with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import data, hookimpl, registry
from reidcore.data import init_image_dataset
from reidcore.errors import ConfigError, PluginError
from reidcore.testing import TinyNet, TinyWorld, fake_dataset, make_plugins, tiny_run


def test_a_fake_dataset_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = fake_dataset(tmp_path, ids=3, cameras=2, images=2)
    assert [*map(list, data.from_folders(tmp_path))] == [*written]
    assert [len(split) for split in written] == [12, 12, 12]
    assert {sample.pid for sample in written.train} == {1, 2, 3}
    assert {sample.pid for sample in written.query} == {4, 5, 6}
    assert {sample.camid for sample in written.gallery} == {1, 2}


def test_a_fake_dataset_is_the_same_every_time_and_another_by_seed(tmp_path: Path) -> None:
    options: dict[str, Any] = {"ids": 1, "images": 1}
    drawn = [
        [Path(sample.path).read_bytes() for split in splits for sample in split]
        for splits in (
            fake_dataset(tmp_path / "first", **options),
            fake_dataset(tmp_path / "again", **options),
            fake_dataset(tmp_path / "other", **options, seed=1),
        )
    ]
    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(drawn[2])
    assert len(set(drawn[0])) == len(drawn[0])  # no query is in the gallery as well


def test_a_fake_dataset_has_the_layout_that_is_asked_for(tmp_path: Path) -> None:
    written = fake_dataset(
        tmp_path, ids=2, train=None, gallery="db", name="cam{camid}_id{pid}_{image}.jpg"
    )
    assert written.train == []
    read = data.from_folders(
        tmp_path, train=None, gallery="db", pattern=r"cam(?P<camid>\d+)_id(?P<pid>\d+)"
    )
    assert [*map(list, read)] == [*written]


class Norm:
    @hookimpl(wrapper=True)
    def reid_compute_losses(self, outputs: Any) -> Any:
        losses = yield
        return {**losses, "norm": 0.01 * outputs.features.norm(dim=1).mean()}


def test_a_tiny_run_trains_with_the_plugins_that_it_is_given(tmp_path: Path) -> None:
    result, engine = tiny_run(Norm(), save_dir=tmp_path / "log")
    assert isinstance(engine.model, TinyNet)
    assert result["training"][0]["norm"] > 0
    assert result["step"]["loss_wrappers"] == ["Norm"]
    assert 0 < result["targets"]["tiny"]["mAP"] <= 1
    assert (tmp_path / "log" / "model.pth.tar-1").is_file()


def test_a_tiny_run_is_repeatable(tmp_path: Path) -> None:
    first, again = (tiny_run(save_dir=tmp_path / name).engine.model for name in ("a", "b"))
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])


class Mine:
    def __init__(self) -> None:
        self.configured: list[float] = []

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("mine", lambda root: data.from_folders(root / "somewhere"))

    @hookimpl
    def reid_configure(self, config: Any) -> None:
        self.configured.append(config.train.lr)


def test_a_tiny_run_uses_the_dataset_and_the_settings_that_it_is_given(tmp_path: Path) -> None:
    fake_dataset(tmp_path / "somewhere", ids=3)
    mine = Mine()
    run = tiny_run(
        mine, save_dir=tmp_path / "log", root=tmp_path, dataset="mine", overrides=["train.lr=0.5"]
    )
    assert list(run.result["targets"]) == ["mine"]
    assert run.engine.datamanager.num_train_pids == 3
    assert mine.configured == [0.5]
    with pytest.raises(ConfigError, match="max_epoch"):
        tiny_run(save_dir=tmp_path, overrides=["train.max_epch=2"])


def test_plugins_of_a_test_are_the_bundled_and_the_given_ones(site: Any) -> None:
    source = (
        "from reidcore import hookimpl\n"
        "@hookimpl\n"
        "def reid_register_models(registry):\n"
        "    registry.add(__name__, dict)\n"
    )
    site.install_module("reid_mine", source)
    site.install_module("reid_strange", source)
    with make_plugins("reid_mine", TinyWorld()) as plugins:
        names = {entry.name for entry in registry.entries("models")}
    assert {"osnet_x1_0", "reid_mine", "tinynet"} <= names
    assert "reid_strange" not in names
    assert plugins.get("reid_mine").distribution == "reid_mine"
    with pytest.raises(PluginError, match="nowhere"):
        make_plugins("nowhere")


def test_the_tiny_dataset_is_drawn_by_the_first_run_alone(tmp_path: Path) -> None:
    people = fake_dataset(tmp_path / "tiny", ids=3)
    run = tiny_run(save_dir=tmp_path / "log", root=tmp_path)
    assert run.engine.datamanager.num_train_pids == 3
    with make_plugins(TinyWorld()):
        assert len(init_image_dataset("tiny", root=tmp_path).train) == len(people.train)


def test_importing_it_loads_no_torch() -> None:
    code = "import sys, reidcore.testing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
