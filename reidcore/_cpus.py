"""How many processors there are for this process."""

from __future__ import annotations

import os


def usable_cpus() -> int:
    """Return how many CPUs this process may run on, as far as the system says; 1 or more.

    Those of the machine are more where a scheduler, a container's cpuset or ``taskset`` gives this
    process a part of them.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
