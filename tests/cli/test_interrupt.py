"""Ctrl-C in a real run leaves a checkpoint, says how to go on, and the run goes on."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

from reidcore.cli import main

PLUGIN = """
import time
from reidcore import data, hookimpl

@hookimpl
def reid_register_datasets(registry):
    registry.add("plain", lambda root: data.from_folders(root / "plain"))

@hookimpl
def reid_step_end(engine):
    time.sleep(0.2)
"""


def write_images(root: Path) -> None:
    from PIL import Image

    for split, first in (("train", 1), ("query", 11), ("gallery", 11)):
        folder = root / "plain" / split
        folder.mkdir(parents=True)
        for pid in range(first, first + 4):
            for camera in (1, 2):
                colour = (pid * 20 % 256, camera * 90, pid * 7 % 256)
                Image.new("RGB", (16, 32), colour).save(folder / f"{pid:04d}_c{camera}_0.png")


def command(root: Path, log: Path, *overrides: str) -> list[str]:
    words = ["run", "quickstart", "-p", str(root / "slow.py"), "-s", "plain", "-t", "plain"]
    words += ["--root", str(root), "train.batch_size=4", "train.max_epoch=30", "data.workers=2"]
    words += ["data.height=64", "data.width=32", "train.print_freq=1", "test.visrank=false"]
    return [sys.executable, "-m", "reidcore", *words, f"data.save_dir={log}", *overrides]


def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_resume(tmp_path: Path) -> None:
    write_images(tmp_path)
    (tmp_path / "slow.py").write_text(PLUGIN)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command(tmp_path, tmp_path / "log"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    shown = []
    for line in process.stdout:
        shown.append(line)
        if "epoch: [2/30][1/2]" in line:
            # A terminal sends Ctrl-C to the whole group, the workers included.
            os.killpg(process.pid, signal.SIGINT)
            break
    rest, _ = process.communicate(timeout=120)
    output = "".join(shown) + rest

    assert process.returncode == 130, output
    assert "Traceback" not in output
    resume = re.search(r"model\.resume=(\S+)", output)
    assert resume, output
    assert Path(resume.group(1)).is_file()

    resumed = subprocess.run(
        command(tmp_path, tmp_path / "log", resume.group(0), "train.max_epoch=3"),
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "epoch: [2/3][2/2]" in resumed.stdout
    assert "epoch: [1/3]" not in resumed.stdout
    assert (tmp_path / "log" / "results.json").is_file()


@pytest.mark.parametrize(
    ("by", "code"),
    [([], 130), ([signal.SIGINT], 130), ([signal.SIGTERM], 143), ([signal.Signals(1)], 129)],
)
def test_a_command_that_was_stopped_exits_as_a_shell_tells_it(
    monkeypatch: pytest.MonkeyPatch, by: list[signal.Signals], code: int
) -> None:
    def stop() -> str:
        raise KeyboardInterrupt(*by)

    monkeypatch.setattr("reidcore._environment.collect_env_info", stop)
    with pytest.raises(SystemExit) as ended:
        main(["env"])
    assert ended.value.code == code


def test_ctrl_c_while_modules_are_loaded_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "reidcore.cli", Interrupted("reidcore.cli"))
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("reidcore", run_name="__main__")
    assert ended.value.code == 130
