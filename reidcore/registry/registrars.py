"""What the ``reid_register_*`` hooks receive: they add names in one plugin's name."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from reidcore._resources import read_table
from reidcore.plugins import Plugin
from reidcore.registry.entry import KINDS, Entry, Family, TableRow, singular


class Registrar:
    """What a ``reid_register_*`` hook receives: adds names in one plugin's name."""

    def __init__(self, kind: str, plugin: Plugin) -> None:
        self._kind = kind
        self.plugin = plugin
        self._owner = plugin.name, plugin.distribution
        self.added: dict[str, Entry] = {}
        self.families: dict[str, Family] = {}

    def add(
        self,
        name: str,
        target: Callable[..., Any] | str,
        *,
        summary: str = "",
        aliases: Sequence[str] = (),
        needs: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Add a component.

        Args:
            name: the name users write in a configuration.
            target: a callable, or ``"module:attribute"``, imported when the component is used.
            summary: one line for ``reidcore ls``.
            aliases: further names for it.
            needs: extras of the plugin's distribution that it needs.
            options: other spellings of its options -> their real names.

        Raises:
            ValueError: if the name is taken within this plugin, or is no usable name.
            TypeError: if the target is neither callable nor ``"module:attribute"``.
        """
        self._check_name(name, self.added)
        self._check_target(name, target)
        needed, spelled = tuple(needs), dict(options or {})
        self.added[name] = Entry(
            self._kind, name, target, *self._owner, summary, tuple(aliases), needed, spelled
        )

    def add_family(
        self,
        prefix: str,
        target: Callable[[str], Callable[..., Any]] | str,
        *,
        members: Callable[[], Iterable[str]] | str,
        summary: str = "",
        needs: Sequence[str] = (),
    ) -> None:
        """Add a family of components, named ``prefix/member``, such as all models of a library.

        Nothing is imported until one of them is used, or the family is listed.

        Args:
            prefix: what their names start with.
            target: called with a member's name, returns what ``add`` takes as a target; raises
                ``UnknownNameError`` for a name it does not know. Or ``"module:attribute"`` of that.
            members: returns the members' names; or ``"module:attribute"`` of that.
            summary: one line for ``reidcore ls``.
            needs: extras of the plugin's distribution that they need.

        Raises:
            ValueError: if the prefix is taken within this plugin, or is no usable name.
            TypeError: if a target is neither callable nor ``"module:attribute"``, or the hook is
                one that a plugin publishes: those take components alone.
        """
        if self._kind not in KINDS:
            raise TypeError(f"there are no families of {self._kind}; add each of {prefix!r}")
        self._check_name(prefix, self.families)
        for each in (target, members):
            self._check_target(prefix, each)
        self.families[prefix] = Family(
            self._kind, prefix, target, members, *self._owner, summary, tuple(needs)
        )

    def _check_name(self, name: object, taken: Container[str]) -> None:
        if not isinstance(name, str) or not name.strip() or "/" in name:
            raise ValueError(f"{name!r} is no name for a {singular(self._kind)}")
        if name in taken:
            raise ValueError(f"{singular(self._kind)} {name!r} is registered twice")

    def _check_target(self, name: str, target: object) -> None:
        if not (callable(target) or self._is_spelled(target)):
            raise TypeError(f"the target of {name!r} is neither callable nor 'module:attribute'")

    def _is_spelled(self, target: object) -> bool:
        return isinstance(target, str) and (self._kind == "configs" or ":" in target)


class ConfigRegistrar(Registrar):
    """The registrar of recipes, which also takes the schema of a plugin's settings."""

    schema: Any = None

    def settings(self, schema: Any) -> None:
        """Check the section ``settings.<plugin>`` by a pydantic model or ``"module:Model"``."""
        self.schema = schema


class WeightsRegistrar(Registrar):
    """The registrar of published weights, which also takes a whole table of them, and layouts."""

    def __init__(self, kind: str, plugin: Plugin) -> None:
        super().__init__(kind, plugin)
        self.layouts: dict[str, Entry] = {}

    def layout(self, name: str, target: Callable[..., Any] | str) -> None:
        """Add a way to read weights that have another library's keys.

        Args:
            name: whose they are.
            target: called with the model, without wrappers, and the file's tensors by key; gives a
                ``WeightsLayout``, or None where it knows nothing of such a model or file. Or
                ``"module:attribute"`` of that.
        """
        self._check_name(name, self.layouts)
        self._check_target(name, target)
        self.layouts[name] = Entry("weights", name, target, *self._owner)

    def table(self, target: str) -> None:
        """Add each row of a YAML file of your package, ``"package:weights.yaml"``.

        Raises:
            PluginDefectError: if the file is missing or holds no table.
        """
        for name, row in read_table(target).items():
            told = [str(row[key]) for key in ("origin", "licence") if row.get(key)]
            self.add(name, TableRow(target, name), summary=", ".join(told))


REGISTRARS = {"configs": ConfigRegistrar, "weights": WeightsRegistrar}
