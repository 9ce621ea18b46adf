"""New plugin packages, for ``reidcore new``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.scaffold.writing import KINDS as KINDS
    from reidcore.scaffold.writing import write_package as write_package

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "KINDS": "reidcore.scaffold.writing:KINDS",
        "write_package": "reidcore.scaffold.writing:write_package",
    },
)
