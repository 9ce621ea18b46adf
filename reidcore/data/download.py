"""Archives of datasets: fetched over https, unpacked inside their own folder only."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from reidcore.data.unpacking import unpack
from reidcore.errors import DataError

__all__ = ["check_sha256", "download_archive", "fetch", "unpack"]

_log = logging.getLogger(__name__)

Advance = Callable[[int], None]

OFFLINE = "REIDCORE_OFFLINE"
"""Environment variable, set by ``reidcore --offline`` too, under which nothing is fetched."""

_PIECE = 1 << 20
_TIMEOUT = 60.0


def download_archive(name: str, folder: str, url: str | None) -> None:
    """Fetch a zip or tar archive and unpack it into a folder; do nothing where that exists.

    The folder appears only when it is complete.

    Args:
        name: What it is, for messages.
        folder: Where the contents go.
        url: Address of the archive; None where the owners ask that it be fetched by hand.

    Raises:
        DataError: There is no https address, the download fails, or the archive is damaged or
            would write outside the folder.
    """
    target = Path(folder)
    if target.exists():
        return
    if not url or urlsplit(url).scheme != "https":
        place = f"Fetch it by hand{f' from {url}' if url else ''} and unpack it as {target}"
        raise DataError(f"{name} has no https address to be fetched from", place)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as temporary:
        archive = Path(temporary) / (PurePosixPath(urlsplit(url).path).name or "archive")
        contents = Path(temporary) / "contents"
        _log.info("Fetching %s from %s", name, url)
        fetch(name, url, archive)
        unpack(archive, contents)
        contents.rename(target)


def fetch(name: str, url: str, file: Path, advance: Advance = lambda count: None) -> None:
    """Fetch a file over https; what an interrupted fetch left in ``FILE.part`` is gone on with.

    Args:
        name: What it is, for messages.
        url: Its address.
        file: Where it goes, once it is complete.
        advance: Told of the bytes that are there.

    Raises:
        DataError: The address is not of https or leads away from it, downloads are switched off, or
            this one fails.
    """
    if urlsplit(url).scheme != "https":
        raise DataError(f"{name} has no https address to be fetched from", f"Fetch {url} by hand")
    if os.environ.get(OFFLINE, "") not in ("", "0"):
        raise DataError(
            f"{name} is not on this machine, and downloads are switched off ({OFFLINE})",
            f"Fetch {url} elsewhere and put it at {str(file)!r}",
        )
    part = file.with_name(f"{file.name}.part")
    try:
        have = part.stat().st_size if part.exists() else 0
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            if urlsplit(response.geturl()).scheme != "https":
                raise OSError(f"it leads to {response.geturl()}, which is not https")
            resumed = have > 0 and getattr(response, "status", 200) == 206
            advance(have if resumed else 0)
            with part.open("ab" if resumed else "wb") as saved:
                while piece := response.read(_PIECE):
                    saved.write(piece)
                    advance(len(piece))
        _check_length(response, part, resumed, have)
        part.replace(file)
    except (urllib.error.URLError, OSError) as error:
        raise DataError(
            f"cannot fetch {name} from {url} ({error})",
            "Run it again to go on, or fetch and unpack it by hand",
        ) from error


def check_sha256(file: Path, expected: str) -> None:
    """Compare a file's hash with the one that is expected, if one is.

    Raises:
        DataError: It is another.
    """
    if not expected:
        return
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != expected.lower():
        raise DataError(
            f"{file} has the SHA-256 {found}, and {expected.lower()} was expected",
            "It is damaged, or another version: fetch it again",
        )


def _check_length(response: Any, part: Path, resumed: bool, have: int) -> None:
    """Notice a connection that was closed too soon."""
    told = response.headers.get("Content-Length") if getattr(response, "headers", None) else None
    if told is not None and part.stat().st_size != int(told) + (have if resumed else 0):
        raise OSError("the connection was closed before the end")
