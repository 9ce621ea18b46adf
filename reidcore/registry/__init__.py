"""Names of components and where they come from.

Plugins add names through the ``reid_register_*`` hooks; a name leads to a target that is imported
when the component is used. Nothing is kept globally: a listing belongs to a set of plugins.
"""

from typing import TYPE_CHECKING

from reidcore._lazy import attach
from reidcore.registry.entry import KINDS, Entry, Family, TableRow, singular
from reidcore.registry.lookup import entries, families, find, invalidate, settings_schemas
from reidcore.registry.registrars import ConfigRegistrar, Registrar, WeightsRegistrar

if TYPE_CHECKING:
    from reidcore.registry.component import Choose as Choose
    from reidcore.registry.component import Chooser as Chooser
    from reidcore.registry.component import Component as Component
    from reidcore.registry.component import choose as choose

__getattr__, __dir__, _lazy = attach(  # they need pydantic, which a listing does not
    __name__,
    {
        "Choose": "reidcore.registry.component:Choose",
        "Chooser": "reidcore.registry.component:Chooser",
        "Component": "reidcore.registry.component:Component",
        "choose": "reidcore.registry.component:choose",
    },
)

__all__ = [
    "KINDS",
    "Choose",
    "Chooser",
    "Component",
    "ConfigRegistrar",
    "Entry",
    "Family",
    "Registrar",
    "TableRow",
    "WeightsRegistrar",
    "choose",
    "entries",
    "families",
    "find",
    "invalidate",
    "settings_schemas",
    "singular",
]
