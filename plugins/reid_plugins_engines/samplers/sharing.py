"""Whether a batch can be shared as a sampler promises, and what to do if not."""

from __future__ import annotations

from reidcore.errors import ConfigError


def check_positive(name: str, value: int) -> None:
    """Make sure that ``sampler.<name>`` is 1 or more.

    Raises:
        ConfigError: It is not.
    """
    if value < 1:
        raise ConfigError(f"sampler.{name}={value}", "Set it to 1 or more")


def check_enough(what: str, available: int, wanted: int, fix: str) -> None:
    """Make sure that the training set has as many labels as a batch is to hold.

    Raises:
        ConfigError: It has fewer.
    """
    if available < wanted:
        raise ConfigError(
            f"a batch is to hold {wanted} {what}, but there are {available} to learn from", fix
        )


def near_multiples(size: int, of: int) -> str:
    """Return the multiples next to a size, in words: ``"28 or 32"``."""
    below, above = size // of * of, (size // of + 1) * of
    return f"{below} or {above}" if below > 0 else str(above)
