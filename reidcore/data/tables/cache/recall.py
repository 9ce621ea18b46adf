"""Read a dataset once, and recall its table as long as nothing changed."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reidcore._files import user_cache
from reidcore.data.card import places_of
from reidcore.data.table import SampleTable
from reidcore.data.tables.cache.columns import as_arrays, as_tables
from reidcore.data.tables.cache.fingerprint import Snapshot, fingerprint_of_reader
from reidcore.data.tables.cache.store import open_arrays, write_arrays
from reidcore.errors import UserError
from reidcore.registry import Entry

_log = logging.getLogger(__name__)

SWITCH = "REIDCORE_NO_TABLE_CACHE"
"""Environment variable that turns the cache off."""

_FORMAT = 1
_ENDING = ".table"
_MOST_BYTES = 1 << 30
_ABANDONED_AFTER = 86_400.0  # seconds that nobody takes to write one file


class TableMemory:
    """Where the tables of one dataset, read with certain options, are kept between runs.

    Only datasets whose factory says where they lie, by its card or by `read_from`, are kept: under
    a hash of the factory's source, its options, and the names (of lists: the contents) of all files
    there, so that any change is another hash. A reading that warned of something is not kept, so
    that it warns again.

    Args:
        entry: The registered dataset.
        root: Folder below which the datasets lie.
        options: The dataset's own options.
    """

    def __init__(self, entry: Entry, root: Path, options: Mapping[str, Any]) -> None:
        self._root = root
        self._snapshot = _snapshot_of(entry, root, options)
        self._key = _key_of(entry, options, self._snapshot)
        self._warned = False
        self._path = _folder() / f"{_file_name(entry.name)}-{self._key}{_ENDING}"

    def recall(self) -> list[SampleTable] | None:
        """Return the three tables, or None if they are to be read."""
        return _open(self._path, self._root) if self._key else None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Surround the reading, to notice warnings."""
        with _warnings() as warned:
            yield
        self._warned = bool(warned)

    def keep(self, tables: Sequence[SampleTable]) -> None:
        """Keep what was read, unless files changed meanwhile."""
        if self._snapshot and not self._warned and self._snapshot.still_holds():
            _keep(self._path, tables, self._root)


def _folder() -> Path:
    try:
        return user_cache("tables")
    except UserError:
        return Path(os.devnull)  # which holds no file, and takes none


def _file_name(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]", "_", name)


def _snapshot_of(entry: Entry, root: Path, options: Mapping[str, Any]) -> Snapshot | None:
    """Return what the tables depend on; None if they are not to be kept."""
    factory = entry.load()
    if os.environ.get(SWITCH, "0") not in ("", "0") or fingerprint_of_reader(factory) is None:
        return None
    try:
        places = places_of(factory, root, options)
        return Snapshot.of(*places) if any(place.is_dir() for place in places) else None
    except OSError:
        return None


def _key_of(entry: Entry, options: Mapping[str, Any], snapshot: Snapshot | None) -> str:
    """Return what names the tables; empty if they are not to be kept."""
    if snapshot is None:
        return ""
    given = sorted((name, repr(value)) for name, value in options.items())
    reader = fingerprint_of_reader(entry.load())
    words = json.dumps([_FORMAT, entry.qualified_name, reader, given, snapshot.hash])
    return hashlib.sha256(words.encode()).hexdigest()[:40]


def _open(path: Path, root: Path) -> list[SampleTable] | None:
    try:
        found = open_arrays(path)
    except OSError:
        return None
    if found is None:
        _log.debug("%s is damaged: the dataset is read again", path)
        return None
    with suppress(OSError):
        os.utime(path)  # the least recently used are deleted first
    return as_tables(*found, root)


def _keep(path: Path, tables: Sequence[SampleTable], root: Path) -> None:
    packed = as_arrays(tables, root)
    if packed is None:
        return
    try:
        write_arrays(path, *packed)
        _tidy(path.parent)
    except (UserError, OSError) as error:
        _log.debug("The table is not kept: %s", error)


def _tidy(folder: Path) -> None:
    """Delete what was used least recently, beyond a gigabyte, and what writers left behind."""
    files = [(path, path.stat()) for path in folder.iterdir() if path.is_file()]
    total = 0
    for path, status in sorted(files, key=lambda file: file[1].st_mtime, reverse=True):
        total += status.st_size
        is_partial = path.name.startswith(".")
        abandoned = is_partial and time.time() - status.st_mtime > _ABANDONED_AFTER
        if abandoned or (total > _MOST_BYTES and not is_partial):
            path.unlink(missing_ok=True)


@contextmanager
def _warnings() -> Iterator[list[logging.LogRecord]]:
    """Give a list that fills with the warnings that are logged meanwhile, by whatever logger."""
    records: list[logging.LogRecord] = []
    former = logging.getLogRecordFactory()

    def made(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = former(*arguments, **more)
        if record.levelno >= logging.WARNING:
            records.append(record)
        return record

    logging.setLogRecordFactory(made)
    try:
        yield records
    finally:
        logging.setLogRecordFactory(former)
