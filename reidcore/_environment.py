"""What the program runs on, for bug reports and records."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
import torchvision

import reidcore


def versions() -> dict[str, str]:
    """Return the versions of what computes a run's figures."""
    from reidcore.data.images.decode import decoder_in_use
    from reidcore.evaluation import kernel_in_use

    return {
        "reidcore": reidcore.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": np.__version__,
        "evaluation kernel": kernel_in_use(),
        "JPEG decoder": decoder_in_use(),
    }


def environment() -> dict[str, str]:
    """Return versions, devices and threads."""
    return {
        **versions(),
        "platform": platform.platform(),
        "cpu cores": str(os.cpu_count()),
        "torch threads": str(torch.get_num_threads()),
        "cuda": _cuda(),
        "mps": "available" if torch.backends.mps.is_available() else "not available",
    }


def peak_memory() -> int | None:
    """Return the most memory that this process has held so far, in bytes; None where unknown."""
    with suppress(OSError, StopIteration):  # rusage has the peak of the program that started it
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    with suppress(ImportError):  # Windows has no such module
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return None


def collect_env_info() -> str:
    """Return versions, devices and threads, a line each."""
    facts = environment()
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


def _cuda() -> str:
    if not torch.cuda.is_available():
        return "not available"
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return f"{torch.version.cuda}: {', '.join(names)}"
