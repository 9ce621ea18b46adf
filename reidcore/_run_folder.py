"""The folder of a run: one training at a time writes there, and files of two are never mixed."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from reidcore._files import PathLike, is_at, remove
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
CHECKPOINT = re.compile(
    r"(?P<model>[^.].*?)(?P<rest>(-interrupted|-midepoch)?\.pth\.tar-(?P<epoch>\d+))"
)
_BEST = re.compile(r"[^.].*-best\.pth\.tar")
_EARLIER = re.compile(r"earlier-\d+")

# Where this process has trained: its further trainings there go on with the folder.
_trained_in: set[Path] = set()

# Locks of this process; a fork that kept them open would hold them beyond its end.
_held: set[int] = set()


def checkpoints_in(folder: PathLike) -> list[Path]:
    """Return the files of a folder that are checkpoints by their names, in the order of names."""
    paths = Path(folder).iterdir() if Path(folder).is_dir() else ()
    names = (CHECKPOINT, _BEST)
    return sorted(each for each in paths if any(name.fullmatch(each.name) for name in names))


def held_in(folder: PathLike) -> list[Path]:
    """Return by what a folder is known to hold a run: checkpoints, else the results alone."""
    results = Path(folder) / RESULTS
    return checkpoints_in(folder) or ([results] if results.exists() else [])


def described(held: list[Path]) -> str:
    """Name one of several files, and say how many more there are."""
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    return f"{held[-1].name}{more}"


def unused(path: Path, first: int) -> Path:
    """Return the first of ``path-1``, ``path-2``, ..., from a number on, that is not there."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(first))
    return next(each for each in numbered if not each.exists())


class EarlierRun:
    """What an earlier run left in a folder, until it is known that the new run goes on.

    Attributes:
        is_back: whether the new run failed at its start, and all is as it was before.
    """

    def __init__(self, place: Path) -> None:
        self.is_back = False
        self._place = place
        self._aside: Path | None = None
        self._patterns: tuple[str, ...] = ()
        self._is_unwanted = False

    def move_aside(self, patterns: Iterable[str], overwrites: bool = False) -> None:
        """Move its files into a numbered folder, and say so; or have them removed later.

        Its files are checkpoints, results, and what the patterns name.

        Raises:
            UserError: if the folder cannot be written; nothing is moved then.
        """
        self._patterns, self._is_unwanted = tuple(patterns), overwrites
        if overwrites and (older := sorted(str(path) for path in self._place.glob("earlier-*"))):
            _log.info("--overwrite does not remove %s", ", ".join(older))
        held, files = held_in(self._place), self._files()
        if not (files if overwrites else held):
            return
        aside = unused(self._place / "earlier", 1)
        try:
            aside.mkdir()
            self._aside = aside
            _move(files, aside)
        except OSError as error:
            self._move_back()
            raise UserError(
                f"cannot make room in {str(self._place)!r}: {error.strerror}",
                "Give another save_dir.",
            ) from error
        if not overwrites:
            what = described(held)
            _log.warning("%s held another run (%s): moved to %s", self._place, what, aside)

    def give_way(self) -> None:
        """Remove the files if they are unwanted: the new run has a checkpoint of its own."""
        if self._aside is not None and self._is_unwanted:
            count = len(list(self._aside.glob("*")))  # none, if a user removed it
            remove(self._aside)
            _log.info("Removed the files of the run before in %s: %d", self._place, count)
        self._aside = None

    def settle(self, has_begun: bool) -> None:
        """Put the files back in the place of what a run wrote that failed before its first step."""
        if self._aside is None:
            return
        if not has_begun and not checkpoints_in(self._place):
            for path in self._files():
                remove(path)
            self._move_back()
        elif self._is_unwanted:
            _log.warning("The run before is kept in %s", self._aside)

    def _move_back(self) -> None:
        if self._aside is None:
            return
        try:
            _move(self._aside.iterdir(), self._place)
            self._aside.rmdir()
        except OSError as error:
            _log.error("! Files of the run before are still in %s: %s", self._aside, error.strerror)
            return
        self.is_back, self._aside = True, None
        _log.warning("The files of the run before are back in %s", self._place)

    def _files(self) -> list[Path]:
        names = (RESULTS, TEST_RESULTS, *self._patterns)
        written = {path for name in names for path in self._place.glob(name) if not _is_run(path)}
        return sorted({*checkpoints_in(self._place), *written})


def _is_run(path: Path) -> bool:
    """Whether a path is the folder of another run, which no pattern of a plugin may mean."""
    return bool(_EARLIER.fullmatch(path.name)) or bool(checkpoints_in(path))


def _move(paths: Iterable[Path], folder: Path) -> None:
    for path in list(paths):
        path.rename(folder / path.name)


@contextmanager
def held_for_training(
    folder: Path, files: Iterable[str], starts_anew: bool, overwrites: bool = False
) -> Iterator[EarlierRun]:
    """Have a folder for a training alone; one that starts anew moves an earlier run aside.

    A further training of the same process goes on with the folder, unless it overwrites.

    Raises:
        UserError: if another training is under way there, or the folder cannot be written.
    """
    with sole_writer(folder):
        earlier = EarlierRun(folder)
        if starts_anew and (overwrites or folder not in _trained_in):
            earlier.move_aside(files, overwrites)
        try:
            yield earlier
        finally:
            if not earlier.is_back:
                _trained_in.add(folder)


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
            with suppress(OSError):  # gone, or another user's in a folder such as /tmp
                path.unlink()
            _let_go([lock])


def is_in_use(folder: PathLike) -> bool:
    """Say whether a training is under way in a folder, as far as its file system has locks."""
    if fcntl is None:
        return False
    try:
        lock = os.open(Path(folder) / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
    return False


def _locked(path: Path) -> int | None:
    if fcntl is None:
        return None
    while True:
        if (lock := _opened(path)) is None:
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
            with suppress(OSError):
                path.unlink()
            _let_go([lock])
            return None
        if is_at(lock, path):
            break
        _let_go([lock])  # of a file that its holder has removed meanwhile
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    with suppress(OSError):
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {os.uname().nodename} since {since}".encode())
    return lock


def _opened(path: Path) -> int | None:
    """Open the file of a lock; another user's is one to read, which is enough to lock it.

    Raises:
        UserError: if it is a link, whose target would be overwritten.
    """
    for how in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        try:
            return os.open(path, how | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        except PermissionError:
            continue
        except OSError as error:
            if error.errno == errno.ELOOP and path.is_symlink():
                what = f"{str(path)!r} is a link, and the lock of a run is a file"
                raise UserError(what, "Remove it, or give another data.save_dir.") from error
            return None
    if path.exists():
        _log.warning("%s may not be read: whether another run writes there is not known", path)
    return None


def _let_go(locks: Iterable[int]) -> None:
    for lock in list(locks):
        _held.discard(lock)
        os.close(lock)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _let_go(_held))
