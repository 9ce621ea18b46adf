"""Names of components and where they come from.

Plugins add names through the ``reid_register_*`` hooks; a name leads to a target that is imported
when the component is used. Nothing is kept globally: a listing belongs to a set of plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach
from reidcore.registry.entry import KINDS, Entry, Family, TableRow, singular
from reidcore.registry.lookup import (
    entries,
    families,
    find,
    invalidate,
    published,
    select,
    settings_schemas,
)
from reidcore.registry.registrars import ConfigRegistrar, Registrar, WeightsRegistrar

if TYPE_CHECKING:
    from reidcore.registry.component import Choose, Chooser, Component, choose, read_options
    from reidcore.registry.named import NamedDataset
    from reidcore.registry.signature import declared_options

__all__ = [
    "Choose",
    "Chooser",
    "Component",
    "ConfigRegistrar",
    "Entry",
    "Family",
    "KINDS",
    "NamedDataset",
    "Registrar",
    "TableRow",
    "WeightsRegistrar",
    "choose",
    "declared_options",
    "entries",
    "families",
    "find",
    "invalidate",
    "published",
    "read_options",
    "select",
    "settings_schemas",
    "singular",
]

__getattr__, __dir__ = attach(__name__)
