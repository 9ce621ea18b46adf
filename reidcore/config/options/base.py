"""What the sections of options have in common: strict types, and messages that name the key."""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from reidcore._validation import dotted, mistakes_in
from reidcore.errors import ConfigError, did_you_mean, quoted


def listed(value: object) -> object:
    """Return a list: one item stands for a list of one, any other sequence for a list."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return list(value)
    return value if value is None else [value]


def switched(value: object) -> object:
    """Return the word for a switch: YAML 1.1 reads a bare ``off`` as false and ``on`` as true."""
    return {False: "off", True: "auto"}[value] if isinstance(value, bool) else value


def _located(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _named(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("string_too_short", "empty")
    return value


MOST = 1_000_000
"""What no count of epochs, of batches, or of what a batch holds needs to exceed."""

Location = Annotated[str, BeforeValidator(_located)]
OutputFolder = Annotated[Location, AfterValidator(_named)]
Names = Annotated[list[str], BeforeValidator(listed)]
Positive = Annotated[int, Field(ge=1, le=MOST)]
NotNegative = Annotated[int, Field(ge=0, le=MOST)]
Positives = Annotated[list[Positive], Field(min_length=1), BeforeValidator(listed)]
Rate = Annotated[float, Field(ge=0, le=MOST)]
_Level = Annotated[float, Field(ge=-MOST, le=MOST)]
Channels = Annotated[list[_Level], Field(min_length=1), BeforeValidator(listed)]


class Options(BaseModel):
    """A section of known keys.

    Attributes:
        section: its place in a configuration, for messages.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", validate_assignment=True, allow_inf_nan=False
    )

    section: ClassVar[str] = ""

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """Make the section from a program's values; a number of NumPy's is as good as Python's.

        Raises:
            ConfigError: naming each key that is unknown, mistyped or out of range.
        """
        plain = {key: _plain(value) for key, value in values.items()}
        try:
            return cls(**plain)
        except ValidationError as error:
            raise _refusal(cls, plain, error) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Change a key, as a hook or a script does; the value is checked like any other.

        Raises:
            ConfigError: if the key is unknown, or the value mistyped or out of range.
        """
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise _refusal(type(self), {name: value}, error) from None


class OpenOptions(Options):
    """A section that also carries the options of a component."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())


def _plain(value: Any) -> Any:
    if isinstance(value, numbers.Number) and hasattr(value, "item"):
        return value.item()
    return value


def _refusal(
    options: type[Options], values: Mapping[str, Any], error: ValidationError
) -> ConfigError:
    told, hints = [], []
    for mistake in mistakes_in(values, error):
        key = dotted((*filter(None, [options.section]), *mistake.place))
        if mistake.kind == "unknown":
            told.append(f"there is no key {key}")
            hints.append(did_you_mean(str(mistake.place[-1]), options.model_fields))
        elif mistake.kind == "missing":
            told.append(f"{key} needs a value")
        else:
            told.append(f"{key} is {quoted(mistake.found)}")
            words = re.findall(r"'([^']+)'", mistake.expected)
            hints.append(did_you_mean(mistake.found, words))
            hints.append(f"Expected {mistake.expected}.")
    return ConfigError("; ".join(told), " ".join(dict.fromkeys(filter(None, hints))))
