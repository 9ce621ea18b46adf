"""Which checkpoint a run goes on from: the one that is named, or the newest of a folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reidcore._files import PathLike
from reidcore._run_folder import CHECKPOINT, checkpoints_in
from reidcore._serialization import OWN_KEY, load_safely
from reidcore.errors import CheckpointError, UserError

_log = logging.getLogger(__name__)

AUTO = "auto"
"""Stands for the newest checkpoint of the folder that a run writes to."""


def checkpoint_to_resume(named: PathLike, save_dir: PathLike) -> Path | None:
    """Return the checkpoint that a run is to go on from.

    Args:
        named: a checkpoint; a folder, for the newest in it; or ``auto``, for the newest in
            ``save_dir``.
        save_dir: the folder that the run writes to.

    Returns:
        Its path; None if ``auto`` finds none, and the run starts anew.

    Raises:
        CheckpointError: if a folder that is named has no complete checkpoint.
    """
    if str(named) == AUTO:
        found = newest_checkpoint(save_dir)
        if found is None:
            _log.info("No complete checkpoint in %s: the run starts anew", save_dir)
        return found
    path = Path(named).expanduser()
    if not path.is_dir():
        return path
    found = newest_checkpoint(path)
    if found is None:
        raise CheckpointError(
            f"no complete checkpoint in {str(path)!r}",
            "Give a folder with files such as model.pth.tar-3, or one of these files.",
        )
    return found


def newest_checkpoint(folder: PathLike) -> Path | None:
    """Return the checkpoint of a folder that was written last and is whole; None if there is none.

    Of several models each has its own file, and one of them is returned if all are there. What is
    newer and not complete is logged.
    """
    for path in _by_age(Path(folder).expanduser()):
        why = _incompleteness(path)
        if why is None:
            return path
        _log.warning("Not resumed from %s: %s", path, why)
    return None


def _by_age(folder: Path) -> Iterator[Path]:
    """Yield the checkpoints of a folder, the newest first."""
    files = [path for path in checkpoints_in(folder) if path.is_file()]
    found = [(match, path) for path in files if (match := CHECKPOINT.fullmatch(path.name))]
    aged = [(path.stat().st_mtime_ns, int(match["epoch"]), path) for match, path in found]
    yield from (path for _, _, path in sorted(aged, reverse=True))


def _incompleteness(path: Path) -> str | None:
    """Say what a checkpoint lacks that a run could go on from; None if it is complete."""
    try:
        held = load_safely(path)
    except UserError as error:
        return error.what
    if not isinstance(held, Mapping) or not {"state_dict", "epoch"} <= held.keys():
        return "it holds no training state"
    missing = [other.name for other in _siblings(path, held) if not other.is_file()]
    return f"{missing[0]}, written with it, is missing" if missing else None


def _siblings(path: Path, held: Mapping[str, Any]) -> Iterator[Path]:
    match, own = CHECKPOINT.fullmatch(path.name), held.get(OWN_KEY)
    names = own.get("models") if isinstance(own, Mapping) else None
    if match is not None and isinstance(names, list):
        yield from (path.with_name(f"{name}{match['rest']}") for name in names)
