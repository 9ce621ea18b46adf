"""Whose code an error arose in, read from its traceback."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import TypeVar

_CORE_PACKAGE = "reidcore"

Owner = TypeVar("Owner")


def owner_of_error(error: BaseException, owners: Mapping[str, Owner]) -> Owner | None:
    """Return the owner of the innermost code that is an owner's or the core's; None for the core.

    Args:
        error: an exception that was raised.
        owners: the owners by their modules. A module that belongs to no owner by itself is that
            of the one with whom it shares the most of its dotted name.
    """
    for module in reversed(_modules_of(error)):
        owner = _owner_of(module, owners)
        if owner is not None or _is_core(module):
            return owner
    return None


def _modules_of(error: BaseException) -> list[str]:
    """Return the modules that an error passed through, outermost first."""
    modules = []
    trace = error.__traceback__
    while trace is not None:
        modules.append(str(trace.tb_frame.f_globals.get("__name__", "")))
        trace = trace.tb_next
    return modules


def _owner_of(module: str, owners: Mapping[str, Owner]) -> Owner | None:
    shared = {
        owner: _shared_depth(owner, module)
        for owner in owners
        if not _is_core(owner) or f"{module}.".startswith(f"{owner}.")
    }
    nearest = max(shared, key=shared.__getitem__, default="")
    return owners[nearest] if shared.get(nearest) else None


def _shared_depth(first: str, second: str) -> int:
    pairs = zip(first.split("."), second.split("."), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_core(module: str) -> bool:
    return module.split(".")[0] == _CORE_PACKAGE
