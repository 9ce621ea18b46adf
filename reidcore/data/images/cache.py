"""Stores for the images of datasets, as many as a bound allows."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reidcore._files import user_cache
from reidcore.data.images.disk import SUFFIX, DiskStore, remove_unused
from reidcore.data.images.memory import MemoryStore
from reidcore.data.images.store import PixelStore, words_of
from reidcore.data.transforms.resize import SizeRule
from reidcore.errors import ConfigError, UserError, did_you_mean

_log = logging.getLogger(__name__)

CACHE_CHOICES = ("off", "ram", "disk")

VERSION = 1
"""Of the way images are decoded and resized; files of another one are not read."""


@dataclass
class PixelCache:
    """Makes stores, for one list of images after the other.

    Attributes:
        kind: ``off``, ``ram``, or ``disk``: in the user's cache folder, for later runs as well.
        gigabytes: Bound of what this data manager keeps in memory, or of all that is on disk.
        forked: Whether worker processes are forks.

    Raises:
        ConfigError: There is no such kind, or the bound is not above 0.
    """

    kind: str = "off"
    gigabytes: float = 8.0
    forked: bool = True
    _used: int = field(default=0, init=False)
    _made: dict[str, PixelStore] = field(default_factory=dict, init=False)
    _has_failed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.kind not in CACHE_CHOICES:
            raise ConfigError(
                f"cache={self.kind!r}",
                did_you_mean(self.kind, CACHE_CHOICES)
                or f"Set data.cache to {' or '.join(CACHE_CHOICES)}",
            )
        if not self.gigabytes > 0:
            raise ConfigError(f"cache_gb={self.gigabytes}", "Set data.cache_gb to a number above 0")

    def stores(
        self, paths: Sequence[str], rules: Sequence[SizeRule], draft: bool
    ) -> Mapping[SizeRule, PixelStore]:
        """Return a store for each size; an image's number is its place in the list.

        Args:
            paths: The images' files.
            rules: The sizes.
            draft: Whether they are decoded as drafts.
        """
        if self.kind == "off" or self._has_failed:
            return {}
        found = {}
        for rule in dict.fromkeys(rules):
            name = _file_name(paths, rule, draft)
            store = self._made.get(name) or self._store(name, len(paths), rule)
            if store is not None:
                found[rule] = self._made[name] = store
        return found

    def _store(self, name: str, wanted: int, rule: SizeRule) -> PixelStore | None:
        each = words_of(rule.height, rule.width) * 8
        if self.kind == "ram":
            count = min(wanted, (self._bound() - self._used) // each)
            self._used += count * each
            self._tell_share(count, wanted, rule)
            return MemoryStore(count, rule.height, rule.width, self.forked) if count else None
        try:
            folder = user_cache("images")
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            count = min(wanted, _room_for(path, wanted * each, self._bound()) // each)
            self._tell_share(count, wanted, rule)
            return DiskStore(path, count, rule.height, rule.width) if count else None
        except (OSError, UserError) as error:
            self._has_failed = True
            _log.warning(
                "The image cache cannot be used (%s): images are read from their files. Set "
                "REIDCORE_HOME to a folder that can be written, or data.cache to ram",
                error,
            )
            return None

    def _bound(self) -> int:
        return int(self.gigabytes * 1e9)

    def _tell_share(self, kept: int, count: int, rule: SizeRule) -> None:
        share = "" if kept == count else f" {kept} of"
        _log.info(
            "Image cache (%s):%s %d images at %dx%d%s",
            self.kind,
            share,
            count,
            rule.height,
            rule.width,
            "; raise data.cache_gb for more" if share else "",
        )


def _file_name(paths: Sequence[str], rule: SizeRule, draft: bool) -> str:
    digest = hashlib.sha256(repr((VERSION, rule, draft)).encode())
    here = str(Path.cwd())
    for path in paths:
        base = "" if path.startswith(os.sep) else here
        digest.update(f"{base}\0{path}\n".encode("utf-8", "surrogateescape"))
    return f"{digest.hexdigest()[:32]}-{rule.height}x{rule.width}{SUFFIX}"


def _room_for(path: Path, wanted: int, bound: int) -> int:
    """Return how many bytes a store may have, having deleted old ones that are in its way."""
    others = sorted(
        (found.st_mtime, found.st_size, other)
        for other in path.parent.glob(f"*{SUFFIX}")
        if other != path and (found := other.stat())
    )
    used = sum(size for _, size, _ in others)
    for _, size, other in others:
        if used + wanted <= bound:
            break
        if remove_unused(other):
            _log.info("Image cache: deleted %s to make room", other)
            used -= size
    return max(0, bound - used)
