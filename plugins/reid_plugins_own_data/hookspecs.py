"""The hooks that this package publishes, for other plugins to implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookspec

if TYPE_CHECKING:
    from reidcore.registry import Registrar


@hookspec
def reid_register_importers(registry: Registrar) -> None:
    """Register importers, which ``reidcore data import`` reads formats with: ``target(**options)``.

    An importer has two methods:

    * ``recognise(source)``: a `Recognised` that says why a source, a file or folder, is of its
      format; or None.
    * ``crops(source)``: the `Crop` of each picture, in a list or yielded one by one.

    When: in ``reidcore data import``, before the source is looked at. Stop rule: none.
    Stability: provisional.

    Args:
        registry: ``registry.add("pets", "my_package.pets:Pets", summary="a diary of pets")``.
    """
