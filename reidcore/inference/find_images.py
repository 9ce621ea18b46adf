"""Image files from what is named on a command line: files, folders, patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from reidcore.data.folders import IMAGE_EXTENSIONS, leave_out_files
from reidcore.errors import DataError


def find_images(sources: Iterable[str]) -> list[str]:
    """Return the image files that sources name, each once.

    The sources keep their order; what one of them names is sorted. Other files in a folder are
    left out, and told.

    Args:
        sources: a file, a folder (everything below it) or a pattern such as ``"shots/**/*.jpg"``.

    Raises:
        DataError: if a source names no image.
    """
    return list(dict.fromkeys(path for source in sources for path in _named_by(source)))


def _named_by(source: str) -> list[str]:
    place = Path(source).expanduser()
    if place.is_dir():
        files = sorted(str(path) for path in place.rglob("*") if path.is_file())
        found = [path for path in files if path.lower().endswith(IMAGE_EXTENSIONS)]
        leave_out_files([path for path in files if not path.lower().endswith(IMAGE_EXTENSIONS)])
        return found or _nothing(source, f"It has no file ending in {', '.join(IMAGE_EXTENSIONS)}.")
    if place.is_file():
        return [str(place)]
    if not glob.has_magic(source):
        return _nothing(source, "There is no such file or folder.")
    matches = glob.glob(str(place), recursive=True)  # noqa: PTH207 - may be absolute
    found = sorted(match for match in matches if _is_image(Path(match)))
    return found or _nothing(source, "No image file matches the pattern.")


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_EXTENSIONS and path.is_file()


def _nothing(source: str, why: str) -> list[str]:
    raise DataError(f"{source!r} names no image", why)
