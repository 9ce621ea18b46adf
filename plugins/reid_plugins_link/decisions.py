"""What a person decided about pairs of tracks, and how it is kept to."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reid_plugins_link.boxes import Float64, Int64
from reid_plugins_link.constraints import Constraints
from reid_plugins_link.tracklets import Tracklets
from reidcore.errors import DataError, did_you_mean, quoted

COLUMNS = ("camera_a", "track_a", "camera_b", "track_b", "decision")
"""The columns that are read; others may stand beside them."""

SAME, DIFFERENT = "same", "different"


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        a: a track.
        b: another, which begins no earlier.
        is_same: whether they are one identity.
        where: file and line, for messages.
    """

    a: int
    b: int
    is_same: bool
    where: str


@dataclass(frozen=True, eq=False)
class Contracted:
    """Tracks that were decided to be the same, as one each, in the order in which they begin.

    Attributes:
        group: (T,) which of the G groups each track is in.
        sizes: (G,) how many tracks each group has.
        scores: (G, G) mean scores.
        constraints: of the groups.
    """

    group: Int64
    sizes: Int64
    scores: Float64
    constraints: Constraints


def read_decisions(path: Path, tracklets: Tracklets) -> list[Decision]:
    """Read the decisions from a filled-in ``undecided.csv``; rows without one are passed over.

    Raises:
        DataError: if the file is missing, or a row names what is not there.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if lacking:
                raise DataError(
                    f"{str(path)!r} has no column {lacking[0]!r}",
                    f"It needs {', '.join(COLUMNS)}, as undecided.csv has them.",
                )
            known = tracklets.find()
            found = [_decision(row, known, f"{path}:{reader.line_num}") for row in reader]
    except OSError as error:
        raise DataError(
            f"the decisions {str(path)!r} cannot be read: {error.strerror}", "Check the path."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{str(path)!r} is no CSV file: {error}") from error
    return [decision for decision in found if decision is not None]


def _decision(
    row: Mapping[str, str | None], known: Mapping[tuple[str, int], int], where: str
) -> Decision | None:
    answer = (row["decision"] or "").strip().lower()
    if not answer:
        return None
    if answer not in (SAME, DIFFERENT):
        raise DataError(
            f"{where} decides {quoted(answer)}",
            did_you_mean(answer, (SAME, DIFFERENT)) or f"Write {SAME}, {DIFFERENT} or nothing.",
        )
    a, b = sorted(_track(row, side, known, where) for side in "ab")
    if a == b:
        raise DataError(f"{where} decides about a track and itself", "Name two tracks.")
    return Decision(a, b, answer == SAME, where)


def _track(
    row: Mapping[str, str | None], side: str, known: Mapping[tuple[str, int], int], where: str
) -> int:
    camera, number = (row[f"camera_{side}"] or "").strip(), (row[f"track_{side}"] or "").strip()
    key = (camera, int(number)) if number.isdecimal() else (camera, -1)
    if key not in known:
        names = [f"{name}/{track}" for name, track in known]
        raise DataError(
            f"{where} names the track {camera}/{number}, which is not there",
            did_you_mean(f"{camera}/{number}", names) or "Are these the tracks it was made from?",
        )
    return known[key]


def check_decisions(decisions: Sequence[Decision], tracklets: Tracklets, group: Int64) -> None:
    """Refuse decisions that contradict one another, or what one camera saw at one time.

    Args:
        decisions: all of them.
        tracklets: all tracks.
        group: (T,) tracks that were decided to be the same have one number.

    Raises:
        DataError: naming what contradicts what.
    """
    for decision in decisions:
        if not decision.is_same and group[decision.a] == group[decision.b]:
            raise DataError(
                f"{decision.where} says that {tracklets.name(decision.a)} and "
                f"{tracklets.name(decision.b)} are different, and others that they are the same",
                "Mend one of them.",
            )
    for label in np.unique([group[each.a] for each in decisions if each.is_same]):
        members = np.flatnonzero(group == label)
        for camera in np.unique(tracklets.camera[members]):
            own = members[tracklets.camera[members] == camera]
            clash = np.flatnonzero(tracklets.start[own[1:]] <= tracklets.end[own[:-1]])
            if len(clash):
                a, b = own[clash[0]], own[clash[0] + 1]
                wheres = [each.where for each in decisions if {each.a, each.b} & {a, b}]
                raise DataError(
                    f"{', '.join(wheres)}: {tracklets.name(a)} and {tracklets.name(b)} would be "
                    "one identity, and one camera saw both at the same time",
                    "Decide differently, or mend the tracks.",
                )


def groups_of(decisions: Sequence[Decision], count: int) -> Int64:
    """Return (T,) a group for each track; those decided to be the same share one.

    Groups are numbered in the order of their first tracks.
    """
    found = np.arange(count)
    for decision in decisions:
        if decision.is_same:
            a, b = found[decision.a], found[decision.b]
            found[found == max(a, b)] = min(a, b)
    return np.unique(found, return_inverse=True)[1].reshape(-1).astype(np.int64)


def contract(group: Int64, scores: Float64, constraints: Constraints) -> Contracted:
    """Make each group one: mean scores, and forbidden where any of its tracks is.

    Args:
        group: (T,) of `groups_of`.
        scores: (T, T).
        constraints: of the tracks.
    """
    count = int(group.max(initial=-1)) + 1
    sizes = np.bincount(group, minlength=count)
    if count == len(group):
        return Contracted(group, sizes, scores, constraints)
    means = _summed(scores, group, count) / np.outer(sizes, sizes)
    either = constraints.follows | constraints.follows.T
    follows = np.triu(_summed(either, group, count) > 0, k=1)
    forbidden = _summed(constraints.forbidden, group, count) > 0
    np.fill_diagonal(forbidden, False)
    return Contracted(group, sizes, means, Constraints(follows, forbidden))


def _summed(matrix: np.ndarray, group: Int64, count: int) -> Float64:
    """Return (G, G) the sums of the blocks of a matrix (T, T)."""
    rows = np.zeros((count, len(group)))
    np.add.at(rows, group, matrix)
    sums = np.zeros((count, count))
    np.add.at(sums.T, group, rows.T)
    return sums
