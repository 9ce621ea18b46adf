"""A server of files on this machine, a cache of one's own, and weights published there."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reidcore import hookimpl
from reidcore.plugins import make_plugins


@dataclass
class Host:
    """What a server has, how it behaves, and what it was asked.

    Attributes:
        files: name -> contents.
        ranges: whether it sends parts of files.
        kind: the content type it claims.
        breaks: after how many bytes each of the next answers breaks off.
        tag: the version of its files; empty if it tells none.
        asked: each request's file, and the range that was asked for.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    kind: str = "application/octet-stream"
    breaks: list[int] = field(default_factory=list)
    tag: str = '"1"'
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


class _Handler(BaseHTTPRequestHandler):
    host: Host

    def do_GET(self) -> None:
        host, name = self.host, self.path.strip("/")
        wanted = self.headers.get("Range")
        host.asked.append((name, wanted))
        if name.startswith("to:"):
            self.send_response(302)
            self.send_header("Location", name.removeprefix("to:"))
            self.end_headers()
            return
        if name not in host.files:
            self.send_error(404)
            return
        content, start = host.files[name], 0
        if wanted and host.ranges and self.headers.get("If-Range", host.tag) == host.tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Type", host.kind)
        self.send_header("Content-Length", str(len(content) - start))
        if host.tag:
            self.send_header("ETag", host.tag)
        self.end_headers()
        sent = content[start:]
        self.wfile.write(sent[: host.breaks.pop(0)] if host.breaks else sent)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def host():
    kept = Host()
    handler = type("Handler", (_Handler,), {"host": kept})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        kept.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Caches of one's own."""
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for variable in ("REIDCORE_OFFLINE", "REIDCORE_WEIGHTS_MIRROR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def publishing():
    """Return plugins that publish the given rows, beside all that is installed."""

    def make(**rows):
        class Publisher:
            @hookimpl
            def reid_register_weights(self, registry):
                for name, row in rows.items():
                    registry.add(name, lambda row=row: row)

        return make_plugins(extra=[Publisher()])

    return make
