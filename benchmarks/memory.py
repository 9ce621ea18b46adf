"""The peak memory of a process, for the benchmarks."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def reset_peak() -> int:
    """Forget the peak so far (Linux can) and return the memory in use, in bytes."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return status_bytes("VmRSS")
    except OSError:
        return peak_memory()


def peak_memory() -> int:
    """Return the peak memory in bytes."""
    try:
        return status_bytes("VmHWM")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def status_bytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024
