"""What a plugin registers: a component, a family of names, a row of a table."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reidcore._lazy import load_target
from reidcore._resources import read_table
from reidcore._validation import kind_of
from reidcore.errors import ExplainedError, PluginDefectError, UserError
from reidcore.plugins import describe

if TYPE_CHECKING:
    from pydantic import BaseModel

KINDS = (
    "models",
    "poolings",
    "classifiers",
    "datasets",
    "losses",
    "samplers",
    "engines",
    "transforms",
    "optimizers",
    "schedulers",
    "protocols",
    "configs",
    "weights",
)
"""The kinds of components, each with a hook ``reid_register_<kind>``."""


def singular(kind: str) -> str:
    """Return the name of one component of a kind."""
    names = {"losses": "loss", "configs": "recipe", "weights": "weights"}
    return names.get(kind, kind.removesuffix("s"))


@dataclass(frozen=True)
class Entry:
    """A registered component.

    Attributes:
        kind: one of ``KINDS``.
        name: the name users write.
        target: a callable, or ``"module:attribute"``.
        plugin: the plugin that registered it.
        distribution: that plugin's distribution; empty for files and objects.
        summary: one line for listings.
        aliases: further names.
        needs: extras of the distribution that must be installed.
        options: other spellings of its options -> their real names.
        member: where the name is one of a family's, its own part; ``target(member)`` is then the
            callable.
    """

    kind: str
    name: str
    target: Callable[..., Any] | str
    plugin: str
    distribution: str = ""
    summary: str = ""
    aliases: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    member: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it is found by."""
        return self.name, self.qualified_name, *self.aliases

    @property
    def qualified_name(self) -> str:
        """The spelling that is never ambiguous: ``plugin/name``."""
        return f"{self.plugin}/{self.name}"

    @property
    def label(self) -> str:
        """The component as messages name it, e.g. ``model 'osnet_x1_0'``."""
        return f"{singular(self.kind)} {self.name!r}"

    @property
    def origin(self) -> str:
        """The component, its plugin and the plugin's distribution, for messages."""
        brought_by = f" ({self.distribution})" if self.distribution else ""
        return f"{self.label} of plugin {self.plugin!r}{brought_by}"

    def defect(self, gave: Any, wanted: str, where: str = "") -> PluginDefectError:
        """Return the error that a wrong answer of the component is.

        Args:
            gave: the answer.
            wanted: what it should have been.
            where: the method that gave it; by default the factory.
        """
        place = f" in {where}" if where else ""
        return PluginDefectError(
            f"{self.origin} gave {kind_of(gave)}{place}; it must give {wanted}"
        )

    @property
    def is_at_hand(self) -> bool:
        """Whether its target is there without an import, and is known to be there."""
        if self.member:
            return False
        return not isinstance(self.target, str) or self.target.partition(":")[0] in sys.modules

    def load(self) -> Callable[..., Any]:
        """Import and return the component's target.

        Raises:
            UserError: if an extra is not installed, or a family has no such member.
            PluginDefectError: if the target cannot be imported.
        """
        if not (isinstance(self.target, str) or self.member):
            return self.target
        try:
            target = load_target(self.target) if isinstance(self.target, str) else self.target
            target = target(self.member) if self.member else target
        except ExplainedError:
            raise
        except (Exception, SystemExit) as error:
            raise self._unloadable(error) from error
        if not callable(target):
            raise self._unloadable(TypeError(f"a {type(target).__name__} cannot be called"))
        return target

    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Return the parameters that the target takes."""
        return inspect.signature(self.load()).parameters

    def options_model(self) -> type[BaseModel]:
        """Return the pydantic model of the component's options; imports the component."""
        from reidcore.registry.signature import options_model

        return options_model(self)

    def _unloadable(self, error: BaseException) -> ExplainedError:
        if self.needs and isinstance(error, ImportError):
            extras = ",".join(self.needs)
            return UserError(
                f"{self.label} needs a package that is not installed ({error})",
                f'Run: pip install "{self.distribution or "reidcore"}[{extras}]"',
            )
        return PluginDefectError(
            f"{self.origin} cannot be loaded from {self.target!r}: {describe(error)}"
        )


@dataclass(frozen=True)
class Family:
    """A registered family of names, ``prefix/member``, that nobody lists until it is asked for.

    Attributes:
        kind: one of ``KINDS``.
        prefix: what all its names start with.
        target: called with a member's name, gives its component's callable.
        members: called without arguments, gives the names of all members.
        plugin: the plugin that registered it.
        distribution: that plugin's distribution; empty for files and objects.
        summary: one line for listings.
        needs: extras of the distribution that must be installed.
    """

    kind: str
    prefix: str
    target: Callable[..., Any] | str
    members: Callable[[], Iterable[str]] | str
    plugin: str
    distribution: str = ""
    summary: str = ""
    needs: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """How its names are written, for listings."""
        return f"{self.prefix}/<name>"

    @property
    def qualified_prefix(self) -> str:
        """The spelling of the prefix that is never ambiguous."""
        return f"{self.plugin}/{self.prefix}"

    def member(self, name: str) -> Entry:
        """Return one of its components, without asking whether there is such a one."""
        return self._entry(f"{self.prefix}/{name}", self.target, name)

    def names(self) -> list[str]:
        """Return the names of all its components, sorted; imports what knows them.

        Raises:
            UserError: if an extra is not installed.
            PluginDefectError: if they cannot be listed.
        """
        entry = self._entry(self.pattern, self.members)
        try:
            return sorted(f"{self.prefix}/{name}" for name in entry.load()())
        except ExplainedError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginDefectError(
                f"{entry.origin} cannot be listed: {describe(error)}"
            ) from error

    def _entry(self, name: str, target: Callable[..., Any] | str, member: str = "") -> Entry:
        owner = self.plugin, self.distribution, self.summary
        return Entry(self.kind, name, target, *owner, needs=self.needs, member=member)


@dataclass(frozen=True)
class TableRow:
    """A row of a table that a package brings; calling it reads it."""

    table: str
    name: str

    def __call__(self) -> Mapping[str, Any]:
        """Return what the row says."""
        return read_table(self.table)[self.name]

    def __str__(self) -> str:
        return self.table
