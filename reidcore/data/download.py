"""Archives of datasets: fetched over https, unpacked inside their own folder only."""

from __future__ import annotations

import logging
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from reidcore.errors import DataError

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
        _fetch(name, url, archive)
        unpack(archive, contents)
        contents.rename(target)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive into a folder.

    Raises:
        DataError: The archive is damaged, of another kind, or would write outside the folder.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                _refuse_escapes(packed.namelist())
                packed.extractall(folder)
        else:
            if not hasattr(tarfile, "data_filter"):
                raise tarfile.TarError("this Python unpacks tar files unsafely; 3.11.4 does not")
            with tarfile.open(archive) as rolled:
                rolled.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise DataError(
            f"cannot unpack {archive.name} ({error})", "Fetch it again, or unpack it by hand"
        ) from error


def _refuse_escapes(names: list[str]) -> None:
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise zipfile.BadZipFile(f"{name!r} would be written outside the folder")


def _fetch(name: str, url: str, archive: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=60) as response, archive.open("wb") as file:
            if urlsplit(response.geturl()).scheme != "https":
                raise OSError(f"it leads to {response.geturl()}, which is not https")
            shutil.copyfileobj(response, file)
    except (urllib.error.URLError, OSError) as error:
        raise DataError(
            f"cannot fetch {name} from {url} ({error})", "Fetch and unpack it by hand"
        ) from error
