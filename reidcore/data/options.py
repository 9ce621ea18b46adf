"""Which component gets which option: the one whose signature declares it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from reidcore.errors import UserError, did_you_mean
from reidcore.registry import Entry

_log = logging.getLogger(__name__)

IDLE_VALUES: Mapping[str, object] = {"split_id": 0}
"""Torchreid's managers give these to every dataset; at this value nobody needs to have them."""


def declared_options(entry: Entry, reserved: Collection[str]) -> dict[str, str]:
    """Return the spellings of a component's options -> their real names.

    Args:
        entry: The component.
        reserved: Parameters that the core itself fills.
    """
    real = [
        parameter.name
        for parameter in entry.parameters().values()
        if parameter.kind
        in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        and parameter.name not in reserved
    ]
    spellings = {name: name for name in real}
    return spellings | {other: name for other, name in entry.options.items() if name in spellings}


def own_options(
    entry: Entry,
    shared: Mapping[str, Any],
    section: Mapping[str, Any],
    reserved: Collection[str],
) -> dict[str, Any]:
    """Return the options to call a component with, under their real names.

    Args:
        entry: The component.
        shared: Options for several components: those that it declares are taken.
        section: Options for this one alone, which win; it must declare each of them.
        reserved: Parameters that the core itself fills.

    Raises:
        UserError: The section has an option that the component does not.
    """
    spellings = declared_options(entry, reserved)
    for option in section:
        if option not in spellings:
            raise UserError(
                f"{entry.label} has no option {option!r}",
                did_you_mean(option, spellings) or _listed(spellings),
            )
    given = {**{key: shared[key] for key in shared if key in spellings}, **section}
    return {spellings[option]: value for option, value in given.items()}


def check_shared(
    shared: Mapping[str, Any],
    asked: Sequence[Entry],
    known: Iterable[Entry],
    reserved: Collection[str],
) -> None:
    """Make sure that somebody declares each shared option.

    One that only a dataset which was not asked for declares has no effect, as in Torchreid.

    Args:
        shared: Options for whichever of the components declares them.
        asked: The components in use.
        known: All components of the kind.
        reserved: Parameters that the core itself fills.

    Raises:
        UserError: Nobody declares an option; the message has the nearest ones.
    """
    spellings = {key for entry in asked for key in declared_options(entry, reserved)}
    elsewhere = {key for entry in known for key in entry.options}
    names = ", ".join(entry.name for entry in asked)
    for option, value in shared.items():
        idle = option in IDLE_VALUES and IDLE_VALUES[option] == value
        if option in spellings or idle:
            continue
        if option not in elsewhere:
            raise UserError(
                f"none of the datasets {names} has an option {option!r}",
                did_you_mean(option, spellings | elsewhere) or _listed(spellings),
            )
        if value:
            _log.warning("%s=%r has no effect: none of %s has that option", option, value, names)


def _listed(spellings: Iterable[str]) -> str:
    options = ", ".join(sorted(spellings))
    return f"Its options are: {options}" if options else "It has none"
