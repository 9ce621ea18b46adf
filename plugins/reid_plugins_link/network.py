"""The network of cameras, as a file tells it: clocks, ways between cameras, common views."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reid_plugins_link.cameras import unknown_camera
from reidcore.errors import DataError, UserError, did_you_mean, quoted

Pair = tuple[str, str]


@dataclass(frozen=True)
class Clock:
    """When a camera recorded its frames.

    Attributes:
        fps: frames a second; None where the file does not tell it.
        start: when frame 1 was recorded, in seconds of a clock that all cameras share.
    """

    fps: float | None = None
    start: float = 0.0


@dataclass(frozen=True)
class Network:
    """What is known of the cameras of a site.

    Attributes:
        clocks: camera -> its clock.
        seconds: (from, to) -> the shortest and longest time between leaving the view of one and
            coming into that of the other, with no camera in between.
        unreachable: (from, to) of which no way leads from one to the other without being seen.
        overlaps: pairs of cameras, in both orders, that see a place at the same time.
    """

    clocks: Mapping[str, Clock] = field(default_factory=dict)
    seconds: Mapping[Pair, tuple[float, float]] = field(default_factory=dict)
    unreachable: frozenset[Pair] = frozenset()
    overlaps: frozenset[Pair] = frozenset()


class _Camera(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fps: float | None = Field(None, gt=0, allow_inf_nan=False)
    start: float = Field(0.0, allow_inf_nan=False)


class _Way(BaseModel):
    model_config = ConfigDict(extra="forbid")
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    seconds: list[float | None] = Field(min_length=1, max_length=2)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cameras: dict[str, _Camera] = {}
    transitions: list[_Way] = []
    unreachable: list[Pair] = []
    overlaps: list[Pair] = []


def read_network(path: Path, cameras: Sequence[str]) -> Network:
    """Read a network from a YAML file.

    Args:
        path: the file.
        cameras: the names that it may use.

    Raises:
        UserError: if it is missing, no YAML, laid out otherwise, or names another camera.
    """
    file = _read(path)
    told = [*file.cameras, *(name for way in file.transitions for name in (way.start, way.end))]
    told += [name for pair in (*file.unreachable, *file.overlaps) for name in pair]
    known = dict.fromkeys(cameras)
    for name in told:
        if name not in known:
            raise unknown_camera(name, known, f"the network {str(path)!r}")
    clocks = {name: Clock(camera.fps, camera.start) for name, camera in file.cameras.items()}
    seconds: dict[Pair, tuple[float, float]] = {}
    for way in file.transitions:
        if (way.start, way.end) in seconds:
            raise DataError(
                f"the network {str(path)!r} tells the way from {way.start!r} to {way.end!r} twice",
                "Leave out one of the two.",
            )
        seconds[way.start, way.end] = _span(way, path)
    unreachable = frozenset(file.unreachable)
    if both := sorted(unreachable & set(seconds)):
        raise DataError(
            f"the network {str(path)!r} says that {both[0][1]!r} cannot be reached from "
            f"{both[0][0]!r}, and how long the way takes",
            "Leave out one of the two.",
        )
    return Network(clocks, seconds, unreachable, both_ways(file.overlaps))


def both_ways(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """Return pairs in both orders."""
    return frozenset(pair for a, b in pairs for pair in ((a, b), (b, a)))


def read_overlaps(words: Sequence[str], cameras: Sequence[str]) -> frozenset[Pair]:
    """Return pairs of cameras given as ``A:B``, in both orders.

    Raises:
        UserError: if a word is no pair, or names another camera.
    """
    pairs: list[Pair] = []
    for word in words:
        a, sign, b = word.partition(":")
        if not sign or a == b:
            raise UserError(f"{quoted(word)} is no pair of cameras", "Write --overlap A:B.")
        for name in (a, b):
            if name not in cameras:
                raise unknown_camera(name, dict.fromkeys(cameras), "--overlap")
        pairs.append((a, b))
    return both_ways(pairs)


def _read(path: Path) -> _File:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"the network {str(path)!r} cannot be read: {error.strerror}", "Check the path."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"the network {str(path)!r} is no YAML: {error}") from error
    try:
        return _File.model_validate(content or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        near = did_you_mean(first["loc"][-1] if first["loc"] else "", _File.model_fields)
        raise DataError(
            f"the network {str(path)!r} is wrong at {where}: {first['msg']}",
            near or "It has cameras, transitions, unreachable and overlaps; docs/link.md shows it.",
        ) from error


def _span(way: _Way, path: Path) -> tuple[float, float]:
    low, high = (*way.seconds, None)[:2]
    low, high = low or 0.0, math.inf if high is None else high
    if not 0 <= low <= high:
        raise DataError(
            f"the network {str(path)!r} lets the way from {way.start!r} to {way.end!r} take from "
            f"{low:g} to {high:g} seconds",
            "Give the shortest time first.",
        )
    return low, high
