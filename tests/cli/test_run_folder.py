"""``reidcore run`` in a folder of another run, past or present, or on a full disk."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from reidcore._run_folder import LOCK, sole_writer

WORLD = """
from reidcore.testing import TinyWorld

world = TinyWorld()
reid_register_models = world.reid_register_models
reid_register_datasets = world.reid_register_datasets
"""

CONFIG = """
use_gpu: false
model: {name: tinynet, pretrained: false}
data: {sources: tiny, targets: tiny, height: 32, width: 16, workers: 0}
train: {batch_size: 8, max_epoch: 1}
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(in_tiny_world: Callable[[str, str], Run]) -> Run:
    """Run a command line in the tiny world; return the exit code and what was told."""
    return in_tiny_world(WORLD, CONFIG)


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where data and model are built."""

    def build(*_: object) -> None:
        raise AssertionError("data and model are built")

    monkeypatch.setattr("reidcore.cli.run_config.prepare", build)


def held(folder: str) -> Path:
    """Return a folder with a checkpoint in it."""
    path = Path(folder)
    path.mkdir(parents=True)
    (path / "model.pth.tar-3").write_text("of another run")
    return path


@pytest.mark.usefixtures("nothing_is_built")
def test_a_folder_with_another_run_is_refused_before_anything_is_built(run: Run) -> None:
    folder = held("runs/a b")
    held("runs/a b-2")
    code, told = run("run", "small.yaml", "data.save_dir=runs/a b")
    assert code == 2
    assert "'runs/a b' holds another run (model.pth.tar-3)" in told
    begin = "reidcore -p world.py run small.yaml 'data.save_dir=runs/a b'"
    assert f"{begin} --resume auto   # go on with it\n" in told
    assert f"{begin} --overwrite   # train in its place\n" in told
    assert f"{begin} 'data.save_dir=runs/a b-3'   # keep both\n" in told
    assert [path.name for path in folder.iterdir()] == ["model.pth.tar-3"]


@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize("name", [".", "..", "../exp", "a/.."])
def test_a_folder_without_a_name_is_told_by_its_own(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    folder = held("top/exp")
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    for file in ("world.py", "small.yaml"):
        (folder / file).write_bytes(Path(file).read_bytes())
        (folder / "b" / file).write_bytes(Path(file).read_bytes())
    monkeypatch.chdir(folder / "b" if name == ".." else folder)
    code, told = run("run", "small.yaml", f"data.save_dir={name}")
    assert code == 2, told
    fresh = "../exp-2" if name == "../exp" else tmp_path / "top" / "exp-2"
    assert f"data.save_dir={fresh}   # keep both" in told


@pytest.mark.usefixtures("nothing_is_built")
def test_beside_the_root_there_is_no_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reidcore.cli.run_folder.check_writable", lambda *_: None)
    monkeypatch.setattr("reidcore.cli.run_folder.sole_writer", lambda _: nullcontext())
    monkeypatch.setattr(
        "reidcore.cli.run_folder.checkpoints_in", lambda _: [Path("model.pth.tar-3")]
    )
    code, told = run("run", "small.yaml", "data.save_dir=/")
    assert code == 2, told
    assert "# train in its place" in told
    assert "# keep both" not in told


def test_each_of_the_command_lines_does_what_it_says(run: Run) -> None:
    assert run("run", "small.yaml")[0] == 0
    code, told = run("run", "small.yaml")
    assert code == 2
    lines = re.findall(r"reidcore -p world.py (.*?)   # ", told)
    resume, overwrite, beside = [shlex.split(line) for line in lines]
    Path("log/notes.txt").write_text("mine")
    code, told = run(*resume, "train.max_epoch=2")
    assert code == 0, told
    assert "Resuming from log/model.pth.tar-1" in told
    code, told = run(*beside)
    assert code == 0, told
    assert {"model.pth.tar-1", "results.json"} <= {path.name for path in Path("log-2").iterdir()}
    code, told = run(*overwrite)
    assert code == 0, told
    left = {path.name for path in Path("log").iterdir()}
    assert "model.pth.tar-2" not in left
    assert {"model.pth.tar-1", "notes.txt", "train.log", "resolved_config.yaml"} <= left
    assert Path("log/train.log").read_text().count("Results written") == 1
    assert not any(name.startswith("earlier") for name in left)


def test_tests_and_runs_that_go_on_are_not_refused(run: Run) -> None:
    assert run("run", "small.yaml")[0] == 0
    for words in (
        ["test", "log/model.pth.tar-1"],
        ["run", "small.yaml", "--resume", "log/model.pth.tar-1", "train.max_epoch=2"],
        ["run", "small.yaml", "train.start_epoch=2", "train.max_epoch=3"],
        ["run", "small.yaml", "test.evaluate=true"],
        ["run", "small.yaml", "--print-config"],
    ):
        code, told = run(*words)
        assert code == 0, told


def test_auto_without_a_whole_checkpoint_keeps_what_is_there(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reidcore._run_folder._trained_in", set())
    held("log")
    code, told = run("run", "small.yaml", "--resume", "auto")
    assert code == 0, told
    assert Path("log/earlier-1/model.pth.tar-3").read_text() == "of another run"


@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--resume", "log/model.pth.tar-1"], "--overwrite is for a training that starts anew"),
        (["train.start_epoch=1"], "--overwrite is for a training that starts anew"),
        (["model.load_weights=log/model.pth.tar-1"], "would remove 'log/model.pth.tar-1', which"),
    ],
)
def test_what_a_run_begins_with_is_not_overwritten(
    run: Run, words: list[str], told: str, trained: Path
) -> None:
    code, said = run("run", "small.yaml", "--overwrite", *words)
    assert code == 2
    assert told in said
    assert Path("log/model.pth.tar-1").is_file()


@pytest.fixture
def trained(run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a run."""
    from reidcore.testing import tiny_run

    tiny_run(save_dir="log", root="reid-data")
    return Path("log")


