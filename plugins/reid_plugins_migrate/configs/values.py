"""The values of a foreign configuration: which were written and read, and what is to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard

from reidcore.errors import ConfigError, quoted

Tree: TypeAlias = dict[str, Any]
"""Sections and their values, nested."""


@dataclass(frozen=True)
class Note:
    """Something that a translation says of a key.

    Attributes:
        key: the foreign key.
        value: its value.
        text: what becomes of it.
        is_lost: whether it has no counterpart.
    """

    key: str
    value: Any
    text: str
    is_lost: bool


@dataclass
class Given:
    """The values of a foreign configuration over its framework's defaults.

    Attributes:
        written: dotted keys that the files have, with their values.
        defaults: dotted keys that the framework has, with their values.
        notes: what is to be told.
    """

    written: Mapping[str, Any]
    defaults: Mapping[str, Any]
    notes: list[Note] = field(default_factory=list)
    _read: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, values: Tree, defaults: Mapping[str, Any]) -> Given:
        """Make it of nested values."""
        return cls(dict(_flat(values, ())), defaults)

    def __getitem__(self, key: str) -> Any:
        """Return a value, and remember that it was read."""
        self._read.add(key)
        return self.written.get(key, self.defaults[key])

    def number(self, key: str) -> float:
        """Return a value that has to be a number.

        Raises:
            ConfigError: if it is none.
        """
        if not _is_number(value := self[key]):
            raise ConfigError(f"{key} is {quoted(value)}", "Expected a number.")
        return value

    def several(self, key: str) -> list[Any]:
        """Return a value as a list: one item stands for a list of one."""
        value = self[key]
        return (
            list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        )

    def numbers(self, key: str, *counts: int) -> list[float]:
        """Return a value as a list of numbers.

        Args:
            key: of the value; one number stands for a list of one.
            counts: how many there may be; any number of them if unset.

        Raises:
            ConfigError: if it holds anything else, or more or fewer.
        """
        values = self.several(key)
        if not all(map(_is_number, values)) or (counts and len(values) not in counts):
            wanted = " or ".join(map(str, counts))
            raise ConfigError(
                f"{key} is {quoted(self[key])}",
                f"Expected {wanted} numbers." if counts else "Expected numbers.",
            )
        return values

    def pair(self, key: str) -> tuple[float, float]:
        """Return two numbers; one stands for both.

        Raises:
            ConfigError: if there are others, or other numbers of them.
        """
        values = self.numbers(key, 1, 2)
        return values[0], values[-1]

    def is_on(self, section: str) -> bool:
        """Whether a section's ENABLED is on; if not, its other keys have no part in anything."""
        is_on = bool(self[f"{section}.ENABLED"])
        if not is_on:
            self._read.update(key for key in self.written if key.startswith(f"{section}."))
        return is_on

    def changed(self, key: str, text: str) -> None:
        """Tell that a key means something else here."""
        self.notes.append(Note(key, self[key], text, is_lost=False))

    def lost(self, key: str, text: str) -> None:
        """Tell that a key has no counterpart, and what to do."""
        self.notes.append(Note(key, self[key], text, is_lost=True))

    def ignore(self, *keys: str) -> None:
        """Take note of keys that change no result."""
        self._read.update(keys)

    def unread(self) -> Iterator[Note]:
        """Yield a note for each key that was written and never read."""
        for key, value in self.written.items():
            if key not in self._read:
                known = key in self.defaults
                text = "it has no counterpart here" if known else "no such key is known"
                yield Note(key, value, text, is_lost=True)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _flat(values: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, (*above, key))
        else:
            yield ".".join((*above, key)), value


def without_empty(values: Tree) -> Tree:
    """Return sections without those that hold nothing."""
    kept = {k: without_empty(v) if isinstance(v, dict) else v for k, v in values.items()}
    return {key: value for key, value in kept.items() if value != {}}
