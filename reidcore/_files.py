"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from reidcore.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)

_SUFFIX = ".reidcore-partial"
_ROOM = 1 << 20  # bytes that a folder must have room for
# Checkpoints were once written under names without the suffix.
_PARTIAL = re.compile(rf"\..+{re.escape(_SUFFIX)}|\..+\.pth\.tar(-\d+)?\.[a-z0-9_]{{8}}")

PathLike = str | os.PathLike[str]
"""A path, as text or as an object."""


def mkdir_if_missing(dirname: PathLike) -> None:
    """Create a folder and its parents; an existing one is left alone.

    Raises:
        UserError: if the folder cannot be made.
    """
    try:
        Path(dirname).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot create the folder {os.fspath(dirname)!r}: {error.strerror}",
            "Choose a folder you may write to.",
        ) from error


def user_cache(name: str) -> Path:
    """Return a folder of the user's for what can be made again: below ``$REIDCORE_HOME`` if set.

    Raises:
        UserError: if the user has no home folder.
    """
    try:
        if home := os.environ.get("REIDCORE_HOME"):
            return Path(home).expanduser() / name
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return Path(cache).expanduser() / "reidcore" / name
    except RuntimeError as error:
        raise UserError("there is no home folder", "Set REIDCORE_HOME to a folder.") from error


def file_identity(path: str) -> bytes:
    """Return what tells a file or folder from all others, whatever path leads to it."""
    try:
        status = os.stat(path)  # noqa: PTH116  (a hundred thousand times)
    except (OSError, ValueError):
        status = None
    if status is None or not status.st_ino:  # a file system without inodes gives 0
        return os.fsencode(os.path.realpath(path))
    return b"%d:%d" % (status.st_dev, status.st_ino)


def check_writable(folder: PathLike, setting: str) -> None:
    """Write a file where a folder is or will be made, and remove it: before work that ends there.

    Args:
        folder: where the work will write to.
        setting: how another one is chosen, such as ``data.save_dir=FOLDER``.

    Raises:
        UserError: if it cannot be written, or its disk is full.
    """
    place = Path(folder).absolute()
    above = next(path for path in (place, *place.parents) if os.path.lexists(path))
    try:
        with _partial(above / "probe", _new_file) as partial, partial.open("wb") as file:
            file.write(bytes(_ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(Path(folder), error, f": {setting}") from error


@contextmanager
def atomic_path(path: PathLike) -> Iterator[Path]:
    """Yield an empty temporary file beside ``path`` that takes its place once it is complete.

    An error in the block removes the temporary file, and an older file stays as it was.

    Raises:
        UserError: if the folder or the file cannot be written.
    """
    target = Path(path)
    mkdir_if_missing(target.parent)
    try:
        with _partial(target, _new_file) as partial:
            yield partial
            with partial.open("r+b") as file:
                os.fsync(file.fileno())
            partial.chmod(0o666 & ~_umask())
            partial.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error


@contextmanager
def atomic_write(path: PathLike) -> Iterator[IO[bytes]]:
    """Yield a binary file that takes ``path``'s place only once it is complete.

    Raises:
        UserError: if the folder or the file cannot be written; an older file stays as it was.
    """
    with atomic_path(path) as partial, partial.open("wb") as file:
        yield file


@contextmanager
def atomic_folder(path: PathLike) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its place once it is complete.

    Raises:
        UserError: if it cannot be written, or ``path`` is there and not empty; an error in the
            block removes the temporary folder.
    """
    target = Path(path).absolute()
    mkdir_if_missing(target.parent)
    try:
        with partial_folder(target) as partial:
            yield partial
            partial.chmod(0o777 & ~_umask())
            if target.is_dir():
                target.rmdir()  # an empty one: some systems rename onto nothing else
            partial.rename(target)
    except OSError as error:
        raise _unwritable(target, error) from error


def partial_folder(target: Path) -> AbstractContextManager[Path]:
    """Return a context with a temporary folder beside ``target``, which is removed afterwards."""
    return _partial(target, _new_folder)


def remove_abandoned(folder: Path) -> None:
    """Remove temporary files and folders whose writer was killed, and tell of each.

    A writer holds a lock on what it writes. The system takes that away with the process, however
    it ends, also where writers are in other containers or, by NFS, on other machines: what has
    such a name and no lock is nobody's. Where there are no such locks, all of it stays.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for path in [Path(entry.path) for entry in entries if _PARTIAL.fullmatch(entry.name)]:
            if _is_removed(path):
                _log.info("Removed %s, which a process that was killed left half-written", path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def is_at(file: int, path: Path) -> bool:
    """Whether an open file is still the one at a path."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def write_json(obj: Any, fpath: PathLike) -> None:
    """Write ``obj`` as indented JSON, atomically."""
    text = json.dumps(obj, indent=2, ensure_ascii=False)
    with atomic_write(fpath) as file:
        # Names that are no text keep the escapes that JSON has for them.
        file.write(text.encode(errors="backslashreplace") + b"\n")


def read_json(fpath: PathLike) -> Any:
    """Read a JSON file.

    Raises:
        UserError: if the file is missing or is no JSON.
    """
    try:
        return json.loads(Path(fpath).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {os.fspath(fpath)!r}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{os.fspath(fpath)!r} is not valid JSON: {error}") from error


def check_isfile(fpath: PathLike) -> bool:
    """Say whether ``fpath`` is a file; what no system takes for a path is none."""
    return os.path.isfile(fpath)  # noqa: PTH113  (which raises nothing)


@contextmanager
def _partial(target: Path, new: Callable[[Path], str]) -> Iterator[Path]:
    """Yield something new beside ``target`` that is locked, and removed if it is still there."""
    _tidy(target.parent.absolute())
    while True:
        path = Path(new(target))
        lock = _locked(path)
        if path.exists():  # not so if it was taken for abandoned before it was locked
            break
        if lock is not None:
            os.close(lock)
    try:
        yield path
    finally:
        remove(path)
        if lock is not None:
            os.close(lock)


def _new_file(target: Path) -> str:
    handle, name = tempfile.mkstemp(suffix=_SUFFIX, prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    return name


def _new_folder(target: Path) -> str:
    return tempfile.mkdtemp(suffix=_SUFFIX, prefix=f".{target.name}.", dir=target.parent)


@cache
def _tidy(folder: Path) -> None:
    """Remove what is abandoned in a folder, before a process first writes there."""
    remove_abandoned(folder)


def _locked(path: Path) -> int | None:
    """Return what holds a lock on a path for as long as it is open, if there are locks."""
    if fcntl is None:
        return None
    with suppress(OSError):
        lock = os.open(path, os.O_RDONLY)
        with suppress(OSError):  # some file systems have none
            fcntl.flock(lock, fcntl.LOCK_SH)
        return lock
    return None


def _is_removed(path: Path) -> bool:
    """Remove a path that nobody has locked; say whether it is gone."""
    if fcntl is None or path.is_symlink():
        return False
    try:
        # A lock by NFS is one for writing.
        lock = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(path)
        return not path.exists()
    except OSError:
        return False
    finally:
        os.close(lock)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError, how: str = ".") -> UserError:
    return UserError(
        f"cannot write {str(path)!r}: {error.strerror or error}",
        f"Free some space or choose a folder you may write to{how}",
    )
