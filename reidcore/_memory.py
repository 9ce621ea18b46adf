"""How much memory is free for this process, its container's limit included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/")


def available_memory(root: Path = _ROOT) -> int | None:
    """Return the bytes that this process can still take; None where the system does not say.

    The least of what the machine has left and of what the control groups of the process (Linux,
    version 1 or 2) have left, each up to the root of their tree. Files that are cached count as
    free, because they are given up where memory is short.

    Args:
        root: where ``proc`` and ``sys`` are mounted.
    """
    free = [left for folder in _groups(root) if (left := _left_in(folder)) is not None]
    with suppress(OSError, StopIteration):
        lines = (root / "proc/meminfo").read_text().splitlines()
        free.append(next(int(line.split()[1]) << 10 for line in lines if "MemAvailable:" in line))
    return min(free, default=None)


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that the process is in, from the inside out."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for _, controllers, place in (line.split(":", 2) for line in lines):
        if not controllers or "memory" in controllers.split(","):
            top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
            inner = top / place.lstrip("/")
            # In a container the path may be the host's: the root that is mounted is its own group.
            yield from (each for each in (inner, *inner.parents) if each.is_relative_to(top))


def _left_in(group: Path) -> int | None:
    """Return what a control group has left; None where it has no limit."""
    for limit, used, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(OSError, ValueError):  # no such file, or "max"
            most = int((group / limit).read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            return max(0, most - int((group / used).read_text()) + int(stat.get(cached, 0)))
    return None
