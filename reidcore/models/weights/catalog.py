"""Published weights: the rows that plugins bring, checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reidcore._lazy import load_target
from reidcore.errors import PluginDefectError, UserError
from reidcore.registry import Entry, entries, find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

KeyMap = Callable[[str], str | None]

# torchvision ends the names of its files in the first digits of their hash.
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.")


class PublishedWeights(BaseModel):
    """Weights that somebody has published.

    Attributes:
        name: by which they are asked for.
        filename: name of the file in the cache.
        url: where it is downloaded from; empty if it must be fetched by hand.
        sha256: first digits of its SHA-256, if known; a file that differs is refused.
        licence: the terms of use, as far as they are known.
        origin: who published them, and what they were trained on.
        torchvision: name of torchvision's own entry, such as ``ResNet50_Weights.IMAGENET1K_V1``,
            which then gives file, address and hash.
        keys: ``"module:function"`` that turns a key of the file into the model's, or into None
            where the model has no such entry.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = ""
    filename: str = ""
    url: str = ""
    sha256: str = Field(default="", pattern=r"^[0-9a-f]{0,64}$")
    licence: str = ""
    origin: str = ""
    torchvision: str = Field(default="", pattern=r"^$|^\w+\.\w+$")
    keys: str = Field(default="", pattern=r"^$|^[\w.]+:[\w.]+$")

    _registered_as: str = "weights"

    @field_validator("filename")
    @classmethod
    def _is_bare(cls, filename: str) -> str:
        if PurePosixPath(filename).name != filename or "\\" in filename or filename.startswith("."):
            raise ValueError("a file's name, without folders")
        return filename

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("an https address")
        return url

    @model_validator(mode="after")
    def _has_one_source(self) -> PublishedWeights:
        if self.torchvision and (self.filename or self.url or self.sha256):
            raise ValueError("torchvision's entry tells filename, url and sha256: leave them out")
        if not (self.torchvision or self.filename):
            raise ValueError("a row needs filename, or torchvision")
        return self

    def key_map(self) -> KeyMap:
        """Return the function that renames keys; the one that keeps them by default."""
        if not self.keys:
            return lambda key: key
        try:
            found: KeyMap = load_target(self.keys)
        except (ImportError, AttributeError) as error:
            raise PluginDefectError(
                f"{self._registered_as} name their key map {self.keys!r}, which cannot be loaded "
                f"({error})"
            ) from error
        return found


def find_published(name: str, plugins: Plugins | None = None) -> PublishedWeights:
    """Return published weights by name, or by the qualified name ``plugin/name``.

    Raises:
        UnknownNameError: if no plugin publishes such weights; names the nearest ones.
        PluginError: if several do.
        PluginDefectError: if the row is no good; names its file and what is wrong.
    """
    return _checked(find("weights", name, plugins))


def published_weights(plugins: Plugins | None = None) -> list[tuple[Entry, PublishedWeights]]:
    """Return all published weights with their registrations, by name.

    Raises:
        PluginDefectError: if a row is no good.
    """
    return [(entry, _checked(entry)) for entry in entries("weights", plugins)]


def _checked(entry: Entry) -> PublishedWeights:
    row: Any = entry.load()()
    try:
        weights = PublishedWeights.model_validate({"name": entry.name, **row})
    except (ValidationError, TypeError) as error:
        table = getattr(entry.target, "table", None)
        place = f"{table}: " if table else ""
        raise PluginDefectError(
            f"{place}the row of {entry.origin} is no good: {_problems(error)}",
            f"A row takes {', '.join(sorted(PublishedWeights.model_fields.keys() - {'name'}))}.",
        ) from error
    weights._registered_as = entry.origin
    return _resolved(weights) if weights.torchvision else weights


def _problems(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"{error}"
    found = error.errors(include_url=False)
    return "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}" if each["loc"] else each["msg"]
        for each in found
    )


def _resolved(weights: PublishedWeights) -> PublishedWeights:
    url = _torchvision_url(weights.torchvision)
    if url is None:
        raise UserError(
            f"torchvision has no weights {weights.torchvision!r}, which {weights.name!r} names",
            "Install a newer torchvision, or tell the plugin's author.",
        )
    filename = PurePosixPath(urlsplit(url).path).name
    known = _HASH_IN_NAME.search(filename)
    return weights.model_copy(
        update={"filename": filename, "url": url, "sha256": known[1] if known else ""}
    )


@cache
def _torchvision_url(name: str) -> str | None:
    from torchvision.models import get_weight

    try:
        return str(get_weight(name).url)
    except (ValueError, KeyError):
        return None
