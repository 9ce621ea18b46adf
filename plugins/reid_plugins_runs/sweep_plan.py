"""Which runs a sweep is made of: ``--sweep KEY=VALUE,VALUE`` and the product of several."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from reidcore.errors import UserError, quoted

# Keys that a sweep cannot have: it sets the folders itself, and trains in each of them.
_OWN = {
    "data.save_dir": "it gives each of its runs a folder below data.save_dir",
    "model.resume": "each of its runs goes on with its own: --resume auto",
    "test.evaluate": "its runs train",
}
_KEY = re.compile(r"\w[\w-]*(\.\w[\w-]*)+")
_UNSAFE = re.compile(r"[^\w.+-]+")
_LONGEST = 120
_CLOSING = {"[": "]", "(": ")", "{": "}"}


@dataclass(frozen=True)
class SubRun:
    """One run of a sweep.

    Attributes:
        values: the swept keys with the text of their values.
        name: its folder below ``data.save_dir``.
    """

    values: Mapping[str, str]
    name: str

    @property
    def overrides(self) -> list[str]:
        """The words that set its values."""
        return [f"{key}={text}" for key, text in self.values.items()]

    def folder(self, save_dir: str) -> Path:
        """Return its folder below the configuration's ``data.save_dir``."""
        return Path(save_dir) / self.name


def plan_sweep(sweeps: Sequence[str], overrides: Sequence[str] = ()) -> list[SubRun]:
    """Return the runs of a sweep: each value of each key with each of the others'.

    Args:
        sweeps: what ``--sweep`` was given, one each: ``train.seed=1,2,3``.
        overrides: the ``key=value`` of the command line beside them.

    Raises:
        UserError: if a sweep has no key or no value, repeats one, or sets what is set otherwise.
    """
    keys: dict[str, list[str]] = {}
    for sweep in sweeps:
        key, values = read_sweep(sweep)
        if key in keys:
            raise UserError(f"--sweep has {key} twice", f"Write all values once: {key}=A,B,C")
        keys[key] = values
    for word in overrides:
        key, _, value = word.partition("=")
        if key in keys:
            what = f"{key} is swept, and set to {quoted(value)} as well"
            raise UserError(what, f"Leave out {word} or --sweep {key}=...")
    combined = [dict(zip(keys, texts, strict=True)) for texts in product(*keys.values())]
    names = _names(combined)
    return [SubRun(values, name) for values, name in zip(combined, names, strict=True)]


def read_sweep(sweep: str) -> tuple[str, list[str]]:
    """Return the key of ``KEY=VALUE,VALUE`` and the texts of its values.

    Raises:
        UserError: if it is not written so, or has a key that a sweep cannot have.
    """
    key, equals, text = sweep.partition("=")
    key = key.strip()
    if not equals or not _KEY.fullmatch(key):
        raise UserError(
            f"--sweep {quoted(sweep)} is no KEY=VALUE,VALUE", "Such as --sweep train.seed=1,2,3"
        )
    if key in _OWN:
        raise UserError(f"a sweep cannot have {key}: {_OWN[key]}", "Leave it out.")
    values = split_values(text)
    if "" in values:
        what = "no value" if values == [""] else "a value of no characters"
        raise UserError(
            f"--sweep {quoted(sweep)} has {what}", f"Such as --sweep {key}=A,B; for none: null"
        )
    if repeated := [value for value, count in Counter(values).items() if count > 1]:
        raise UserError(f"--sweep {key} has {quoted(repeated[0])} twice", "Leave one out.")
    return key, values


def split_values(text: str) -> list[str]:
    """Return what stands between the commas of a text that are in no brackets and no quotes.

    Raises:
        UserError: if a bracket or a quote is not closed.
    """
    parts, open_brackets, quote = [""], [], ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and not parts[-1].strip(" [({,:"):
            quote = character  # an apostrophe inside a word is none
        elif character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
        elif character == "," and not open_brackets:
            parts.append("")
            continue
        parts[-1] += character
    if quote or open_brackets:
        lacking = quote or open_brackets[-1]
        raise UserError(f"{quoted(text)} lacks a closing {lacking}", "Close it, or leave it out.")
    return [part.strip() for part in parts]


def _names(combined: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name for each run that says its values, and that any file system takes.

    It depends on the run alone, so that a sweep may be gone on with and have more values. What is
    long, or differs only in what a name may not have, gets a few digits made of the whole.
    """
    plain = [
        ",".join(f"{key}={_UNSAFE.sub('_', text).strip('_')}" for key, text in values.items())
        for values in combined
    ]
    whole = [",".join(f"{key}={text}" for key, text in values.items()) for values in combined]
    return [
        name if name == exact and len(name) <= _LONGEST else f"{name[:_LONGEST]}-{_digits(exact)}"
        for name, exact in zip(plain, whole, strict=True)
    ]


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:6]
