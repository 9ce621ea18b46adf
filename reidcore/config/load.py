"""Both phases in one call, for when the plugins are known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reidcore.config.loader import read_config
from reidcore.config.schema import Config
from reidcore.config.validate import check_config

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def load_config(
    source: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    plugins: Plugins | None = None,
) -> Config:
    """Read and check a configuration; see :func:`read_config` for the arguments.

    Raises:
        ConfigError: everything that is wrong with it, a line each.
        UnknownNameError: ``source`` is neither a file nor a recipe.
    """
    return check_config(read_config(source, overrides, flags, plugins), plugins)
