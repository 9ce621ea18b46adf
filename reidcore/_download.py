"""Streaming downloads over https, which enter their place only complete and checked."""

from __future__ import annotations

import hashlib
import io
import os
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from reidcore import __version__
from reidcore._files import atomic_path
from reidcore._progress import progress
from reidcore.errors import UserError, counted, quoted

OFFLINE = "REIDCORE_OFFLINE"
"""Environment variable, set by ``reidcore --offline`` too, that switches downloads off."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SILENCE_S = 20.0
_CHUNK = 1 << 18

_DRIVE_FILE = re.compile(r"^/file/d/([\w-]+)")


def is_offline() -> bool:
    """Return whether downloads are switched off."""
    return os.environ.get(OFFLINE, "").strip().lower() not in ("", "0", "false", "no")


def check_address(url: str) -> None:
    """Reject an address that is neither https nor on this machine.

    Raises:
        UserError: if it is neither, or no address at all.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UserError(f"{url!r} is no address: {error}", "Fetch the file by hand.") from error
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise UserError(f"expected an https address, found {url!r}", "Fetch the file by hand.")


def direct_address(url: str) -> str:
    """Return the address of the file itself, given that of its page on Google Drive.

    Drive asks for confirmation before it sends a file that it did not scan for viruses; this
    address confirms. Any other address is returned unchanged.
    """
    parts = urlsplit(url)
    if parts.hostname not in ("drive.google.com", "docs.google.com"):
        return url
    in_path = _DRIVE_FILE.match(parts.path)
    drive_id = in_path[1] if in_path else parse_qs(parts.query).get("id", [""])[0]
    if not drive_id:
        return url
    return f"https://drive.usercontent.google.com/download?id={drive_id}&export=download&confirm=t"


def download(
    url: str,
    target: Path,
    *,
    max_bytes: int,
    max_seconds: float,
    sha256: str = "",
    validate: Callable[[Path], None] = lambda partial: None,
) -> str:
    """Download a file, which replaces ``target`` only once it is complete and checked.

    Args:
        url: Its https address; redirects must stay on https.
        target: Where it goes. Its folder is made.
        max_bytes: Size at which the download is given up.
        max_seconds: Time at which it is given up, however fast the server sends.
        sha256: The first digits of its SHA-256, if they are known.
        validate: Called with the complete temporary file; raises if that is not what it should be.

    Returns:
        Its SHA-256 in hexadecimal digits.

    Raises:
        UserError: if the address is not https, the server does not answer, answers with an error
            or a web page, sends too much or takes too long, the connection breaks, or the file has
            another hash; ``target`` is then as it was.
    """
    check_address(url)
    deadline = time.monotonic() + max_seconds
    request = urllib.request.Request(url, headers={"User-Agent": f"reidcore/{__version__}"})
    with atomic_path(target) as incomplete:
        with _opened(request, deadline) as response, incomplete.open("wb") as file:
            _reject_page(response)
            digest = _copy(response, file, target.name, max_bytes)
        if not digest.startswith(sha256):
            size = incomplete.stat().st_size
            raise UserError(f"expected sha256 {sha256}, found {digest} in {counted(size, 'byte')}")
        validate(incomplete)
    return digest


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
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


class _Until(io.RawIOBase):
    """What a socket sends until a deadline, which holds for headers and chunks of any size."""

    def __init__(self, sock: socket.socket, sent: io.RawIOBase, deadline: float) -> None:
        self._sock, self._sent, self._deadline = sock, sent, deadline
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        try:
            self._sock.settimeout(max(min(left, _SILENCE_S), 0.001))
            count = self._sent.readinto(buffer)
        except TimeoutError:
            if time.monotonic() < self._deadline:
                raise
            count = None
        if count is None or left <= 0:
            raise UserError(
                f"it took too long: {counted(self._received, 'byte')} came in the time allowed"
            )
        self._received += count
        return count

    def close(self) -> None:
        self._sent.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self.fp = io.BufferedReader(_Until(sock, self.fp.detach(), deadline))


class _OpenedUntil(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """In the place of both usual handlers, which an opener leaves out if one derives from them."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(partial(_connection, HTTPConnection, self._deadline), req)

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(partial(_connection, HTTPSConnection, self._deadline), req)


def _connection(kind: Any, deadline: float, host: str, timeout: float, **named: Any) -> Any:
    left = max(deadline - time.monotonic(), 0.001)
    connection = kind(host, timeout=min(timeout, left), **named)
    connection.response_class = partial(_Response, deadline=deadline)
    return connection


def _opened(request: urllib.request.Request, deadline: float) -> Any:
    opener = urllib.request.build_opener(_HttpsRedirects(), _OpenedUntil(deadline))
    try:
        return opener.open(request, timeout=_SILENCE_S)
    except urllib.error.HTTPError as error:
        error.close()
        raise UserError(f"the server answered {error.code} {error.reason}") from error
    # ValueError: a host name, or a number in the answer, that is none.
    except (OSError, HTTPException, ValueError) as error:
        raise UserError(str(error) or type(error).__name__) from error


def _reject_page(response: Any) -> None:
    if response.headers.get_content_type() not in ("text/html", "application/xhtml+xml"):
        return
    text = next(_chunks(response), b"").decode("utf-8", errors="replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
    said = " ".join((title[1] if title else re.sub(r"<[^>]*>", " ", text)).split())[:80]
    raise UserError(f"expected a file, found a web page that says {said!r}")


def _length_of(response: Any) -> int | None:
    """Return the number of bytes that the server promises; None if it does not say."""
    told = response.headers.get("Content-Length")
    if told is None or response.chunked:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", told.strip()):
        raise UserError(f"the server says that the file has {quoted(told)} bytes")
    return int(told)


def _copy(response: Any, file: IO[bytes], name: str, max_bytes: int) -> str:
    """Write the body to a file; return its SHA-256."""
    total = _length_of(response)
    if total is not None and total > max_bytes:
        raise UserError(
            f"the file has {counted(total, 'byte')}, and {max_bytes:,} are the most expected"
        )
    digest, received = hashlib.sha256(), 0
    with progress(f"downloading {name}", total, is_bytes=True) as advance:
        for chunk in _chunks(response):
            received += len(chunk)
            if received > max_bytes:
                raise UserError(f"the server sent more than {max_bytes:,} bytes")
            file.write(chunk)
            digest.update(chunk)
            advance(len(chunk))
    if total is not None and received != total:
        raise UserError(f"the connection broke after {received:,} of {counted(total, 'byte')}")
    return digest.hexdigest()


def _chunks(response: Any) -> Iterator[bytes]:
    """Yield the body as it arrives: ``read1`` returns what is there, so that deadlines hold."""
    try:
        while chunk := response.read1(_CHUNK):
            yield chunk
    except (OSError, HTTPException, ValueError) as error:
        raise UserError(f"the connection broke: {error or type(error).__name__}") from error
