"""The checks of all that a plugin registers."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any
from unittest import SkipTest

from reid_plugins_scaffold.conformance.base import Conformance, checks_of
from reid_plugins_scaffold.conformance.contract import BrokenContractError, Contract, contract_of
from reidcore.plugins import Plugin, Plugins
from reidcore.registry import KINDS, Entry, entries
from reidcore.testing import make_plugins

COMMANDS = "reidcore.commands"

# Kind -> its class; a module is imported when a component of the kind is checked.
CLASSES = {
    "models": "models:ModelConformance",
    "poolings": "heads:PoolingConformance",
    "classifiers": "heads:ClassifierConformance",
    "datasets": "datasets:DatasetConformance",
    "losses": "losses:LossConformance",
    "samplers": "samplers:SamplerConformance",
    "engines": "engines:EngineConformance",
    "transforms": "transforms:TransformConformance",
    "optimizers": "optim:OptimizerConformance",
    "schedulers": "optim:SchedulerConformance",
    "protocols": "protocols:ProtocolConformance",
    "configs": "recipes:RecipeConformance",
    "weights": "recipes:WeightsConformance",
    "commands": "commands:CommandConformance",
}


def class_of(kind: str) -> type[Conformance]:
    """Return the conformance class of a kind, ``commands`` included."""
    module, _, name = CLASSES[kind].partition(":")
    found: type[Conformance] = getattr(
        importlib.import_module(f"reid_plugins_scaffold.conformance.{module}"), name
    )
    return found


@dataclass(frozen=True)
class ConformanceCheck:
    """A check of one component; call it to have it done.

    Attributes:
        kind: of the component, or ``commands``.
        name: the component, or the command.
        method: the check's name.
        checks: the conformance class, made for that component.
    """

    kind: str
    name: str
    method: str
    checks: type[Conformance]

    @property
    def id(self) -> str:
        """What tests call it."""
        return f"{self.kind}-{self.name}-{self.method.removeprefix('test_')}"

    @property
    def contract(self) -> Contract:
        """What it is about."""
        return contract_of(getattr(self.checks, self.method))

    def __str__(self) -> str:
        return self.id

    def __call__(self) -> None:
        """Do it.

        Raises:
            BrokenContractError: the component breaks the contract.
            unittest.SkipTest: the check says nothing about this component.
            UserError: the component cannot be loaded, or an option is needed.
        """
        checks = self.checks()
        checks.setup_method()
        try:
            getattr(checks, self.method)()
        finally:
            checks.teardown_method()

    def outcome(self) -> Outcome:
        """Do it, and return how it went."""
        try:
            missing = self.checks().missing
            if missing:
                return Outcome(self, "skipped", f"it needs {', '.join(missing)}")
            self()
        except SkipTest as reason:
            return Outcome(self, "skipped", str(reason))
        except BrokenContractError as error:
            return Outcome(self, "failed", str(error))
        except Exception as error:
            return Outcome(self, "failed", f"{self.kind} {self.name!r}: {error}")
        return Outcome(self, "passed")


@dataclass(frozen=True)
class Outcome:
    """How a check went.

    Attributes:
        check: the check.
        state: ``passed``, ``failed`` or ``skipped``.
        text: what is wrong, or why it was skipped.
    """

    check: ConformanceCheck
    state: str
    text: str = ""


def checks(
    *plugins: Any, kinds: Sequence[str] = (), root: str | Path | None = None
) -> list[ConformanceCheck]:
    """Return the checks of all components that plugins register.

    They are for pytest to call::

        @pytest.mark.parametrize("check", conformance.checks(reid_acme), ids=str)
        def test_conformance(check):
            check()

    Args:
        plugins: as `make_plugins` takes them; the bundled plugins' own components are left out.
        kinds: those of these kinds alone.
        root: where datasets are, if they are to be read.
    """
    loaded = make_plugins(*plugins)
    bundled = {plugin.name for plugin in make_plugins()}
    mine = [plugin for plugin in loaded.active if plugin.name not in bundled]
    return [
        check
        for plugin in mine
        for check in (
            *checks_of_plugin(plugin, loaded, plugins, root),
            *checks_of_commands(commands_of(plugin.distribution, package_of(plugin))),
        )
        if not kinds or check.kind in kinds
    ]


def checks_of_plugin(
    plugin: Plugin, loaded: Plugins, given: Sequence[Any], root: str | Path | None = None
) -> Iterator[ConformanceCheck]:
    """Yield the checks of the components that one plugin registers.

    Args:
        plugin: the plugin.
        loaded: a set that has it.
        given: what makes a set with it, see `make_plugins`.
        root: where datasets are, if they are to be read.
    """
    for kind in KINDS:
        for entry in entries(kind, loaded):
            if entry.plugin == plugin.name:
                yield from _checks_of(entry, loaded, given, root)


def checks_of_commands(points: Iterable[EntryPoint]) -> Iterator[ConformanceCheck]:
    """Yield the checks of commands.

    Args:
        points: their entry points, see `commands_of`.
    """
    for point in points:
        name = point.name.replace(".", " ")
        yield from _checks("commands", name, {"name": name, "command": _loaded(point)}, {})


def commands_of(distribution: str, package: str = "") -> list[EntryPoint]:
    """Return the entry points of a distribution's commands; what describes a group is none.

    Args:
        distribution: its name, in any spelling.
        package: only those in that top-level package.
    """
    return [
        point
        for point in entry_points(group=COMMANDS)
        if point.attr and point.dist is not None
        if spelled(point.dist.name) == spelled(distribution)
        if package in ("", point.module.partition(".")[0])
    ]


def package_of(plugin: Plugin) -> str:
    """Return the top-level package of a plugin."""
    return plugin.module_name.partition(".")[0]


def spelled(distribution: str) -> str:
    """Return the one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _checks_of(
    entry: Entry, loaded: Plugins, given: Sequence[Any], root: str | Path | None
) -> Iterator[ConformanceCheck]:
    found: dict[str, Any] = {"plugins": tuple(given), "name": entry.name}
    if entry.kind == "datasets" and root is not None:
        found["root"] = root
    # A file's plugin may have another name in another set.
    yield from _checks(entry.kind, entry.name, found, {"plugins": loaded, "entry": entry})


def _checks(
    kind: str, name: str, attributes: Mapping[str, Any], known: Mapping[str, Any]
) -> Iterator[ConformanceCheck]:
    base = class_of(kind)
    made: type[Conformance] = type(f"{base.__name__}Of{name}", (base,), dict(attributes))
    made.kept.update(known)
    for method in checks_of(base):
        yield ConformanceCheck(kind, name, method, made)


def _loaded(point: EntryPoint) -> Any:
    """Return what an entry point leads to, or the error that it raises."""
    try:
        return point.load()
    except Exception as error:
        return error
