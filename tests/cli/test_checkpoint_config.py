"""A checkpoint alone is enough to test, to look at and to extract with its model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.cli.app import main
from reidcore.cli.checkpoint_config import configuration_of, is_checkpoint
from reidcore.errors import CheckpointError
from reidcore.models import export_weights

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a run of one epoch on three people, with a head and of an unusual size."""
    root = tmp_path_factory.mktemp("data")
    for split in ("train", "query", "gallery"):
        folder = root / split
        folder.mkdir()
        for pid in (1, 2, 3):
            for camera in (1, 2):
                picture = Image.new("RGB", (16, 32), (pid * 60, camera * 90, 0))
                picture.save(folder / f"{pid:04d}_c{camera}.png")
    save_dir = root / "log"
    words = ["-s", "folder", "-t", "folder", "--root", str(root), "model.name=osnet_x0_25"]
    words += ["model.pretrained=false", "model.head.neck=bnneck", "data.height=48"]
    words += ["data.width=24", "train.max_epoch=1", "train.batch_size=3", "data.workers=0"]
    words += ["test.dist_metric=cosine", "use_gpu=false", f"data.save_dir={save_dir}"]
    with pytest.raises(SystemExit) as left:
        main(["run", *words])
    assert left.value.code == 0
    return save_dir / "model.pth.tar-1"