@pytest.mark.usefixtures("nothing_is_built")
def test_two_commands_at_once_are_one_too_many(run: Run) -> None:
    Path("log").mkdir()
    with sole_writer("log"):
        code, told = run("run", "small.yaml")
        assert code == 2
        assert f"another run writes to 'log': process {os.getpid()} on " in told
        assert "data.save_dir=FOLDER" in told
    assert not Path("log", LOCK).exists()


def fill_disk(monkeypatch: pytest.MonkeyPatch, *read_only: str) -> None:
    """Let nothing be written: anywhere, or into the folders that are named."""
    real = os.fsync

    def fail(file: int) -> None:
        place = os.readlink(f"/proc/self/fd/{file}")
        if not read_only or Path(place).parent.name in read_only:
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr("os.fsync", fail)


linux = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="asks Linux for a file's name"
)


@linux
@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["run", "small.yaml"], "data.save_dir=FOLDER"),
        (["run", "small.yaml", "test.evaluate=true"], "data.save_dir=FOLDER"),
        (["visualize", "ranks", "-d", "tiny", "-m", "tinynet", "--weights", "x"], "--save-dir"),
        (["extract", "reid-data", "-w", "x.pth", "-o", "x.npz"], "-o FILE"),
        (["weights", "export", "x.pth", "x.safetensors"], "another OUTPUT"),
        (["data", "show", "tiny", "-o", "x.png"], "-o FILE"),
        (["cp", "quickstart", "my.yaml"], "Free some space"),
    ],
)
def test_a_full_disk_is_told_before_there_is_anything_to_lose(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], remedy: str
) -> None:
    fill_disk(monkeypatch)
    before = sorted(os.listdir())
    code, told = run(*words)
    assert code == 2, told
    assert "cannot write" in told
    assert "No space left on device" in told
    assert remedy in told
    assert sorted(os.listdir()) == before


@linux
def test_a_checkpoint_in_a_read_only_folder_is_tested_with_its_results_elsewhere(
    run: Run, monkeypatch: pytest.MonkeyPatch, trained: Path
) -> None:
    trained.rename("archive")
    fill_disk(monkeypatch, "archive")
    before = sorted(os.listdir("archive"))
    code, told = run("test", "archive/model.pth.tar-1")
    assert code == 0, told
    assert "cannot write 'archive': No space left on device: the results go to 'log'" in told
    assert Path("log/test_results.json").is_file()
    assert sorted(os.listdir("archive")) == before
