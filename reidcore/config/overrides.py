"""Overrides on the command line: ``key=value``, or Torchreid's ``key value`` pairs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from reidcore._wording import shortened
from reidcore.config.layers import Layer, Origin
from reidcore.config.yaml import RefusedYamlError, parse_value
from reidcore.errors import ConfigError, quoted

_ASSIGNMENT = re.compile(r"(?P<key>[\w./-]+)=(?P<value>.*)", re.DOTALL)
_KEY = re.compile(r"\w[\w-]*(/\w[\w-]*)?(\.\w[\w-]*(/\w[\w-]*)?)*")  # such as timm/lamb


def parse_overrides(words: Sequence[str]) -> Layer:
    """Read overrides in order, the later ones winning.

    Values are YAML, so ``[a, b]``, ``1e-3`` and ``true`` mean what they do in a file; Python's
    tuples and ``None`` are taken as well, and what is no YAML is plain text.

    Raises:
        ConfigError: a word is neither ``key=value`` nor a key followed by its value.
    """
    layer = Layer()
    for key, text, shown in _pairs(words):
        told = quoted(shown)
        if not _KEY.fullmatch(key):
            raise ConfigError(
                f"{told} is no override", "Write key=value, such as train.max_epoch=10"
            )
        try:
            value = read_value(text)
        except RefusedYamlError as error:
            what = f"{shortened(key)}: {error.problem} (override {told})"
            raise ConfigError(what, error.note or "") from error
        layer.set(tuple(key.split(".")), value, Origin("override", told))
    return layer


def read_value(text: str) -> Any:
    """Read one value from the command line.

    Raises:
        RefusedYamlError: it holds more than a configuration may.
    """
    stripped = text.strip()
    if stripped in ("", "None"):
        return None if stripped else ""
    if stripped.startswith("("):
        return _tuple(stripped)
    try:
        value = parse_value(stripped)
    except RefusedYamlError:
        raise
    except yaml.YAMLError:
        return text
    if isinstance(value, dict) and not stripped.startswith("{"):
        return text  # a colon inside plain text, as in a Windows path
    return value


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    remaining = iter(words)
    for word in remaining:
        assignment = _ASSIGNMENT.fullmatch(word)
        if assignment:
            yield assignment["key"], assignment["value"], word
            continue
        value = next(remaining, None)
        if value is None:
            name = word if _KEY.fullmatch(word) else "KEY"
            raise ConfigError(
                f"the override {quoted(word)} has no value", f"Write {name}=VALUE or {name} VALUE"
            )
        yield word, value, f"{word} {value}"


def _tuple(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
        json.dumps(value)  # a TypeError for what YAML could not hold
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text
    return list(value) if isinstance(value, tuple) else value
