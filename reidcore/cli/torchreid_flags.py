"""Torchreid's command-line flags, split off before click sees the rest.

Click has no options that take a varying number of values, and Torchreid's ``-s a b`` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reidcore.errors import UserError, did_you_mean

# Flag -> the key that it sets. These take one or more values.
LISTS = {
    "-s": "sources",
    "--sources": "sources",
    "-t": "targets",
    "--targets": "targets",
    "--transforms": "transforms",
}
# These take one value.
SINGLES = {"--root": "root"}
CONFIG_FILE = "--config-file"
RESUME = "--resume"
PRINT_CONFIG = "--print-config"
JSON = "--json"
# These belong before the command.
GLOBALS = ("--debug", "--no-plugin", "--offline")

_DOTTED_KEY = re.compile(r"^[A-Za-z_][\w-]*(\.[\w-]+)+$")
_YAML_ENDINGS = (".yaml", ".yml")


@dataclass
class Arguments:
    """What a command line says.

    Attributes:
        config: the configuration's path or recipe name.
        overrides: ``key=value`` words and ``key value`` pairs, in order.
        data: the section ``data``, from the flags.
        resume: the checkpoint to go on from, a folder of them, or ``auto``.
        prints_config: print the configuration instead of running it.
        as_json: print it as JSON.
    """

    config: str | None = None
    overrides: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    resume: str | None = None
    prints_config: bool = False
    as_json: bool = False

    @property
    def flags(self) -> dict[str, Any]:
        """The flags as a nested configuration."""
        flags: dict[str, Any] = {"data": self.data} if self.data else {}
        if self.resume is not None:
            flags["model"] = {"resume": self.resume}
        return flags


def parse(words: list[str]) -> Arguments:
    """Read the words of ``reidcore run`` and ``reidcore test``.

    Raises:
        UserError: if a flag is unknown or lacks its value, or two configurations are given.
    """
    arguments = Arguments()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name.startswith("-") and equals:
            rest.insert(0, value)
            word = name
        if word in LISTS:
            arguments.data[LISTS[word]] = _take(word, rest)
        elif word in SINGLES:
            arguments.data[SINGLES[word]] = _take(word, rest, most=1)[0]
        elif word == RESUME:
            arguments.resume = _take(word, rest, most=1)[0]
        elif word == PRINT_CONFIG:
            arguments.prints_config = True
        elif word == JSON:
            arguments.as_json = True
        elif word == CONFIG_FILE:
            _set_config(arguments, _take(word, rest, most=1)[0])
        elif word.startswith("-"):
            raise UserError(f"no option is named {word!r}", _advice(word))
        elif "=" in word:
            arguments.overrides.append(word)
        elif _is_key(word):
            if not rest:
                raise UserError(f"the override {word!r} has no value", f"Write {word}=VALUE.")
            arguments.overrides += [word, rest.pop(0)]
        else:
            _set_config(arguments, word)
    if arguments.as_json and not arguments.prints_config:
        raise UserError(f"{JSON} is for {PRINT_CONFIG} alone", f"Add {PRINT_CONFIG}.")
    return arguments


def _advice(word: str) -> str:
    if word in GLOBALS:
        return f"Write it before the command: reidcore {word} ..."
    return did_you_mean(word, [*LISTS, *SINGLES, CONFIG_FILE]) or "See: reidcore run --help"


def _take(flag: str, rest: list[str], most: int | None = None) -> list[str]:
    taken: list[str] = []
    while rest and len(taken) != most and not _ends_values(rest[0], most):
        taken.append(rest.pop(0))
    if not taken:
        raise UserError(f"{flag} has no value", f"Write {flag} VALUE.")
    return taken


def _ends_values(word: str, most: int | None) -> bool:
    if word.startswith("-"):
        return True
    return most is None and ("=" in word or _is_key(word))


def _is_key(word: str) -> bool:
    is_spelled_so = bool(_DOTTED_KEY.match(word)) and not word.endswith(_YAML_ENDINGS)
    return is_spelled_so and not Path(word).is_file()  # model.pth.tar-8


def _set_config(arguments: Arguments, name: str) -> None:
    if arguments.config is not None:
        raise UserError(
            f"two configurations are given: {arguments.config!r} and {name!r}",
            "Give one; overrides are written key=value.",
        )
    arguments.config = name
