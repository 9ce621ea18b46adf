"""Names on the command line, of kinds, components, recipes, keys and plugins, and their completion.

Nothing here loads torch: what a shell completes is there before its user looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import click
from click.shell_completion import CompletionItem

from reidcore import registry
from reidcore.cli.session import Session
from reidcore.plugins.discovery import installed_candidates
from reidcore.plugins.hooks import HOOK_NAMES

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""What ``shell_complete=`` of click's options and arguments takes."""

_DOTTED_KEY = re.compile(r"^[A-Za-z_][\w-]*(\.[\w-]+)+$")
_YAML_ENDINGS = (".yaml", ".yml")


def is_key(word: str) -> bool:
    """Tell the key of a ``key value`` pair from a configuration's name."""
    is_spelled_so = bool(_DOTTED_KEY.match(word)) and not word.endswith(_YAML_ENDINGS)
    return is_spelled_so and not Path(word).is_file()  # model.pth.tar-8


class Kind(click.ParamType):  # type: ignore[type-arg]
    """A kind of component, in the singular or the plural; the command gets the plural."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the plural; what is no kind stays, for the registry to name the nearest."""
        singular = {registry.singular(kind): kind for kind in registry.KINDS}
        return {**singular, "config": "configs", "recipes": "configs"}.get(value, value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        """Complete the kinds' names."""
        return _matching(registry.KINDS, incomplete)


def component_names(kind: str | None = None) -> Complete:
    """Return what completes the names of a kind; of the one that the argument ``kind`` tells."""
    return _completing(lambda ctx: _names(ctx, kind or ctx.params["kind"]))


def _completing(names: Callable[[click.Context], Iterable[str]]) -> Complete:
    return lambda ctx, param, incomplete: _matching(names(ctx), incomplete)


plugin_names = _completing(lambda ctx: [each.name for each in installed_candidates()])
"""Completes the names of installed plugins."""

hook_names = _completing(lambda ctx: HOOK_NAMES)
"""Completes the names of the core's hooks."""


def configuration_words(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a word of ``[CONFIG] [KEY=VALUE]...``: recipes, keys, values of keys, or files.

    A key that was completed is followed by its value in a word of its own, as in Torchreid, since
    shells end a completed word with a space. Where bash splits ``key=value``, so is it met here.
    """
    key, equals, _ = incomplete.partition("=")
    if equals:
        return _matching([f"{key}={value}" for value in _values(ctx, key)], incomplete)
    words = ctx.params.get(str(param.name)) or ()
    before = words[-1].removesuffix("==") if words else ""
    if is_key(before):
        return _matching(_values(ctx, before), incomplete)
    from reidcore.config.problems import core_keys

    recipes = [] if any("=" not in word for word in words) else _names(ctx, "configs")
    found = _matching([*recipes, *core_keys()], incomplete)
    return found or [CompletionItem(incomplete, type="file")]


def _matching(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _names(ctx: click.Context, kind: str) -> list[str]:
    """Return the names of the components of a kind, with the plugins that the line asks for."""
    given = ctx.find_root().params
    session = Session(disabled=given.get("disabled") or (), extra=given.get("extra") or ())
    with session.plugins() as plugins:
        return [entry.name for entry in registry.entries(kind, plugins)]


def _values(ctx: click.Context, key: str) -> list[str]:
    """Return the values of a key that takes one of a few, or a component's name."""
    from reidcore.config.problems import core_keys

    if kinds := _kinds_by_key().get(key):
        return [name for kind in kinds for name in _names(ctx, kind)]
    annotation = core_keys().get(key)
    if annotation is bool:
        return ["true", "false"]
    parts = [part for each in get_args(annotation) for part in (get_args(each) or (each,))]
    return [str(part) for part in parts if isinstance(part, str | int)]


def _kinds_by_key() -> Mapping[str, tuple[str, ...]]:
    """Return the keys that choose a component, from a configuration in which all of them do."""
    from reidcore.config import Config
    from reidcore.config.components import choices

    data = {"sources": ["a"], "targets": ["a"], "transforms": ["a"], "load_train_targets": True}
    head = {"pool": "a", "classifier": "a"}
    filled = Config.model_validate({"data": data, "model": {"head": head}})
    chosen = {".".join(map(str, each.place)): each.kinds for each in choices(filled)}
    return {**chosen, "test.protocol": ("protocols",)}
