"""Whose code an error arose in, read from its traceback."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import takewhile
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from reidcore.errors import PluginDefectError

if TYPE_CHECKING:
    from pluggy import HookImpl

_CORE_PACKAGE = "reidcore"

Owner = TypeVar("Owner")


def owner_of_error(error: BaseException, owners: Mapping[str, Owner]) -> Owner | None:
    """Return the owner of the innermost code that is an owner's or the core's; None for the core.

    Args:
        error: an exception that was raised.
        owners: the owners by their modules. A module that belongs to no owner by itself is that
            of the one with whom it shares the most of its dotted name.
    """
    return blamed(error, owners)[0]


def blamed(error: BaseException, owners: Mapping[str, Owner]) -> tuple[Owner | None, str]:
    """Return what `owner_of_error` does, and the name of the function that it is the owner of."""
    for frame in reversed(list(_frames_of(error))):
        module = str(frame.f_globals.get("__name__", ""))
        owner = _owner_of(module, owners)
        if owner is not None or _is_core(module):
            return owner, frame.f_code.co_qualname.rpartition("<locals>.")[2]
    return None, ""


def implementer_of(error: BaseException, implementations: Iterable[HookImpl]) -> str:
    """Return the name of the plugin whose hook an error left first; empty if it left none."""
    plugins = {
        getattr(implementation.function, "__code__", None): implementation.plugin_name
        for implementation in implementations
    }
    met = [plugins[frame.f_code] for frame in _frames_of(error) if frame.f_code in plugins]
    return met[-1] if met else ""


def has_passed(error: BaseException, modules: Container[str]) -> bool:
    """Say whether an error left code of one of these modules."""
    return any(frame.f_globals.get("__name__") in modules for frame in _frames_of(error))


def exit_defect(culprit: str, error: BaseException, where: str) -> PluginDefectError:
    """Return the error that an attempt to end the program is, whatever its exit code.

    Args:
        culprit: whose code it was, such as ``plugin 'shop'``.
        error: what was raised, such as a ``SystemExit``.
        where: the hook, or what else was being done.
    """
    defect = PluginDefectError(
        f"{culprit} ended the program in {where} ({type(error).__name__}: {error}); it must raise "
        "an exception that says what is wrong"
    )
    defect.__cause__ = error
    return defect


def _frames_of(error: BaseException) -> Iterator[FrameType]:
    """Yield the frames that an error passed through, outermost first."""
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


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
