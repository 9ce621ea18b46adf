"""Published ImageNet weights: found in a cache, else downloaded once."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import torch
from torch import nn

from reidcore.errors import CheckpointError, UserError
from reidcore.files import mkdir_if_missing
from reidcore.models.weights import load_pretrained_weights
from reidcore.serialization import load_safely

_log = logging.getLogger(__name__)

_CONNECT_SECONDS = 20.0


@dataclass(frozen=True)
class PublishedWeights:
    """Where a model's weights are published.

    Attributes:
        model: name of the model, for messages.
        filename: name of the file in the cache.
        url: where it is downloaded from.
        sha256: first digits of its SHA-256, if known; a file that differs is refused.
    """

    model: str
    filename: str
    url: str
    sha256: str = ""


def load_published_weights(model: nn.Module, published: PublishedWeights) -> None:
    """Fill ``model`` with its published weights (the classifier keeps its own).

    Raises:
        UserError: if they are in no cache and cannot be downloaded; names the ways out.
        CheckpointError: if the cached file is damaged or belongs to another model.
    """
    load_pretrained_weights(model, _cached(published) or _download(published))


def weights_dir() -> Path:
    """Return the folder of downloaded weights: ``$REIDCORE_HOME/weights``, else in ``~/.cache``."""
    if home := os.environ.get("REIDCORE_HOME"):
        return Path(home).expanduser() / "weights"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "reidcore" / "weights"


def _cached(published: PublishedWeights) -> Path | None:
    # Torchreid keeps the same files under the same names in torch's folder.
    torch_hub = Path(torch.hub.get_dir())
    folders = (weights_dir(), torch_hub / "checkpoints", torch_hub.parent / "checkpoints")
    files = (folder / published.filename for folder in folders)
    return next((file for file in files if file.is_file()), None)


def _download(published: PublishedWeights) -> Path:
    target = weights_dir() / published.filename
    mkdir_if_missing(target.parent)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    _log.info("Downloading the weights of %s from %s", published.model, published.url)
    try:
        with _connection_timeout():
            torch.hub.download_url_to_file(
                published.url,
                str(partial),
                hash_prefix=published.sha256 or None,
                progress=sys.stderr.isatty(),
            )
        # A file host may answer with a web page: nothing enters the cache that does not load.
        load_safely(partial)
        partial.replace(target)
    except (OSError, HTTPException, RuntimeError) as error:
        raise _no_weights(published, target, str(error)) from error
    except CheckpointError as error:
        raise _no_weights(published, target, "the server sent no weights file") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


@contextmanager
def _connection_timeout() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_CONNECT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _no_weights(published: PublishedWeights, target: Path, reason: str) -> UserError:
    return UserError(
        f"the pretrained weights of {published.model!r} could not be downloaded from "
        f"{published.url} ({reason})",
        "Use pretrained=False (in a config: model.pretrained=false) to start from random weights, "
        "and give a local file to load_pretrained_weights(model, FILE) or model.load_weights=FILE; "
        f"or put the file at {str(target)!r}.",
    )
