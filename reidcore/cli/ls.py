"""``reidcore ls``: what can be named in a configuration."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from reidcore import registry
from reidcore.cli.names import Kind, component_names
from reidcore.cli.options import json_alone, json_option
from reidcore.cli.session import Session
from reidcore.cli.tables import console, table, word
from reidcore.errors import UnknownNameError

if TYPE_CHECKING:
    from reidcore.plugins import Plugins
    from reidcore.registry import Entry

EPILOG = """\b
Examples:
  reidcore ls models
  reidcore ls datasets --json
  reidcore ls models resnet
  reidcore ls models "timm/*dino*"
"""


@click.command(epilog=EPILOG)
@click.argument("kind", type=Kind(), required=False, metavar="[KIND]")
@click.argument("text", shell_complete=component_names(), required=False, metavar="[FILTER]")
@json_option
@click.pass_obj
def ls(session: Session, kind: str | None, text: str | None, as_json: bool) -> None:
    """List components by kind: name, summary, plugin.

    KIND, in the singular or plural, is one of models, poolings, classifiers, datasets, losses,
    samplers, engines, transforms, optimizers, schedulers, protocols, configs (or recipes) and
    weights; without it all are listed. FILTER keeps the names that contain it, or match it where it
    has a *; with a prefix such as timm/ it lists the names of a family, which is one line
    otherwise.
    """
    with json_alone(as_json) as write, session.plugins() as plugins:
        kinds = (kind,) if kind else registry.KINDS
        listed = {each: _listed(each, text or "", plugins) for each in kinds}
        if kind and text and not listed[kind]:
            raise UnknownNameError(
                f"no {registry.singular(kind)} is named like {text!r}", f"See: reidcore ls {kind}"
            )
        write([_as_record(entry) for entries in listed.values() for entry in entries])
    if not as_json:
        _print_table(listed)


def _listed(kind: str, text: str, plugins: Plugins) -> list[Entry]:
    """Return the components whose names fit, and a line for each family that is not asked for."""
    found = [entry for entry in registry.entries(kind, plugins) if _fits(entry.name, text)]
    for family in registry.families(kind, plugins):
        prefix = f"{family.prefix}/"
        if text.startswith(prefix):
            members = [family.member(name.removeprefix(prefix)) for name in family.names()]
            found += [replace(each, summary="") for each in members if _fits(each.name, text)]
        elif _fits(family.pattern, text):
            found.append(replace(family.member("<name>"), summary=family.summary))
    return found


def _fits(name: str, text: str) -> bool:
    return fnmatchcase(name, text) if "*" in text else text in name


def _as_record(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "summary": entry.summary,
        "plugin": entry.plugin,
        "distribution": entry.distribution,
        "aliases": list(entry.aliases),
        "needs": list(entry.needs),
    }


def _print_table(listed: dict[str, list[Entry]]) -> None:
    out = console()
    for kind, entries in listed.items():
        if not entries:
            continue
        shown = table("name", "summary", word("plugin", style="dim"), title=kind)
        for entry in entries:
            shown.add_row(entry.name, entry.summary, entry.plugin)
        out.print(shown)
        out.print()
