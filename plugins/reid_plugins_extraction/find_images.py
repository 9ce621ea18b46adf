"""Image files from what is named on a command line: files, folders, patterns."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from reidcore.data import (
    find_image_files,
    image_endings,
    is_image,
    leave_out,
    leave_out_files,
)
from reidcore.errors import DataError, counted, quoted

__all__ = ["find_images"]


def find_images(sources: Iterable[str]) -> list[str]:
    """Return the image files that sources name, each once.

    The sources keep their order; what one of them names is sorted. Other files in a folder, or that
    a pattern fits, are left out and told; a file that is named itself is taken whatever its ending.
    What a list names and is not there is left out and told too.

    Args:
        sources: a file, a folder (everything below it), a pattern such as ``"shots/**/*.jpg"``, or
            ``@FILE`` for a file with one of these a line (``@-`` reads the standard input).

    Raises:
        DataError: if a source names no image, or a list not one.
    """
    found = (_of_list(source) if _is_list(source) else _named_by(source) for source in sources)
    return list(dict.fromkeys(path for paths in found for path in paths))


def _is_list(source: str) -> bool:
    return source.startswith("@") and not os.path.exists(source)  # noqa: PTH110


def _of_list(source: str) -> list[str]:
    name = source[1:]
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"the list {quoted(name)} cannot be read: {error}", "It has a path a line."
        ) from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        _nothing(source, "The list is empty.")
    found, lost = [], []
    for line in lines:
        try:
            found += _named_by(line)
        except DataError:
            lost.append(line)
    if not found:
        _nothing(source, f"None of its {counted(len(lines), 'path')} is there: {quoted(lines[0])}.")
    leave_out(lost, "paths", f"of the list {name}, without an image", total=len(lines))
    return found


def _named_by(source: str) -> list[str]:
    place = Path(source).expanduser()
    # Of os.path: these raise nothing, whatever a source may be.
    if os.path.isdir(place):  # noqa: PTH112
        return _below(place) or _nothing(
            source, f"It has no file ending in {', '.join(image_endings())}."
        )
    if os.path.isfile(place):  # noqa: PTH113
        return [str(place)]
    if os.path.exists(place):  # noqa: PTH110
        return _nothing(source, "It is a pipe, a socket or a device.")
    if not glob.has_magic(source):
        return _nothing(source, "There is no such file or folder.")
    return _fitting(str(place)) or _nothing(source, "No image file matches the pattern.")


def _below(folder: Path) -> list[str]:
    return [str(folder / name) for name in find_image_files(folder, below=True).files]


def _fitting(pattern: str) -> list[str]:
    """Return the images that a pattern fits, and those below the folders that it fits."""
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - may be absolute
    files = [path for path in matches if Path(path).is_file()]
    found = set(filter(is_image, files))
    leave_out_files([path for path in files if path not in found])
    found.update(path for each in matches if Path(each).is_dir() for path in _below(Path(each)))
    return sorted(found)


def _nothing(source: str, why: str) -> list[str]:
    raise DataError(f"{quoted(source)} names no image", why)