@pytest.fixture
def reidcore_here(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return run


def test_a_test_of_it_gives_the_results_of_its_run(
    trained: Path, reidcore_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = json.loads((trained.parent / "results.json").read_text())
    monkeypatch.chdir(trained.parent)
    code, _, err = reidcore_here("test", trained.name)
    assert code == 0, err
    tested = json.loads((trained.parent / "test_results.json").read_text())
    for figure in ("mAP", "mINP", "rank1", "rank5"):
        assert tested["targets"]["folder"][figure] == ran["targets"]["folder"][figure]
    config = tested["config"]
    assert config["model"]["head"]["neck"] == "bnneck"
    assert config["test"]["dist_metric"] == "cosine"
    assert (config["data"]["height"], config["data"]["width"]) == (48, 24)


def test_a_dataset_that_only_tests_is_no_hindrance(
    trained: Path, reidcore_here: Run, tmp_path: Path
) -> None:
    plugin = tmp_path / "shop.py"
    plugin.write_text(
        "from reidcore import data, hookimpl\n\n\n"
        "def window(root):\n"
        "    return data.from_folders(root)._replace(train=[])\n\n\n"
        "@hookimpl\ndef reid_register_datasets(registry):\n"
        "    registry.add('window', window)\n"
    )
    words = ["-s", "window", "-t", "window", f"data.save_dir={tmp_path}"]
    code, _, err = reidcore_here("-p", plugin, "test", trained, *words)
    assert code == 0, err
    assert "window" in json.loads((tmp_path / "test_results.json").read_text())["targets"]


def test_it_is_drawn_without_further_words(trained: Path, reidcore_here: Run, tmp_path) -> None:
    look = tmp_path / "look"
    code, _, err = reidcore_here("visualize", "actmap", "--weights", trained, "--save-dir", look)
    assert code == 0, err
    assert len(list((look / "actmap_folder").iterdir())) == 6


def test_it_is_what_extract_needs(
    trained: Path, reidcore_here: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    query, out = trained.parent.parent / "query", tmp_path / "features.npz"
    with caplog.at_level("INFO", "reidcore"):
        code, _, err = reidcore_here("extract", query, "--weights", trained, "--output", out)
    assert code == 0, err
    assert "Loaded" in caplog.text
    assert "Left out" not in caplog.text  # a classifier that features do not need
    assert np.load(out)["features"].shape == (6, 512)


def test_its_safetensors_do_as_well(trained: Path, reidcore_here: Run, tmp_path) -> None:
    query, small = trained.parent.parent / "query", tmp_path / "small.safetensors"
    code, out, err = reidcore_here("weights", "export", trained, small)
    assert code == 0, err
    assert re.match(rf"{small}: \d+ tensors, \d\.\d MB", out)
    assert small.stat().st_size < trained.stat().st_size / 2
    for weights, features in ((trained, "a.npz"), (small, "b.npz")):
        words = ["--weights", weights, "--output", tmp_path / features]
        assert reidcore_here("extract", query, *words)[0] == 0
    pair = [np.load(tmp_path / name)["features"] for name in ("a.npz", "b.npz")]
    np.testing.assert_array_equal(*pair)
    code, _, err = reidcore_here("test", small)
    assert code == 0, err
    tested = json.loads((tmp_path / "test_results.json").read_text())
    assert tested["config"]["test"]["dist_metric"] == "cosine"


@pytest.mark.parametrize(
    "command", ["test", "safetensors", "ranks", "actmap", "resume", "load", "extract"]
)
def test_a_plugin_file_that_it_names_is_told_and_never_imported(
    trained: Path,
    reidcore_here: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    command: str,
) -> None:
    evil, weights = tmp_path / "evil.py", tmp_path / "doctored.pth"
    evil.write_text(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n")
    held = torch.load(trained, weights_only=True)
    held["reidcore"]["config"]["plugins"] = [str(evil)]
    torch.save(held, weights)
    if command == "safetensors":
        export_weights(weights, weights := tmp_path / "doctored.safetensors")
    look = ["--weights", weights, "--save-dir", tmp_path / "look"]
    words = {
        "ranks": ["visualize", "ranks", *look],
        "actmap": ["visualize", "actmap", *look],
        "resume": ["run", "--resume", weights, *_of_run(trained), "train.max_epoch=2"],
        "load": ["run", *_of_run(trained), f"model.load_weights={weights}", "train.max_epoch=0"],
        "extract": [
            *("extract", trained.parent.parent / "query", "--weights", weights),
            *("--output", tmp_path / "features.npz"),
        ],
    }.get(command, ["test", weights])
    code, _, err = reidcore_here(*words)
    assert code == 0, err
    assert not (tmp_path / "ran").exists()
    assert caplog.text.count(f"add it by -p {evil}") == 1


def test_a_plugin_file_that_the_user_adds_is_not_told(
    trained: Path, reidcore_here: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine, weights = tmp_path / "mine.py", tmp_path / "with_mine.pth"
    mine.write_text("")
    held = torch.load(trained, weights_only=True)
    held["reidcore"]["config"]["plugins"] = ["elsewhere/mine.py"]
    torch.save(held, weights)
    words = ["run", "--resume", weights, *_of_run(trained), "train.max_epoch=2"]
    assert reidcore_here("-p", mine, *words)[0] == 0
    assert "mine.py" not in caplog.text


def _of_run(trained: Path) -> list[str]:
    """The words of the run that left the checkpoint."""
    root = str(trained.parent.parent)
    words = ["-s", "folder", "-t", "folder", "--root", root, "model.name=osnet_x0_25"]
    words += ["model.head.neck=bnneck", "data.height=48", "data.width=24", "train.batch_size=3"]
    return [*words, "data.workers=0", "use_gpu=false", f"data.save_dir={trained.parent / 'more'}"]


def test_names_of_installed_plugins_restrict_its_test(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = torch.load(trained, weights_only=True)
    held["reidcore"]["config"]["plugins"] = ["./evil.py", "osnet", "sub/step.py"]
    torch.save(held, tmp_path / "named.pth")
    told = configuration_of(str(tmp_path / "named.pth"), added=["mine/step.py"])
    assert told["plugins"] == ["osnet"]
    assert "-p ./evil.py" in caplog.text
    assert "sub/step.py" not in caplog.text  # the user has added it


def test_a_run_is_not_a_test(trained: Path, reidcore_here: Run) -> None:
    code, _, err = reidcore_here("run", trained)
    assert code == 2
    assert f"reidcore test {trained}" in err
    assert f"--resume {trained}" in err


def test_bare_weights_do_not_tell_their_model(reidcore_here: Run, tmp_path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "bare.pth")
    code, _, err = reidcore_here("test", tmp_path / "bare.pth")
    assert code == 2
    assert "bare.pth' does not tell its model" in err


def test_a_configuration_is_no_checkpoint(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("use_gpu: false\n")
    assert is_checkpoint(str(trained))
    assert not is_checkpoint(str(tmp_path / "mine.yaml"))
    flow = tmp_path / "flow.yaml"
    flow.write_text("\nmodel: {name: osnet_x1_0}\n")  # a brace where safetensors has one
    assert not is_checkpoint(str(flow))
    assert not is_checkpoint("quickstart")


@pytest.mark.parametrize("name", ["net.pth", "model.pth.tar-3", "net.safetensors"])
@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>"])
def test_a_file_named_as_weights_is_no_configuration(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_checkpoint(str(tmp_path / name))
    with pytest.raises(CheckpointError, match=name):
        configuration_of(str(tmp_path / name))
