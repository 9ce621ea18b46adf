"""What an exported file says of itself, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_plugins_export.record import UNCHECKED, check_checksum, read_record
from reidcore.plugins import Plugins

_TAKES = {
    "none": "float (B, 3, {height}, {width}), (x - mean) / std",
    "mean_std": "float (B, 3, {height}, {width}), RGB in 0..1",
    "full": "bytes (B, h, w, 3), RGB of any size",
}
_HASHES = {True: "as written", False: "another than beside it", None: "not beside it"}


@dataclass(frozen=True)
class Description:
    """An exported file.

    Attributes:
        path: the file.
        record: what it says of itself; empty for one that others wrote.
        is_as_written: whether its hash is the one beside it; None if none is there.
    """

    path: Path
    record: Mapping[str, Any]
    is_as_written: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "file": str(self.path),
            "record": dict(self.record),
            "sha256_matches": self.is_as_written,
        }

    def lines(self) -> list[str]:
        """Return a line for each thing that a user of the file wants to know."""
        told = {"file": str(self.path), "sha256": _HASHES[self.is_as_written]}
        if self.record:
            told |= self._recorded()
        else:
            told["record"] = "none: reidcore did not write it"
        width = max(map(len, told))
        return [f"{name:<{width}}  {value}" for name, value in told.items()]

    def _recorded(self) -> dict[str, str]:
        record, images = self.record, self.record["preprocessing"]
        told = {
            "model": str(record["model"].get("name") or "unknown"),
            "takes": _TAKES[record["preprocess"]].format(**images),
            "gives": f"({record['feature_dim']}) "
            + ("of unit length" if record["normalise"] else "not normalised"),
            "precision": record["precision"],
            "mean, std": f"{images['norm_mean']}, {images['norm_std']}",
            "weights": record["weights_sha256"],
            "check": _check(record["check"]),
        }
        further = sorted(self.record.keys() - _KNOWN)
        return told | ({"further": ", ".join(further)} if further else {})


_KNOWN = {
    *("version", "model", "preprocessing", "preprocess", "normalise", "feature_dim", "test"),
    *("weights_sha256", "precision", "check", "source", "parity"),
}


def describe(path: Path, plugins: Plugins | None = None) -> Description:
    """Read what a file says of itself.

    Raises:
        CheckpointError: if it is missing or damaged.
        UserError: if it is no exported file.
    """
    return Description(path, read_record(path, plugins), check_checksum(path))


def _check(check: Any) -> str:
    if check == UNCHECKED:
        return "none: export with --check DATASET"
    difference, low, high = (100 * each for each in check["difference"])
    return (
        f"mAP {100 * check['mAP']:.2f} on {check['dataset']}, {difference:+.2f} "
        f"[{low:+.2f}, {high:+.2f}] points of PyTorch's"
    )
