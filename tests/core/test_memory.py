"""How much memory is free: the machine's, and what control groups leave of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reidcore._memory import available_memory

GB = 1 << 30


def write(root: Path, **files: str) -> None:
    """Write files by their paths, whose parts are parted by two underscores."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def root(tmp_path) -> Path:
    write(tmp_path, proc__meminfo=f"MemTotal: {32 << 20} kB\nMemAvailable:  {8 << 20} kB\n")
    return tmp_path


def group(folder: Path, limit: str, used: int, version: int = 2, cached: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = ["memory.max", "memory.current", "inactive_file"]
    if version == 1:
        names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"]
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {cached}\n")


def test_this_process_has_some() -> None:
    free = available_memory()
    assert free is None or free > 0


def test_the_machine_counts_where_there_are_no_groups(root) -> None:
    assert available_memory(root) == 8 * GB


def test_a_group_that_has_less_left_counts(root) -> None:
    write(root, proc__self__cgroup="0::/shop/till\n")
    group(root / "sys/fs/cgroup/shop/till", "max", 3 * GB)
    assert available_memory(root) == 8 * GB
    group(root / "sys/fs/cgroup/shop", str(6 * GB), 4 * GB, cached=GB)
    assert available_memory(root) == 3 * GB
    group(root / "sys/fs/cgroup/shop/till", str(2 * GB), 3 * GB)
    assert available_memory(root) == 0


def test_groups_of_the_first_version_count(root) -> None:
    write(root, proc__self__cgroup="5:cpu,cpuacct:/shop\n4:memory:/shop\n0::/\n")
    group(root / "sys/fs/cgroup/memory/shop", str(9223372036854771712), GB, version=1)
    assert available_memory(root) == 8 * GB
    group(root / "sys/fs/cgroup/memory", str(5 * GB), GB, version=1)
    assert available_memory(root) == 4 * GB


def test_a_container_that_is_told_the_hosts_path_has_its_own_limit(root) -> None:
    write(root, proc__self__cgroup="0::/host/pod/container\n")
    group(root / "sys/fs/cgroup", str(2 * GB), GB)
    assert available_memory(root) == GB


def test_nothing_is_known_where_the_system_says_nothing(tmp_path) -> None:
    assert available_memory(tmp_path) is None
