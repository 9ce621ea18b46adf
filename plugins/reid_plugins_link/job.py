"""What ``reidcore link`` does, from files to files."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_plugins_link.boxes import Boxes, read_boxes
from reid_plugins_link.cameras import TRUTH, Camera, find_cameras, find_files, unknown_camera
from reid_plugins_link.constraints import Rules
from reid_plugins_link.crops import choose_crops
from reid_plugins_link.decisions import read_decisions
from reid_plugins_link.doubts import find_doubts
from reid_plugins_link.feature_files import read_described
from reid_plugins_link.features import Described, extract_features, require_frames
from reid_plugins_link.grouping import check_method
from reid_plugins_link.linking import Linked, link_tracklets
from reid_plugins_link.network import Network, read_network, read_overlaps
from reid_plugins_link.results import write_results
from reid_plugins_link.scores import Scores, score
from reid_plugins_link.sheets import draw_sheets
from reid_plugins_link.threshold import Threshold, calibrated_threshold, given_threshold
from reid_plugins_link.tracklets import Tracklets, paths_of, read_tracklets
from reidcore.cli import find_device, progress
from reidcore.data import first_names, leave_out
from reidcore.errors import UserError, counted
from reidcore.utils import atomic_folder, check_writable

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_log = logging.getLogger(f"reidcore.{__name__}")


@dataclass(frozen=True)
class Asked:
    """The command's arguments, by their names there."""

    tracks: Sequence[str]
    output: str
    weights: str | None
    model: str
    frames: Sequence[str]
    features: Sequence[str]
    network: str | None
    overlap: Sequence[str]
    fps: float | None
    threshold: float | None
    calibration: str | None
    fmr: float | None
    undecided: float | None
    method: str
    learn: bool
    rejoin: float
    tolerance: float
    crops: int
    accept: Sequence[str]
    truth: Sequence[str]
    sheets: bool
    batch_size: int | None
    device: str | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of it.

    Attributes:
        tracklets: all tracks.
        linked: their identities.
        threshold: from which similarity they were joined.
        scores: what the truth says of them; None without one.
        doubts: how many pairs a person should look at.
        record: all of it in plain values, as in ``link.json``.
    """

    tracklets: Tracklets
    linked: Linked
    threshold: Threshold
    scores: Scores | None
    doubts: int
    record: Mapping[str, Any] = field(default_factory=dict)


def link_cameras(asked: Asked, plugins: Plugins) -> Outcome:
    """Join the tracks of several cameras, and write what came of it.

    Raises:
        UserError: if something is missing, wrong or contradictory; most of it before any crop is
            looked at.
    """
    _check(asked)
    cameras = find_cameras(asked.tracks, asked.frames)
    names = [camera.name for camera in cameras]
    if asked.sheets:
        require_frames(names, paths_of(cameras), "Leave --sheets out.")
    rules = _rules(asked, names)
    threshold = _threshold(asked, names)
    tracklets = read_tracklets(cameras, rules.network, asked.fps)
    decisions = [each for path in asked.accept for each in read_decisions(Path(path), tracklets)]
    truth = _truth(asked.truth, names)
    described = _describe(asked, tracklets, cameras, plugins)
    means = described.means(len(tracklets))
    unseen = [tracklets.name(k) for k, row in enumerate(means) if not row.any()]
    leave_out(unseen, "tracks", "without a crop", total=len(tracklets))
    linked = link_tracklets(
        tracklets,
        means,
        threshold,
        rules,
        method=asked.method,
        learn=asked.learn,
        decisions=decisions,
    )
    doubts = find_doubts(linked, threshold)
    scores = score(tracklets, linked.identity, truth) if truth else None
    outcome = Outcome(tracklets, linked, threshold, scores, len(doubts))
    record = _record(asked, outcome, rules)
    with atomic_folder(asked.output) as folder:
        write_results(folder, tracklets, linked, described, doubts, threshold, record)
        if asked.sheets:
            rows = described.best_rows(len(tracklets))
            draw_sheets(folder / "sheets", tracklets, linked.identity, rows, paths_of(cameras))
    return Outcome(tracklets, linked, threshold, scores, len(doubts), record)


def _check(asked: Asked) -> None:
    """Refuse what cannot come to an end, before any work is done."""
    folder = Path(asked.output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{asked.output!r} is there already", "Give another folder: -o FOLDER.")
    check_writable(folder.parent, "-o FOLDER")
    check_method(asked.method)
    if not asked.weights and not asked.features:
        raise UserError(
            "nothing says what anybody looks like",
            "Give a trained model, -w CHECKPOINT, or features: --features FILE.",
        )
    calibrated = {"--fmr": asked.fmr, "--calibration": asked.calibration}
    if asked.threshold is not None:
        for option in (name for name, value in calibrated.items() if value is not None):
            raise UserError(
                f"--threshold and {option} both choose the threshold", "Give one of them."
            )
    elif not asked.weights and not asked.calibration:
        raise UserError(
            "nothing says which similarity means the same",
            "Give the calibrated model that the features are of, -w CHECKPOINT, its calibration, "
            "--calibration FILE.json, or --threshold T.",
        )


def _rules(asked: Asked, names: Sequence[str]) -> Rules:
    told = read_network(Path(asked.network), names) if asked.network else Network()
    overlaps = told.overlaps | read_overlaps(asked.overlap, names)
    network = Network(told.clocks, told.seconds, told.unreachable, overlaps)
    if untold := [name for name in names if name not in told.clocks]:
        _log.warning(
            "No --network tells when %s began: taken to be at second 0",
            "each camera" if len(untold) == len(names) else first_names(untold, len(untold)),
        )
    return Rules(network, rejoin=asked.rejoin, tolerance=asked.tolerance)


def _threshold(asked: Asked, names: list[str]) -> Threshold:
    if asked.threshold is not None:
        return given_threshold(asked.threshold, asked.undecided)
    path = Path(asked.calibration or str(asked.weights))
    model = Path(asked.weights) if asked.calibration and asked.weights else None
    return calibrated_threshold(path, model, asked.fmr, asked.undecided, names)


def _truth(words: Sequence[str], names: Sequence[str]) -> dict[str, Boxes]:
    files = find_files(words, TRUTH)
    for name in files:
        if name not in names:
            raise unknown_camera(name, dict.fromkeys(names), "--truth")
    if files and (without := [name for name in names if name not in files]):
        leave_out(without, "cameras", "without truth, not scored", total=len(names))
    return {name: read_boxes(path, is_truth=True) for name, path in files.items()}


def _describe(
    asked: Asked, tracklets: Tracklets, cameras: Sequence[Camera], plugins: Plugins
) -> Described:
    if asked.features:
        return read_described(asked.features, tracklets)
    from reidcore.inference import FeatureExtractor

    frames = paths_of(cameras)
    crops = choose_crops(tracklets, asked.crops)
    extractor = FeatureExtractor(
        asked.model,
        str(asked.weights),
        device=find_device(asked.device),
        verbose=False,
        batch_size=asked.batch_size,
        plugins=plugins,
    )
    _log.info(
        "Looking at %s of %s",
        counted(len(crops), "crop"),
        counted(len(tracklets), "track"),
    )
    with progress("looking at crops", len(crops)) as advance:
        return extract_features(tracklets, crops, frames, extractor, advance)


def _record(asked: Asked, outcome: Outcome, rules: Rules) -> dict[str, Any]:
    tracklets, linked = outcome.tracklets, outcome.linked
    cameras = [
        {"name": name, "tracks": int((tracklets.camera == k).sum()), "boxes": len(boxes)}
        for k, (name, boxes) in enumerate(zip(tracklets.cameras, tracklets.boxes, strict=True))
    ]
    return {
        "format": 1,
        "cameras": cameras,
        "identities": linked.count,
        "across_cameras": across_cameras(tracklets, linked),
        "method": asked.method,
        "weights": asked.weights,
        "threshold": outcome.threshold.as_dict(),
        "rejoin": None if np.isinf(rules.rejoin) else rules.rejoin,
        "tolerance": rules.tolerance,
        "transitions": [
            {"from": a, "to": b, "seconds": [each.low, each.high], "median": each.median,
             "learnt_from": each.count}
            for (a, b), each in linked.learnt.items()
        ],
        "undecided": outcome.doubts,
        "scores": outcome.scores.as_dict() if outcome.scores else None,
    }  # fmt: skip


def across_cameras(tracklets: Tracklets, linked: Linked) -> int:
    """Return how many identities were seen by several cameras."""
    seen = {(int(i), int(c)) for i, c in zip(linked.identity, tracklets.camera, strict=True)}
    counts = np.bincount([identity for identity, _ in seen])
    return int((counts > 1).sum())
