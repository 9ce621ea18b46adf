"""Checks of the options of protocols, which Python may give past the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from reidcore.errors import UnknownNameError, UserError, did_you_mean, quoted

Choice = TypeVar("Choice", bound=str)


def check_choice(option: str, value: Choice, choices: Sequence[str]) -> Choice:
    """Return a value if it is one of the choices.

    Raises:
        UnknownNameError: if it is not; the message names the option and the nearest choices.
    """
    if value not in choices:
        raise UnknownNameError(
            f"{option} is {' or '.join(choices)}, not {quoted(value)}",
            did_you_mean(value, choices),
        )
    return value


def check_count(option: str, value: int, least: int = 1) -> int:
    """Return a whole number if it is not too small.

    Raises:
        UserError: if it is no whole number, or less than the least.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UserError(f"{option} is {quoted(value)}", f"Give a whole number from {least} on.")
    return int(value)
