"""Which model features are of, so that those of two models never meet."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from reid_plugins_export.fingerprint import weights_sha256

from reidcore.inference import FeatureExtractor


def record_of(extractor: FeatureExtractor, weights: str) -> dict[str, Any]:
    """Return what decides an extractor's features, in plain values.

    Args:
        extractor: it.
        weights: the file that it was made of; an exported one has the hash of its checkpoint.
    """
    metadata = extractor.metadata
    known = metadata.get("weights_sha256")
    return {
        "version": 1,
        "model": metadata.get("model", {}).get("name", ""),
        "weights_sha256": known or _hash_of(weights, is_foreign=not metadata),
        "preprocessing": extractor.preprocessing.record,
        "precision": extractor.precision,
        "normalize": extractor.normalize,
    }


def _hash_of(file: str, is_foreign: bool) -> str:
    """Return the hash of a checkpoint's weights, or of all of a file that others exported."""
    if not is_foreign:
        return weights_sha256(file)
    with Path(file).expanduser().open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
