"""The folder of downloaded weights: files enter it checked, and are checked when used."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from filelock import FileLock, Timeout

from reidcore._download import OFFLINE, direct_address, download, is_offline
from reidcore._files import mkdir_if_missing, read_json, user_cache, write_json
from reidcore._logging import configure_if_bare
from reidcore.errors import CheckpointError, UserError, counted
from reidcore.models.weights.catalog import PublishedWeights
from reidcore.models.weights.files import read_weights

_log = logging.getLogger(__name__)

MIRROR = "REIDCORE_WEIGHTS_MIRROR"

# The largest published vision models have some 20 GB.
_MAX_BYTES = 64 << 30
_MAX_SECONDS = 6 * 3600.0

HashState = Literal["published", "recorded", "new", "differs"]


@dataclass(frozen=True)
class Checked:
    """A file of weights and its hash.

    Attributes:
        path: the file.
        sha256: its hash.
        expected: the hash it should have, or its first digits; empty if none is known yet.
        state: ``published`` or ``recorded`` if it has the hash that its publisher gives, or had
            when it was downloaded; ``new`` if none is known; ``differs`` if it has another.
    """

    path: Path
    sha256: str
    expected: str
    state: HashState


class WeightsStore:
    """Published weights on this machine, and their download.

    Args:
        folder: where they are kept; by default ``weights_dir()``.
        offline: download nothing; by default what ``REIDCORE_OFFLINE`` says.
        mirror: address of a folder from which files are downloaded by name, instead of from where
            they are published; by default ``REIDCORE_WEIGHTS_MIRROR``.
    """

    def __init__(
        self, folder: Path | None = None, offline: bool | None = None, mirror: str | None = None
    ) -> None:
        self.folder = folder or weights_dir()
        self.offline = is_offline() if offline is None else offline
        self.mirror = os.environ.get(MIRROR, "") if mirror is None else mirror

    def require(self, weights: PublishedWeights) -> Path:
        """Return the file of published weights, downloaded if need be.

        Raises:
            UserError: if it cannot be downloaded; names the ways out.
            CheckpointError: if the file in the cache has another hash than it should.
        """
        held = self.find(weights)
        if held is None:
            return self.fetch(weights)
        if held.state == "differs":
            raise _altered(weights, held)
        if held.state == "new":
            self.record(weights, held.sha256)
        return held.path

    def find(self, weights: PublishedWeights) -> Checked | None:
        """Return the file if it is on this machine: in the cache, or in torch's (as Torchreid's).

        A file in torch's folder with another hash than expected is passed over, with a warning.
        """
        for file in self._places(weights):
            checked = self.check(weights, file)
            if checked.state != "differs" or file.parent == self.folder:
                return checked
            _log.warning(
                "%s has sha256 %s, not %s: passed over", file, checked.sha256, checked.expected
            )
        return None

    def locate(self, weights: PublishedWeights) -> Path | None:
        """Return the file if it is here, whatever is in it."""
        return next(self._places(weights), None)

    def expected(self, weights: PublishedWeights) -> tuple[str, HashState]:
        """Return the hash, or its first digits, that the file should have, and who says so.

        Raises:
            CheckpointError: if what was recorded is no hash.
        """
        if weights.sha256:
            return weights.sha256, "published"
        file = self._record_file(weights)
        return (_recorded(file), "recorded") if file.is_file() else ("", "new")

    def check(self, weights: PublishedWeights, file: Path) -> Checked:
        """Read a file and compare its hash with the one it should have."""
        digest = sha256_of(file)
        expected, state = self.expected(weights)
        return Checked(file, digest, expected, state if digest.startswith(expected) else "differs")

    def fetch(self, weights: PublishedWeights) -> Path:
        """Download the file into the cache, in place of one that is there.

        Processes that want the same file wait for the first one.

        Raises:
            UserError: if that fails; names the ways out. The cache is as it was.
        """
        address = self._address(weights)
        if self.offline:
            raise self._failed(weights, f"downloads are switched off ({OFFLINE} or --offline)")
        target = self.folder / weights.filename
        before = _identity(target)
        mkdir_if_missing(self.folder)
        with _locked(self.folder / f".{weights.filename}.lock", weights.filename):
            if _identity(target) != before and self.check(weights, target).state != "differs":
                return target  # another process downloaded it in the meantime
            configure_if_bare()
            _log.info("Downloading the weights %s from %s", weights.name, address)
            try:
                digest = download(
                    address,
                    target,
                    max_bytes=_MAX_BYTES,
                    max_seconds=_MAX_SECONDS,
                    sha256=weights.sha256,
                    validate=_require_weights,
                )
            except UserError as error:
                raise self._failed(weights, str(error), address) from error
            self.record(weights, digest)
        return target

    def record(self, weights: PublishedWeights, digest: str) -> None:
        """Keep a file's hash, to check it by from now on."""
        record = {"name": weights.name, "sha256": digest, "url": weights.url}
        try:
            write_json(record, self._record_file(weights))
        except UserError as error:  # a shared, read-only cache serves as well
            _log.debug("The hash of %s is not recorded: %s", weights.filename, error)

    def _places(self, weights: PublishedWeights) -> Iterator[Path]:
        hub = Path(torch.hub.get_dir())
        for folder in (self.folder, hub / "checkpoints", hub.parent / "checkpoints"):
            if (folder / weights.filename).is_file():
                yield folder / weights.filename

    def _address(self, weights: PublishedWeights) -> str:
        if self.mirror:
            return f"{self.mirror.rstrip('/')}/{weights.filename}"
        if weights.url:
            return direct_address(weights.url)
        whose = f"; it is of {weights.origin}" if weights.origin else ""
        reason = f"its publisher gives no address to download it from{whose}"
        raise self._failed(weights, reason)

    def _record_file(self, weights: PublishedWeights) -> Path:
        return self.folder / f"{weights.filename}.json"

    def _failed(self, weights: PublishedWeights, reason: str, address: str = "") -> UserError:
        source = address or weights.url
        return UserError(
            f"the weights {weights.name!r} are not on this machine and could not be downloaded"
            f"{f' from {source}' if source else ''}: {reason}",
            "Use pretrained=False (in a config: model.pretrained=false) to start from random "
            "weights, and give a local file to load_pretrained_weights(model, FILE) or "
            f"model.load_weights=FILE; or put the file at {str(self.folder / weights.filename)!r}.",
        )


