"""What an exported file says of itself, and the hash beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reid_plugins_export.formats import required_format
from reidcore.errors import CheckpointError, DataError, PluginDefectError
from reidcore.inference import CheckpointMetadata
from reidcore.models import record_of
from reidcore.plugins import Plugins
from reidcore.utils import PathLike, check_isfile

__all__ = ["KEY", "UNCHECKED", "VERSION", "read_record"]

KEY = "reidcore"
"""Under which key of a file's metadata the record stands, as JSON."""

VERSION = 1
"""Of the record's form."""

UNCHECKED = "unchecked"
"""What stands for the check on a dataset where there was none."""

_NEEDED = (
    *("model", "preprocessing", "preprocess", "normalise", "feature_dim"),
    *("test", "weights_sha256", "precision", "check"),
)
_CHECKSUM = ".sha256"
_AS_IN_CHECKPOINTS = ("model", "preprocessing", "test")
_CHUNK = 1 << 20


def read_record(path: PathLike, plugins: Plugins | None = None) -> dict[str, Any]:
    """Return what an exported file says of itself; empty for a file that others wrote.

    Args:
        path: the file, of any registered format.
        plugins: where formats are looked up; the current ones by default.

    Raises:
        CheckpointError: if there is no such file, or its record is damaged or of a later version.
        UserError: if no format has the file's ending, or the format's extra is not installed.
    """
    file = Path(path).expanduser()
    found = required_format(file, plugins)
    check_there(file)
    return found.read(file)


def given_by_plugins(
    metadata: CheckpointMetadata, plugins: Plugins, taken: Iterable[str] = ()
) -> dict[str, Any]:
    """Return what plugins let go with exports of a checkpoint, by `reid_export_metadata`.

    Args:
        metadata: what the checkpoint says.
        plugins: who is asked.
        taken: keys that nobody may give.

    Raises:
        PluginDefectError: if a plugin gives one of them, or what another gave.
    """
    given: dict[str, Any] = {}
    for plugin, hook in plugins.one_by_one("reid_export_metadata"):
        for answer in hook(metadata=metadata):
            if clashes := sorted({*taken, *given} & answer.keys()):
                raise PluginDefectError(
                    f"plugin {plugin.origin} gave {clashes[0]!r} in reid_export_metadata, which "
                    "the record has already"
                )
            given |= answer
    return given


def check_there(path: Path) -> None:
    """Refuse a path at which there is no file."""
    if not check_isfile(path):
        raise CheckpointError(f"no file at {str(path)!r}", "Check the path; it must name a file.")


def as_text(record: Mapping[str, Any]) -> str:
    """Return a record as it stands in a file.

    Raises:
        DataError: if a value is no plain one.
    """
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the record of the exported file cannot be written ({error})",
            "Plugins give plain values to reid_export_metadata: numbers, text, lists, mappings.",
        ) from error


def from_text(text: str | bytes | None, path: Path) -> dict[str, Any]:
    """Return the record that a file holds as text; empty if it holds none.

    Raises:
        CheckpointError: if it is damaged, or of a later version than this program knows.
    """
    if not text:
        return {}
    try:
        record = json.loads(text)
    except ValueError as error:
        raise CheckpointError(
            f"the record in {str(path)!r} is damaged ({error})", "Export the model again."
        ) from error
    if not isinstance(record, dict) or not isinstance(record.get("version"), int):
        raise CheckpointError(f"the record in {str(path)!r} is none", "Export the model again.")
    if record["version"] > VERSION:
        raise CheckpointError(
            f"the record in {str(path)!r} is of version {record['version']}, and this reidcore "
            f"reads up to {VERSION}",
            "Run: pip install --upgrade reidcore",
        )
    # Held to what a checkpoint's record is held to, since builders and readers rely on it.
    record_of({KEY: {name: record[name] for name in _AS_IN_CHECKPOINTS if name in record}}, path)
    if missing := [name for name in _NEEDED if name not in record]:
        raise CheckpointError(
            f"the record in {str(path)!r} has no {missing[0]!r}", "Export the model again."
        )
    return record


def checksum_file(path: Path) -> Path:
    """Return where the hash of an exported file stands, as ``sha256sum --check`` reads it."""
    return path.with_name(path.name + _CHECKSUM)


def checksums(files: Sequence[Path]) -> str:
    """Return a line for each file: its hash and its name."""
    return "".join(f"{file_sha256(file)}  {file.name}\n" for file in files)


def check_checksum(path: Path) -> bool | None:
    """Tell whether a file, and what belongs to it, is what was written; None if no hash is there.

    Raises:
        CheckpointError: if the file of hashes is none, or a file that it names is missing.
    """
    beside = checksum_file(path)
    if not beside.is_file():
        return None
    lines = [line.split("  ", 1) for line in beside.read_text("utf-8").splitlines() if line]
    if not lines or any(len(line) != 2 or Path(line[1]).name != line[1] for line in lines):
        raise CheckpointError(f"{str(beside)!r} is no list of hashes", "Export the model again.")
    for _, name in lines:
        check_there(path.with_name(name))
    return all(file_sha256(path.with_name(name)) == digest for digest, name in lines)


def file_sha256(path: Path) -> str:
    """Return the hash of a file."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()
