"""Weights and images that depend on names, shapes and a seed; a server of files on this machine."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from torch import Tensor, nn


def _draws(text: str, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([zlib.crc32(text.encode()), seed]))


def _entry(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    draws = _draws(key, seed)
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape)
    if key.endswith("running_var"):
        return draws.uniform(0.5, 1.5, shape)
    if len(shape) >= 2 and not key.endswith("running_mean"):
        return draws.normal(0.0, np.sqrt(2 / np.prod(shape[1:])), shape)
    if key.endswith("weight"):
        return draws.uniform(0.8, 1.2, shape)
    return draws.normal(0.0, 0.1, shape)


@pytest.fixture(scope="session")
def fill() -> Callable[..., nn.Module]:
    """Overwrite a model's state dict, entry by entry, and return the model."""

    def fill(model: nn.Module, seed: int = 0) -> nn.Module:
        for key, value in model.state_dict().items():
            value.copy_(torch.as_tensor(_entry(key, tuple(value.shape), seed)))
        return model

    return fill


@pytest.fixture(scope="session")
def images() -> Callable[..., Tensor]:
    """Draw normal images (B, 3, H, W)."""

    def images(batch: int, height: int, width: int, seed: int = 0) -> Tensor:
        draws = _draws(f"images-{batch}-{height}-{width}", seed)
        return torch.from_numpy(
            draws.standard_normal((batch, 3, height, width), np.float64)
        ).float()

    return images


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
