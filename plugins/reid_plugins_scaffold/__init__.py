"""New plugin packages, for ``reidcore new``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reid_plugins_scaffold.writing import KINDS as KINDS
    from reid_plugins_scaffold.writing import write_package as write_package

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "KINDS": "reid_plugins_scaffold.writing:KINDS",
        "write_package": "reid_plugins_scaffold.writing:write_package",
    },
)
