"""The file of a target's evidence: its parts as arrays, and facts about the test as JSON."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from reid_plugins_runs.npz_damage import DAMAGE

from reidcore.errors import DataError
from reidcore.utils import atomic_write

FORMAT = 1

_FACTS = "facts"
_LARGEST = 256 << 20  # bytes of all arrays; more is no evidence that was written here
Part = TypeVar("Part")


class Evidence:
    """What a test left for the report of one target.

    Args:
        facts: plain values: ``target``, ``protocol``, ``metric``, counts and so on.
        arrays: ``"Part/field"`` -> array.
    """

    def __init__(
        self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]
    ) -> None:
        self.facts = facts
        self._arrays = arrays

    def part(self, kind: type[Part]) -> Part | None:
        """Return a part, such as ``part(Curves)``; None if it was not gathered."""
        names = [f"{kind.__name__}/{field.name}" for field in fields(kind)]  # type: ignore[arg-type]
        if not all(name in self._arrays for name in names):
            return None
        return kind(*(self._arrays[name] for name in names))


def evidence_path(folder: Path, target: str) -> Path:
    """Return the file of a target's evidence in a run's folder, whatever the target is called."""
    plain = re.sub(r"[^\w.-]+", "_", target)[:60]
    if plain != target:
        plain += f"-{hashlib.sha256(target.encode(errors='surrogatepass')).hexdigest()[:8]}"
    return folder / f"report_{plain}.npz"


def write_evidence(path: Path, facts: Mapping[str, Any], parts: Iterable[Any]) -> None:
    """Write parts, instances of the classes of `parts`, with plain facts beside them.

    Raises:
        UserError: if the file cannot be written.
    """
    arrays = {
        f"{type(part).__name__}/{field.name}": np.asarray(getattr(part, field.name))
        for part in parts
        for field in fields(part)
    }
    told = json.dumps({"format": FORMAT, **facts}).encode()
    with atomic_write(path) as file:
        stored: dict[str, Any] = {_FACTS: np.frombuffer(told, np.uint8), **arrays}
        np.savez_compressed(file, **stored)


def read_evidence(path: Path) -> Evidence:
    """Read a target's evidence; nothing in it is run.

    Raises:
        DataError: if the file is damaged or no evidence.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > _LARGEST:
                raise DataError(f"{str(path)!r} is too large to be a report's evidence")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts = json.loads(arrays.pop(_FACTS).tobytes())
    except (OSError, KeyError, *DAMAGE) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise _damaged(path, "its facts are not of a form that is known here")
    return Evidence(facts, arrays)


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(
        f"{str(path)!r} cannot be read as a report's evidence: {reason}",
        "Test again, which writes it anew: reidcore test CHECKPOINT data.save_dir=DIR",
    )
