"""The record of an evaluation of features from elsewhere, in the form of a run's results."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reidcore.utils import environment

if TYPE_CHECKING:
    from reid_plugins_runs.from_features import Evaluated
    from reidcore.config import Config

_SHOWN = 8  # digits of a file's SHA-256
_RECORDED = ("reidcore", "python", "torch", "torchvision", "numpy", "evaluation kernel")


def record(
    found: Evaluated, config: Config, name: str, features: Path, labels: Path | None
) -> dict[str, Any]:
    """Return what ``results.json`` holds of it.

    Args:
        found: the evaluation.
        config: what it was made by.
        name: what the figures are of.
        features: the file of the features.
        labels: that of the labels, if it is another one.
    """
    files = [path for path in (features, labels) if path is not None]
    digests = {str(path): _digest(path) for path in files}
    versions = environment()
    return {
        "format": 1,
        "finished": True,
        "targets": {name: _target(found, config)},
        "training": [],
        "timings": {},
        # By the file, what comes from another is told apart where all else is the same.
        "config": {
            "features": f"{features} ({digests[str(features)][:_SHOWN]})",
            "test": config.test.model_dump(mode="json"),
        },
        "features": digests,
        "versions": {key: versions[key] for key in _RECORDED},
        "device": "cpu",
    }


def _target(found: Evaluated, config: Config) -> dict[str, Any]:
    ranking, test = found.ranking, config.test
    return {
        **ranking.summary(test.ranks),
        "figures": ranking.further(),
        "intervals": {figure: list(ends) for figure, ends in ranking.intervals.items()},
        "conditions": dict(found.conditions),
        "num_valid_queries": ranking.num_valid,
        "num_skipped_queries": ranking.num_skipped,
        "num_unmatched_queries": ranking.num_unmatched,
        "num_skipped_images": 0,
        "num_own_files": len(ranking.own_files),
        "distance": test.dist_metric,
        "rerank": test.rerank,
        "protocol": found.conditions["protocol"],
        "ties": test.ties,
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
