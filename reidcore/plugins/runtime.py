"""The plugin named "this process": what a script registers while it runs, of any kind.

It is part of every set of plugins, so that ``reidcore.register("losses", "center", CenterLoss)``
makes ``center`` a name like any other, without a package and without a file of hooks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl
from reidcore.errors import PluginError
from reidcore.plugins.hooks import HOOK_NAMES
from reidcore.plugins.manager import THIS_PROCESS, Plugin

if TYPE_CHECKING:
    from reidcore.registry import Registrar

_PREFIX = "reid_register_"


class ThisProcess:
    """Components by kind and name; implements ``reid_register_<kind>`` for every kind."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)

    def add(self, kind: str, name: str, component: dict[str, Any]) -> None:
        """Keep a component, in place of an earlier definition of it; see `register`.

        Args:
            kind: the kind of component.
            name: its name.
            component: what `reidcore.registry.Registrar.add` takes beside the name.
        """
        from reidcore import registry

        _refuse_taken(kind, name, component["aliases"])
        known = self._kept[kind].get(name)
        if known is not None and not _is_redefinition(known["target"], component["target"]):
            raise PluginError(
                f"{registry.singular(kind)} {name!r} was registered before, as something else",
                "Choose another name.",
            )
        registry.Registrar(kind, Plugin(THIS_PROCESS)).add(name, **component)  # refuses misuse
        self._kept[kind][name] = component
        registry.invalidate()

    def remove(self, kind: str, name: str) -> None:
        """Forget a component, as tests do."""
        from reidcore import registry

        del self._kept[kind][name]
        registry.invalidate()

    def give(self, kind: str, registry: Registrar) -> None:
        """Register what was kept of a kind."""
        for name, component in self._kept[kind].items():
            registry.add(name, **component)


def _implementation(kind: str) -> Callable[[ThisProcess, Registrar], None]:
    @hookimpl
    def give(self: ThisProcess, registry: Registrar) -> None:
        self.give(kind, registry)

    return give


for _hook in HOOK_NAMES:
    if _hook.startswith(_PREFIX):
        setattr(ThisProcess, _hook, _implementation(_hook.removeprefix(_PREFIX)))

PLUGIN = ThisProcess()


def register(
    kind: str,
    name: str,
    target: Callable[..., Any] | str,
    *,
    summary: str = "registered by the running program",
    aliases: Sequence[str] = (),
    needs: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
) -> None:
    """Make a component known by a name, for as long as this process runs.

    Running a notebook's cell again replaces what it registered: a function or class of the same
    module and qualified name is a new definition of the same component. So is a
    `functools.partial` of the same function, and another instance of the same class.

    Args:
        kind: ``models``, ``datasets``, ``losses``, or another of `reidcore.registry.KINDS`.
        name: what configurations and functions will call it.
        target: a callable as the kind's ``reid_register_*`` hook describes it, or
            ``"module:attribute"``.
        summary: one line for listings.
        aliases: further names for it.
        needs: extras of reidcore that it needs.
        options: other spellings of its options -> their real names.

    Raises:
        UnknownNameError: if there is no such kind.
        PluginError: if an installed plugin, or something else in this process, has the name.
        ValueError: if it is no usable name.
        TypeError: if the target is neither callable nor ``"module:attribute"``.

    Example:
        >>> reidcore.register("losses", "center", CenterLoss)
        >>> config = load_config("quickstart", ["loss.terms.center=0.005"])
    """
    component = {
        "target": target,
        "summary": summary,
        "aliases": tuple(aliases),
        "needs": tuple(needs),
        "options": dict(options or {}),
    }
    PLUGIN.add(kind, name, component)


def register_image_dataset(name: str, dataset: Callable[..., Any]) -> None:
    """Make a dataset known by a name; Torchreid's spelling of ``register("datasets", ...)``.

    Args:
        name: What ``sources`` and ``targets`` will call it.
        dataset: A subclass of `ImageDataset`, or any callable that takes the root folder and
            returns `Splits`.

    Raises:
        PluginError: An installed plugin, or something else in this process, has the name.

    Example:
        >>> register_image_dataset("new_dataset", NewDataset)
        >>> ImageDataManager(root="reid-data", sources=["new_dataset", "market1501"])
    """
    register("datasets", name, dataset)


def register_video_dataset(name: str, dataset: Callable[..., Any]) -> None:
    """Make a dataset of tracklets known by a name; image and video datasets share their names.

    Args:
        name: What ``sources`` and ``targets`` will call it.
        dataset: A subclass of `VideoDataset`, or any callable that takes the root folder and
            returns `Splits` whose paths are tuples of frames.

    Raises:
        PluginError: An installed plugin, or something else in this process, has the name.

    Example:
        >>> register_video_dataset("new_dataset", NewDataset)
        >>> VideoDataManager(root="reid-data", sources="new_dataset")
    """
    register("datasets", name, dataset)


def _refuse_taken(kind: str, name: str, aliases: Sequence[str]) -> None:
    """Refuse what another component is called: no name may become ambiguous as a program runs."""
    from reidcore import registry

    for entry in registry.entries(kind):
        is_itself = (entry.plugin, entry.name) == (THIS_PROCESS, name)
        taken = {name, *aliases} & {entry.name, *entry.aliases}
        if taken and not is_itself:
            word, owner = min(taken), Plugin(entry.plugin, entry.distribution)
            raise PluginError(
                f"{registry.singular(kind)} {word!r} is there already, by plugin {owner.origin}",
                f"Choose another name, such as 'my_{word}'.",
            )


def _is_redefinition(old: object, new: object) -> bool:
    """Say whether two targets are the same definition, perhaps run again."""
    spelled = _definition(new)
    return old == new or (spelled is not None and spelled == _definition(old))


def _definition(target: object) -> tuple[object, ...] | None:
    """Return the module and qualified name of a function or class; a lambda's code beside them.

    A `functools.partial` is defined by the function it wraps, another callable object by its class.
    """
    if isinstance(target, str):
        return None
    while isinstance(target, partial):
        target = target.func
    if not hasattr(target, "__qualname__"):
        target = type(target)
    name = getattr(target, "__qualname__", "")
    code = getattr(target, "__code__", None) if name.endswith("<lambda>") else None
    return getattr(target, "__module__", None), name, code
