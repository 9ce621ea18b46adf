"""The plugins of a run: loaded one at a time, isolated, and known by name."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import chain, count
from types import TracebackType
from typing import Any

import pluggy

from reidcore import hookspecs
from reidcore._lazy import load_target
from reidcore.errors import PluginDefectError, PluginError, did_you_mean
from reidcore.plugins.advice import letting_in, seeing_traceback
from reidcore.plugins.attribution import blamed, exit_defect, implementer_of, owner_of_error
from reidcore.plugins.discovery import (
    BUNDLED_DISTRIBUTION,
    Candidate,
    extra_candidates,
    installed_candidates,
    object_candidate,
    without_disabled,
)
from reidcore.plugins.hooks import HOOK_NAMES, HookPublisher

_log = logging.getLogger(__name__)

CORE = "core"
"""The plugin of the core's own answers to hooks."""

THIS_PROCESS = "this process"
"""The plugin of what a running program registers."""


@dataclass
class Plugin:
    """One plugin: where it came from and how it fared.

    Attributes:
        name: its entry-point name, or a file's stem.
        distribution: the distribution that brings it; empty for files and objects.
        version: that distribution's version.
        state: ``active``, ``disabled`` or ``broken``.
        error: what went wrong, if it is broken.
        obj: the module or object with the hook implementations, once loaded.
        hooks: the hooks it implements.
        requested: it was asked for by name, so that its failure is an error.
    """

    name: str
    distribution: str = ""
    version: str = ""
    state: str = "active"
    error: Exception | None = None
    obj: Any = field(default=None, repr=False)
    hooks: tuple[str, ...] = ()
    requested: bool = False

    @property
    def origin(self) -> str:
        """The plugin and its distribution, for messages."""
        return f"{self.name!r} ({self.distribution})" if self.distribution else repr(self.name)

    @property
    def is_bundled(self) -> bool:
        """Whether every installation has it, or every process."""
        return self.distribution == BUNDLED_DISTRIBUTION or self.name in (CORE, THIS_PROCESS)

    @property
    def module_name(self) -> str:
        """The module that holds the implementations."""
        return str(getattr(self.obj, "__name__", None) or type(self.obj).__module__)


