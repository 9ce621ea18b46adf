"""Names of components and where they come from.

Plugins add names through the ``reid_register_*`` hooks; a name leads to a target that is imported
when the component is used. Nothing is kept globally: a listing belongs to a set of plugins.
"""

from reidcore.registry.entry import KINDS, Entry, Family, TableRow, singular
from reidcore.registry.lookup import entries, families, find, invalidate, settings_schemas
from reidcore.registry.registrars import ConfigRegistrar, Registrar, WeightsRegistrar

__all__ = [
    "KINDS",
    "ConfigRegistrar",
    "Entry",
    "Family",
    "Registrar",
    "TableRow",
    "WeightsRegistrar",
    "entries",
    "families",
    "find",
    "invalidate",
    "settings_schemas",
    "singular",
]
