"""Files that belong together, as arrays: which group each is in, and what a group mixes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reid_plugins_inspect.checks.inputs import TRAIN, Files
from reidcore.data import Int64Array


class Mixture(NamedTuple):
    """What the files of each of G groups are used for.

    Attributes:
        phases: (G,) whether some are used in training and others in testing.
        people: (G,) whether they are used, within training or within testing, as images of
            different identities.
    """

    phases: npt.NDArray[np.bool_]
    people: npt.NDArray[np.bool_]


def mixture(group: Int64Array, count: int, files: Files) -> Mixture:
    """Say what groups mix.

    Args:
        group: (M,) the group of each file, -1 for one that is in none.
        count: the number of groups.
        files: the M files and their uses.
    """
    used = group[files.file]
    inside = used >= 0
    used, testing, pid = used[inside], files.split[inside] != TRAIN, files.pid[inside]
    phases = _differ(used, testing.astype(np.int64), count)
    people = np.zeros(count, dtype=np.bool_)
    for phase in (False, True):
        some = testing == phase
        people |= _differ(used[some], pid[some], count)
    return Mixture(phases, people)


def _differ(group: Int64Array, value: Int64Array, count: int) -> npt.NDArray[np.bool_]:
    """Return (count,) whether a group's values differ."""
    limits = np.iinfo(np.int64)
    lowest = np.full(count, limits.max)
    highest = np.full(count, limits.min)
    np.minimum.at(lowest, group, value)
    np.maximum.at(highest, group, value)
    return lowest < highest


def examples_of(group: Int64Array, wanted: npt.NDArray[np.bool_], paths: list[str]) -> list[str]:
    """Return the first files of the first wanted groups: ``a.jpg = b.jpg``."""
    shown = []
    for number in np.flatnonzero(wanted)[:5].tolist():
        members = np.flatnonzero(group == number)
        more = f" (and {len(members) - 3} more)" if len(members) > 3 else ""
        shown.append(" = ".join(paths[member] for member in members[:3].tolist()) + more)
    return shown
