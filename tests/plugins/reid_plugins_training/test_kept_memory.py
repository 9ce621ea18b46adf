"""Memory that is kept for the next step, by page faults: seconds say little on a shared machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from reid_plugins_training import kept_memory

from reidcore.testing import tiny_run
from tests.cli.conftest import SMALL
from tests.program import run_in

_ALLOCATE = """
import json, resource, sys
from reid_plugins_training.kept_memory import keep_memory
kept = keep_memory() if sys.argv[1] == "keep" else False
faults = []
for _ in range(4):  # what a step allocates and frees: blocks below and above 32 MiB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [bytearray(b"x") * (size << 20) for size in (1, 8, 48, 3)]
    del blocks
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(json.dumps([kept, faults[-1]]))
"""

_OWN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")

glibc = pytest.mark.skipif(
    sys.platform != "linux" or "glibc" not in os.confstr("CS_GNU_LIBC_VERSION"),  # type: ignore[operator]
    reason="needs Linux with glibc",
)


def allocated(choice: str, **environment: str) -> tuple[bool, int]:
    """Return whether memory was kept, and the page faults of the last round."""
    unset = {name: value for name, value in os.environ.items() if name not in _OWN}
    done = subprocess.run(
        [sys.executable, "-c", _ALLOCATE, choice],
        env={**unset, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    kept, faults = json.loads(done.stdout)
    return kept, faults


@glibc
def test_blocks_of_any_size_are_mapped_once() -> None:
    pages = (60 << 20) // os.sysconf("SC_PAGE_SIZE")
    assert allocated("leave")[1] > pages / 2
    kept, faults = allocated("keep")
    assert kept
    assert faults < pages / 100


@glibc
@pytest.mark.parametrize(
    "own",
    [
        {"MALLOC_TRIM_THRESHOLD_": "131072"},
        {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=131072"},
    ],
)
def test_what_the_environment_says_wins(own: dict[str, str]) -> None:
    assert not allocated("keep", **own)[0]


@glibc
def test_other_settings_of_the_allocator_do_not_matter() -> None:
    assert allocated("keep", MALLOC_ARENA_MAX="2")[0]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    import ctypes

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("no library is asked"))
    assert not kept_memory.keep_memory()


def test_another_libc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    for name in _OWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not kept_memory.keep_memory()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often memory was kept; this process goes on as it was."""
    calls: list[bool] = []

    def keep() -> bool:
        calls.append(True)
        return True

    monkeypatch.setattr(kept_memory, "keep_memory", keep)
    return calls


def test_a_training_keeps_memory_and_records_its_peak(tmp_path: Path, kept: list[bool]) -> None:
    assert run_in(tmp_path, "run", "quickstart", *SMALL).code == 0
    assert kept == [True]
    record = json.loads((tmp_path / "log/quickstart/results.json").read_text())
    assert record["peak_memory"]["process"] > 10 << 20
    assert record["peak_memory"]["cuda"] is None
    kept.clear()
    checkpoint = tmp_path / "log/quickstart/model.pth.tar-1"
    assert run_in(tmp_path, "test", checkpoint).code == 0
    assert not kept


def test_it_may_be_switched_off(tmp_path: Path, kept: list[bool]) -> None:
    assert run_in(tmp_path, "run", "quickstart", *SMALL, "train.keep_memory=false").code == 0
    assert not kept


def test_a_run_by_hand_leaves_the_process_as_it_is(tmp_path: Path, kept: list[bool]) -> None:
    engine = tiny_run(save_dir=tmp_path / "tiny").engine
    engine.config = None
    engine.run(save_dir=str(tmp_path / "by_hand"), max_epoch=1)
    assert not kept
