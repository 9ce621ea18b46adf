"""The folder of a run: one training at a time writes there, and files of two are never mixed."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from reidcore._files import PathLike, remove
from reidcore.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)

LOCK = ".reidcore-lock"
RESULTS = "results.json"
TEST_RESULTS = "test_results.json"

# As write_checkpoints names them; what is half written begins with a dot.
CHECKPOINT = re.compile(r"(?P<model>[^.].*?)(?P<rest>(-interrupted)?\.pth\.tar-(?P<epoch>\d+))")
_BEST = re.compile(r"[^.].*-best\.pth\.tar")

# Where this process has trained: its further trainings there go on with the folder.
_trained_in: set[Path] = set()

# Locks of this process; a fork that kept them open would hold them beyond its end.
_held: set[int] = set()


def checkpoints_in(folder: PathLike) -> list[Path]:
    """Return the files of a folder that are checkpoints by their names, in the order of names."""
    paths = Path(folder).iterdir() if Path(folder).is_dir() else ()
    names = (CHECKPOINT, _BEST)
    return sorted(each for each in paths if any(name.fullmatch(each.name) for name in names))


def described(checkpoints: list[Path]) -> str:
    """Name one of several checkpoints, and say how many more there are."""
    more = f" and {len(checkpoints) - 1} more" if len(checkpoints) > 1 else ""
    return f"{checkpoints[-1].name}{more}"


def unused(path: Path, first: int) -> Path:
    """Return the first of ``path-1``, ``path-2``, ..., from a number on, that is not there."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(first))
    return next(each for each in numbered if not each.exists())


def make_room(folder: PathLike, patterns: Iterable[str], overwrites: bool = False) -> None:
    """Move the files of an earlier run into a numbered folder, and say so; or remove them.

    Its files are checkpoints, results, and what the patterns name.

    Raises:
        UserError: if the folder cannot be written.
    """
    place, checkpoints = Path(folder), checkpoints_in(folder)
    written = {path for name in (RESULTS, TEST_RESULTS, *patterns) for path in place.glob(name)}
    files = sorted({*checkpoints, *written})
    if not (files if overwrites else checkpoints):
        return
    aside = unused(place / "earlier", 1)
    try:
        if not overwrites:
            aside.mkdir()
        for path in files:
            if overwrites:
                remove(path)
            else:
                path.rename(aside / path.name)
    except OSError as error:
        raise UserError(
            f"cannot make room in {str(place)!r}: {error.strerror}", "Give another save_dir."
        ) from error
    if overwrites:
        _log.info("Removed the files of the run before in %s: %d", place, len(files))
        return
    _log.warning("%s held another run (%s): moved to %s", place, described(checkpoints), aside)


@contextmanager
def held_for_training(
    folder: Path, files: Iterable[str], starts_anew: bool, overwrites: bool = False
) -> Iterator[None]:
    """Have a folder for a training alone; `make_room` there for one that starts anew.

    A further training of the same process goes on with the folder, unless it overwrites.

    Raises:
        UserError: if another training is under way there, or the folder cannot be written.
    """
    with sole_writer(folder):
        if overwrites or (starts_anew and folder not in _trained_in):
            make_room(folder, files, overwrites)
        _trained_in.add(folder)
        yield


@contextmanager
def sole_writer(folder: PathLike) -> Iterator[None]:
    """Hold the lock of a run's folder, if it can be locked; the system ends it with the process.

    Raises:
        UserError: if another run holds it, which is named.
    """
    path = Path(folder) / LOCK
    lock = _locked(path)
    try:
        yield
    finally:
        if lock in _held:
            path.unlink(missing_ok=True)
            _let_go([lock])


def _locked(path: Path) -> int | None:
    if fcntl is None:
        return None
    while True:
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            return None
        _held.add(lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(lock, 200).decode(errors="replace")
            _let_go([lock])
            raise UserError(
                f"another run writes to {str(path.parent)!r}: {holder or 'it has just begun'}",
                "Wait for its end, or give this one a folder of its own: data.save_dir=FOLDER",
            ) from error
        except OSError:  # some file systems have no locks
            path.unlink(missing_ok=True)
            _let_go([lock])
            return None
        if _is_at(path, lock):
            break
        _let_go([lock])  # of a file that its holder has removed meanwhile
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    with suppress(OSError):
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {os.uname().nodename} since {since}".encode())
    return lock


def _is_at(path: Path, file: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _let_go(locks: Iterable[int]) -> None:
    for lock in list(locks):
        _held.discard(lock)
        os.close(lock)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _let_go(_held))
