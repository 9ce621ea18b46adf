"""Archives of datasets: fetched over https, unpacked inside their own folder only."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from reidcore._download import OFFLINE, check_address, direct_address, download, is_offline
from reidcore.data.archives.unpacking import unpack
from reidcore.errors import DataError, UserError

__all__ = ["check_sha256", "download_archive", "fetch", "unpack"]

_log = logging.getLogger(__name__)


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


def fetch(name: str, url: str, file: Path) -> None:
    """Fetch a file over https; what an interrupted fetch left in ``FILE.part`` is gone on with.

    Args:
        name: What it is, for messages.
        url: Its address.
        file: Where it goes, once it is complete.

    Raises:
        DataError: The address is not of https or leads away from it, downloads are switched off, or
            this one fails.
    """
    if is_offline():
        raise DataError(
            f"{name} is not on this machine, and downloads are switched off ({OFFLINE})",
            f"Fetch {url} elsewhere and put it at {str(file)!r}",
        )
    part = file.with_name(f"{file.name}.part")
    try:
        check_address(url)
        download(direct_address(url), part)
    except UserError as error:
        raise DataError(
            f"cannot fetch {name} from {url}: {error.what}",
            f"Run it again to go on, or fetch it by hand and put it at {str(file)!r}",
        ) from error
    part.replace(file)


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
