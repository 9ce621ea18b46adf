"""Memory that is kept for the next step, by page faults: seconds say little on a shared machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from reidcore._memory import peak_memory

_ALLOCATE = """
import json, resource, sys
from reidcore._memory import keep_memory
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

    from reidcore import _memory

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("no library is asked"))
    assert not _memory.keep_memory()


def test_another_libc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    from reidcore import _memory

    for name in _OWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not _memory.keep_memory()


def test_the_peak_is_in_bytes() -> None:
    peak = peak_memory()
    assert peak is not None
    assert 10 << 20 < peak < 1 << 40
