"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from reidcore.errors import UserError

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
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("r+b") as file:
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        partial.unlink(missing_ok=True)


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
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield partial
        partial.chmod(0o777 & ~_umask())
        if target.is_dir():
            target.rmdir()  # an empty one: some systems rename onto nothing else
        partial.rename(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(obj: Any, fpath: PathLike) -> None:
    """Write ``obj`` as indented JSON, atomically."""
    with atomic_write(fpath) as file:
        file.write(json.dumps(obj, indent=2, ensure_ascii=False).encode() + b"\n")


def read_json(fpath: PathLike) -> Any:
    """Read a JSON file.

    Raises:
        UserError: if the file is missing or is no JSON.
    """
    try:
        return json.loads(Path(fpath).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {os.fspath(fpath)!r}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{os.fspath(fpath)!r} is not valid JSON: {error}") from error


def check_isfile(fpath: PathLike) -> bool:
    """Say whether ``fpath`` is a file."""
    return Path(fpath).is_file()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write {str(path)!r}: {error.strerror or error}",
        "Free some space or choose a folder you may write to.",
    )