class Plugins:
    """A set of loaded plugins and the hooks they implement."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("reidcore")
        self._manager.add_hookspecs(hookspecs)
        self._manager.add_hookcall_monitoring(lambda *_: None, self._refuse_exit)
        self._plugins: dict[str, Plugin] = {}
        self._published: dict[str, Plugin] = {}
        self._entered: list[ExitStack] = []

    # -- looking -----------------------------------------------------------------------------------

    @property
    def hook(self) -> pluggy.HookRelay:
        """The hooks; ``plugins.hook.reid_step_end(engine=..., outcome=...)`` calls one."""
        return self._manager.hook

    def __iter__(self) -> Iterator[Plugin]:
        """All plugins, in the order in which they were loaded."""
        return iter(self._plugins.values())

    @property
    def hook_names(self) -> list[str]:
        """The names of all hooks: the core's, then those that plugins publish."""
        return [*HOOK_NAMES, *self._published]

    @property
    def published(self) -> dict[str, Plugin]:
        """The hooks that plugins publish, each with its plugin."""
        return dict(self._published)

    @property
    def active(self) -> list[Plugin]:
        """The plugins whose hooks are called, in the order in which they were loaded."""
        return [plugin for plugin in self if plugin.state == "active"]

    @property
    def broken(self) -> list[Plugin]:
        """The plugins that failed, each with its error."""
        return [plugin for plugin in self if plugin.state == "broken"]

    def get(self, name: str) -> Plugin:
        """Return the active plugin of that name.

        Raises:
            PluginError: if there is none, or it is broken or disabled.
        """
        plugin = self._plugins.get(name)
        if plugin is None:
            near = did_you_mean(name, self._plugins)
            raise PluginError(f"no plugin is named {name!r}", near or "See: reidcore plugins")
        if plugin.state == "broken":
            raise _is_broken(plugin) from plugin.error
        if plugin.state == "disabled":
            raise PluginError(f"plugin {plugin.origin} is disabled", letting_in())
        return plugin

    def implementations(self, hook_name: str) -> list[tuple[Plugin, pluggy.HookImpl]]:
        """Return the implementations of a hook in call order: wrappers first, outermost first."""
        caller: pluggy.HookCaller = getattr(self.hook, hook_name)
        return [
            (self._plugins[implementation.plugin_name], implementation)
            for implementation in reversed(caller.get_hookimpls())
        ]

    def subset_hook(self, hook_name: str, only: Iterable[Plugin]) -> pluggy.HookCaller:
        """Return a hook that calls these plugins alone."""
        kept = {id(plugin.obj) for plugin in only}
        others = [obj for obj in self._manager.get_plugins() if id(obj) not in kept]
        return self._manager.subset_hook_caller(hook_name, remove_plugins=others)

    def one_by_one(self, hook_name: str) -> Iterator[tuple[Plugin, pluggy.HookCaller]]:
        """Yield each active plugin that has a hook, with the hook that calls it alone."""
        for plugin in [each for each in self.active if hook_name in each.hooks]:
            yield plugin, self.subset_hook(hook_name, [plugin])

    def record(self) -> list[dict[str, str]]:
        """Return what the record of a run says of the active plugins."""
        return [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
            for plugin in self.active
        ]

    def blame(self, error: BaseException) -> Plugin | None:
        """Return the plugin in whose code ``error`` arose, or None if the core's own was nearer.

        A plugin's code is its module and whatever else is in the same package.
        """
        return owner_of_error(error, self._owners)

    @property
    def _owners(self) -> dict[str, Plugin]:
        return {p.module_name: p for p in self.active if p.name not in (CORE, THIS_PROCESS)}

    def defect(self, error: BaseException) -> PluginDefectError | None:
        """Return an error that arose in a plugin's code as its defect; None if it did not."""
        plugin, function = blamed(error, self._owners)
        if plugin is None:
            return None
        culprit = f"plugin {plugin.origin}"
        if isinstance(error, SystemExit):
            return exit_defect(culprit, error, function)
        return PluginDefectError(f"{culprit} failed in {function} ({describe(error)})")

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Make the set current; raise a PluginDefectError where its code would end the program."""
        with self:
            try:
                yield
            except SystemExit as error:
                if defect := self.defect(error):
                    raise defect from error
                raise

    def _refuse_exit(
        self,
        outcome: pluggy.Result[Any],
        hook_name: str,
        implementations: Sequence[pluggy.HookImpl],
        _: Any,
    ) -> None:
        """Keep a hook from ending the program, which would pass for a success."""
        error = outcome.exception
        if isinstance(error, SystemExit):
            name = implementer_of(error, implementations)
            plugin = self.blame(error) if name in ("", CORE) else self._plugins[name]
            culprit = f"plugin {plugin.origin}" if plugin else "the program"
            outcome.force_exception(exit_defect(culprit, error, hook_name))

    # -- loading -----------------------------------------------------------------------------------

    def add(self, candidate: Candidate, *, requested: bool = False) -> None:
        """Load a plugin; see `add_all`."""
        self.add_all([(candidate, requested)])

    def add_all(self, wanted: Iterable[tuple[Candidate, bool]]) -> None:
        """Load plugins: import them, let them publish hooks, register them, check their hooks.

        The hooks of all are known before the first is registered, so that a plugin may implement
        one of a plugin that comes later. Whatever fails is kept as broken.

        Args:
            wanted: candidates, and whether each was asked for by name.

        Raises:
            PluginError: if one is broken that was asked for.
        """
        imported = [self._import(candidate, requested) for candidate, requested in wanted]
        for step in (self._publish, self._register):
            for plugin in imported:
                if plugin.state != "active":
                    continue
                try:
                    step(plugin)
                except Exception as error:
                    self.fail(plugin, error)

    def bring(self, owner: Any, parts: Mapping[str, Any]) -> None:
        """Load the parts that an active plugin needs for a run, in place of those of a run before.

        A part is a plugin of its own: listed, blamed and kept in checkpoints by its name, and in
        the step only of runs that it is brought to.

        Args:
            owner: the plugin's module or object, which calls this in its ``reid_configure``.
            parts: name -> an object with hooks; the plugin ``shop`` brings ``shop.<name>``.

        Raises:
            PluginError: if a part is broken.
        """
        plugin = next(each for each in self.active if each.obj is owner)
        for earlier in [each for each in self.active if each.name.startswith(f"{plugin.name}.")]:
            self._manager.unregister(earlier.obj)
            del self._plugins[earlier.name]
        for name, part in parts.items():
            candidate = object_candidate(part, f"{plugin.name}.{name}")
            source = replace(candidate, distribution=plugin.distribution, version=plugin.version)
            self.add(source, requested=True)

    def _import(self, candidate: Candidate, requested: bool) -> Plugin:
        plugin = Plugin(self._free_name(candidate), candidate.distribution, candidate.version)
        plugin.requested = requested
        self._plugins[plugin.name] = plugin
        try:
            plugin.obj = _load(candidate)
            self._refuse_misuse(plugin.obj)
        except Exception as error:
            self.fail(plugin, error)
        else:
            twins = [p for p in self.active if p is not plugin and p.obj is plugin.obj]
            if twins:
                self._set_aside(plugin, twins[0].name)
        return plugin

    def _publish(self, plugin: Plugin) -> None:
        if self._manager.parse_hookimpl_opts(plugin.obj, "reid_add_hookspecs") is not None:
            publisher = HookPublisher(self._manager, plugin, self._published)
            try:
                plugin.obj.reid_add_hookspecs(plugins=publisher)
            except SystemExit as error:  # not registered yet: no hook call, which would refuse it
                raise exit_defect(f"plugin {plugin.origin}", error, "reid_add_hookspecs") from error

    def _register(self, plugin: Plugin) -> None:
        self._refuse_unmarked(plugin.obj)
        self._manager.register(plugin.obj, name=plugin.name)
        self._refuse_unknown(plugin)
        self._manager.check_pending()
        callers = self._manager.get_hookcallers(plugin.obj) or []
        plugin.hooks = tuple(sorted(caller.name for caller in callers))

    def disable(self, candidate: Candidate) -> None:
        """Keep a plugin as disabled, without importing it."""
        name = self._free_name(candidate)
        self._plugins[name] = Plugin(
            name, candidate.distribution, candidate.version, state="disabled"
        )

    def fail(self, plugin: Plugin, error: Exception) -> None:
        """Take a plugin out whole and keep the reason; told in one line, costing nothing else.

        Raises:
            PluginError: if it was asked for.
        """
        self._take_out(plugin, error)
        if plugin.requested and isinstance(error, PluginError):
            raise error
        if plugin.requested:
            raise _is_broken(plugin) from error
        _log.warning("! plugin %s is left out: %s", plugin.origin, describe(error))

    def _take_out(self, plugin: Plugin, error: Exception) -> None:
        if self._manager.get_name(plugin.obj) == plugin.name:
            self._manager.unregister(plugin.obj)
        plugin.state, plugin.error, plugin.hooks = "broken", error, ()

    def _free_name(self, candidate: Candidate) -> str:
        taken = self._plugins.get(candidate.name)
        if taken is None:
            return candidate.name
        first = f"{candidate.distribution or candidate.location}/{candidate.name}"
        later = (f"{first}#{number}" for number in count(2))
        qualified = next(name for name in chain([first], later) if name not in self._plugins)
        _log.warning(
            "! two plugins are named %r: the one of %s keeps the name, the other is %r",
            candidate.name,
            taken.distribution or "this run",
            qualified,
        )
        return qualified

    def _set_aside(self, plugin: Plugin, twin: str) -> None:
        plugin.state, plugin.obj = "disabled", None
        _log.warning("! plugin %s is plugin %r again and is loaded once", plugin.origin, twin)

    def _refuse_misuse(self, obj: Any) -> None:
        if isinstance(obj, type):
            raise TypeError(f"it is the class {obj.__name__}; give an instance: {obj.__name__}()")
        if type(obj).__hash__ is None:
            raise TypeError("its object has no hash; a dataclass needs @dataclass(eq=False)")

    def _refuse_unmarked(self, obj: Any) -> None:
        for name in self.hook_names:
            if hasattr(obj, name) and self._manager.parse_hookimpl_opts(obj, name) is None:
                raise TypeError(f"{name} lacks its mark: write @hookimpl above it")

    def _refuse_unknown(self, plugin: Plugin) -> None:
        callers = self._manager.get_hookcallers(plugin.obj) or []
        for caller in [caller for caller in callers if not caller.has_spec()]:
            own = [each for each in caller.get_hookimpls() if each.plugin is plugin.obj]
            if not all(each.optionalhook for each in own):
                near = did_you_mean(caller.name, self.hook_names)
                hint = near or "One that a further plugin publishes takes optionalhook=True."
                raise TypeError(f"there is no hook {caller.name!r}. {hint}")

    # -- being current -----------------------------------------------------------------------------

    def __enter__(self) -> Plugins:
        self._entered.append(ExitStack())
        self._entered[-1].callback(_current.reset, _current.set(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered.pop().close()

    def call_when_left(self, callback: Callable[[], object]) -> None:
        """Call a function at the end of the innermost ``with`` on this set; at once outside of one.

        A plugin's hook so undoes what it did to the process, also where no run comes of it.
        """
        if self._entered:
            self._entered[-1].callback(callback)
        else:
            callback()


_current: ContextVar[Plugins | None] = ContextVar("reidcore_plugins", default=None)


def make_plugins(
    entry_points: bool = True,
    extra: Sequence[Any] = (),
    disabled: Sequence[str] = (),
    only: Sequence[str] | None = None,
) -> Plugins:
    """Load plugins into a new set.

    Args:
        entry_points: load what is installed under the entry-point group ``reidcore``.
        extra: further plugins, added last: modules, objects, paths of ``.py`` files, or names of
            importable modules.
        disabled: entry-point or distribution names to leave out; ``"all"`` leaves out every
            installed one. ``REIDCORE_DISABLE_PLUGINS`` (comma separated) adds to them.
        only: entry-point or distribution names to restrict third parties' plugins to; bundled ones
            are left out by ``disabled`` alone.

    Raises:
        PluginError: if a plugin that was asked for (in ``extra`` or ``only``) is missing or broken,
            or one to leave out is not installed.
    """
    plugins = Plugins()
    wanted = [(object_candidate("reidcore.plugins.defaults", name=CORE), True)]
    if entry_points:
        candidates = installed_candidates()
        _check_known(candidates, only or ())
        _check_leavable(candidates, disabled)
        kept, left_out = without_disabled(candidates, disabled, only)
        for candidate in left_out:
            plugins.disable(candidate)
        wanted += [(candidate, bool(candidate.names & set(only or ()))) for candidate in kept]
        this_process = load_target("reidcore.plugins.runtime:PLUGIN")
        wanted.append((object_candidate(this_process, name=THIS_PROCESS), True))
    wanted += [(candidate, True) for candidate in extra_candidates(extra)]
    plugins.add_all(wanted)
    return plugins


def current_plugins() -> Plugins:
    """Return the set made current by ``with make_plugins(...)``, or the cached default."""
    return _current.get() or _default_plugins()


@functools.cache
def _default_plugins() -> Plugins:
    return make_plugins()


def wrong_hook_answer(
    plugins: Plugins, hook: str, gave: str, wanted: str, otherwise: str = "the engine"
) -> PluginDefectError:
    """Return the error that a wrong answer is, in the name of those who take part in the hook."""
    taking_part = [plugin for plugin, _ in plugins.implementations(hook) if plugin.name != CORE]
    names = " or ".join(dict.fromkeys(plugin.origin for plugin in taking_part))
    culprit = f"plugin {names}" if names else otherwise
    return PluginDefectError(f"{culprit} {gave} in {hook}; it must return {wanted}")


def describe(error: BaseException) -> str:
    """Return an exception as one line: its type and what it says."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _check_known(candidates: Sequence[Candidate], names: Iterable[str]) -> None:
    known = {name for candidate in candidates for name in candidate.names}
    for name in names:
        if name not in known:
            raise PluginError(
                f"plugin {name!r} is not installed",
                did_you_mean(name, known) or "Install the package that brings it.",
            )


def _check_leavable(candidates: Sequence[Candidate], names: Iterable[str]) -> None:
    known = {"all", *(name for candidate in candidates for name in candidate.names)}
    for name in names:
        if name == CORE:
            raise PluginError(
                "the core's own defaults cannot be left out", "Override a hook in a plugin instead."
            )
        if name not in known:
            raise PluginError(
                f"plugin {name!r} cannot be left out: it is not installed",
                did_you_mean(name, known) or "See: reidcore plugins",
            )


def _load(candidate: Candidate) -> Any:
    try:
        return candidate.load()
    except SystemExit as error:
        raise ImportError(f"importing it ended the program ({describe(error)})") from error


def _is_broken(plugin: Plugin) -> PluginError:
    assert plugin.error is not None
    return PluginError(
        f"plugin {plugin.origin} is broken: {describe(plugin.error)}",
        f"Mend or uninstall it.{seeing_traceback()}",
    )
