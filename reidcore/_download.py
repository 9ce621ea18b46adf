"""Files over https: gone on with where a connection broke, refused where a web page comes."""

from __future__ import annotations

import logging
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from reidcore import __version__
from reidcore._files import read_json, write_json
from reidcore.errors import UserError

_log = logging.getLogger(__name__)

OFFLINE = "REIDCORE_OFFLINE"
"""Environment variable, set by ``reidcore --offline`` too, under which nothing is fetched."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ATTEMPTS = 3
_SECONDS = 20.0
_CHUNK = 1 << 18

_DRIVE_FILE = re.compile(r"^/file/d/([\w-]+)")
_CONTENT_RANGE = re.compile(r"^bytes (\d+)-\d+/(\d+)$")


def is_offline() -> bool:
    """Say whether downloads are switched off."""
    return os.environ.get(OFFLINE, "").strip().lower() not in ("", "0", "false", "no")


def check_address(url: str) -> None:
    """Refuse an address that is not https, save on this machine itself.

    Raises:
        UserError: if it is not.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise UserError(f"expected an https address, found {url!r}", "Fetch the file by hand.")


def direct_address(url: str) -> str:
    """Return where a file itself is, for an address of a page about it on Google Drive.

    Drive asks to confirm the download of what it did not scan for viruses; this address confirms.
    """
    parts = urlsplit(url)
    if parts.hostname not in ("drive.google.com", "docs.google.com"):
        return url
    in_path = _DRIVE_FILE.match(parts.path)
    drive_id = in_path[1] if in_path else parse_qs(parts.query).get("id", [""])[0]
    if not drive_id:
        return url
    return f"https://drive.usercontent.google.com/download?id={drive_id}&export=download&confirm=t"


def download(url: str, partial: Path) -> None:
    """Download a file to ``partial``, going on from what is there if it is of the same file.

    Raises:
        UserError: if the server does not answer, answers with a web page, or the connection breaks
            again and again; in that case ``partial`` is kept, to be completed later.
    """
    for attempt in range(_ATTEMPTS):
        try:
            if _receive(url, partial):
                return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 416:
                raise UserError(f"the server answered {error.code} {error.reason}") from error
            _discard(partial)  # there is no such range: what is here is of another file
        except (OSError, HTTPException) as error:
            if attempt == _ATTEMPTS - 1 or not _can_resume(url, partial):
                raise UserError(
                    _broken(url, str(error) or type(error).__name__, partial)
                ) from error
        _log.debug("Attempt %d at %s broke off", attempt + 1, url)
    raise UserError(_broken(url, "the connection broke", partial))


@dataclass(frozen=True)
class _Answer:
    start: int
    total: int | None


def _receive(url: str, partial: Path) -> bool:
    """Receive what is missing, and say whether that is all."""
    request = urllib.request.Request(url, headers={"User-Agent": f"reidcore/{__version__}"})
    if validator := _can_resume(url, partial):
        request.add_header("Range", f"bytes={partial.stat().st_size}-")
        request.add_header("If-Range", validator)
    with _opener.open(request, timeout=_SECONDS) as response:
        _refuse_page(response)
        answer = _read_answer(response)
        if answer.start == 0:
            _remember(url, response.headers, answer, partial)
        elif answer.start != partial.stat().st_size:
            _discard(partial)
            return False
        with partial.open("ab" if answer.start else "wb") as file:
            _copy(response, file, answer)
    received = partial.stat().st_size
    if answer.total is not None and received > answer.total:
        _discard(partial)
        raise UserError(f"expected {answer.total:,} bytes, found {received:,}")
    if answer.total is not None and received < answer.total:
        return False
    _record_of(partial).unlink(missing_ok=True)
    return True


def _read_answer(response: Any) -> _Answer:
    if response.status == 206:
        told = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if told:
            return _Answer(int(told[1]), int(told[2]))
        raise UserError("the server sent a part of the file and did not say which")
    length = response.headers.get("Content-Length")
    return _Answer(0, int(length) if length is not None else None)


def _refuse_page(response: Any) -> None:
    if response.headers.get_content_type() not in ("text/html", "application/xhtml+xml"):
        return
    text = response.read(_CHUNK).decode("utf-8", errors="replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
    said = " ".join((title[1] if title else re.sub(r"<[^>]*>", " ", text)).split())[:80]
    raise UserError(f"expected a file, found a web page that says {said!r}")


def _copy(response: IO[bytes], file: IO[bytes], answer: _Answer) -> None:
    with _progress(answer) as advance:
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            advance(len(chunk))


# What is known about a file of which a part is here, so that it is completed with its own rest.


def _record_of(partial: Path) -> Path:
    return partial.with_name(f".{partial.name}.json")


def _remember(url: str, headers: HTTPMessage, answer: _Answer, partial: Path) -> None:
    tag = headers.get("ETag", "")
    strong = "" if tag.startswith("W/") else tag
    validator = strong or headers.get("Last-Modified", "")
    write_json({"url": url, "validator": validator}, _record_of(partial))


def _can_resume(url: str, partial: Path) -> str:
    """Return what names the version of the file of which a part is here; empty if unknown."""
    record = _record_of(partial)
    if not (partial.is_file() and record.is_file() and partial.stat().st_size):
        return ""
    known = read_json(record)
    return str(known.get("validator", "")) if known.get("url") == url else ""


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _record_of(partial).unlink(missing_ok=True)


def _broken(url: str, reason: str, partial: Path) -> str:
    if not _can_resume(url, partial):
        return reason
    received = partial.stat().st_size
    return f"{reason} after {received:,} bytes, which are kept: try again to go on"


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_opener = urllib.request.build_opener(_OnlyHttps())


@contextmanager
def _progress(answer: _Answer) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=answer.total, completed=answer.start)
        yield lambda count: progress.advance(task, count)