def weights_dir() -> Path:
    """Return the folder of downloaded weights: ``$REIDCORE_HOME/weights``, else in ``~/.cache``."""
    return user_cache("weights")


def sha256_of(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def _locked(file: Path, name: str) -> Iterator[None]:
    """Hold a lock that ends with the process; wait for another process's first, and say so."""
    lock = FileLock(file)
    try:
        try:
            held = lock.acquire(blocking=False)
        except Timeout:
            _log.info("Waiting for another process that downloads %s", name)
            held = lock.acquire()
    except OSError as error:
        raise UserError(
            f"cannot write {str(file)!r}: {error.strerror}", "Choose a folder you may write to."
        ) from error
    with held:
        yield


def _require_weights(file: Path) -> None:
    try:
        read_weights(file)
    except CheckpointError as error:
        found = f"{counted(file.stat().st_size, 'byte')} of something else"
        reason = str(error) if "asks to run" in str(error) else f"found {found}"
        raise UserError(f"expected a file of weights, {reason}") from error


def _altered(weights: PublishedWeights, held: Checked) -> CheckpointError:
    return CheckpointError(
        f"{str(held.path)!r} is not what it should be: expected sha256 {held.expected}, found "
        f"{held.sha256} in {counted(held.path.stat().st_size, 'byte')}",
        f"Fetch it again: reidcore weights fetch --again {weights.name}",
    )


def _recorded(file: Path) -> str:
    """Return the hash in the record of a download."""
    try:
        record = read_json(file)
    except UserError:
        record = None
    digest = record.get("sha256") if isinstance(record, dict) else None
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise CheckpointError(
            f"{str(file)!r} records no SHA-256 of a file of weights",
            "Remove it if you trust the file beside it, whose hash is then recorded anew.",
        )
    return digest


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mtime_ns
