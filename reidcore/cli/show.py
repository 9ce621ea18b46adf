"""``reidcore show``: one component in full."""

from __future__ import annotations

import inspect

import click

from reidcore import registry
from reidcore.cli.output import echo
from reidcore.cli.session import Session
from reidcore.registry import Entry, TableRow

EPILOG = """\b
Examples:
  reidcore show model osnet_x1_0
  reidcore show dataset market1501
"""


@click.command(epilog=EPILOG)
@click.argument("kind")
@click.argument("name")
@click.pass_obj
def show(session: Session, kind: str, name: str) -> None:
    """Show a component's signature, documentation and origin.

    KIND is a kind of component, such as model or models; NAME is the component's.
    """
    with session.plugins() as plugins:
        entry = registry.find(plural(kind), name, plugins)
        for line in describe(entry):
            echo(line)


def plural(kind: str) -> str:
    """Return the kind that a word stands for, in the singular or the plural."""
    return {registry.singular(each): each for each in registry.KINDS}.get(kind, kind)


def describe(entry: Entry) -> list[str]:
    """Return a component in lines."""
    origin = f"plugin {entry.plugin}"
    if entry.distribution:
        origin += f" of {entry.distribution}"
    lines = [f"{registry.singular(entry.kind)} {entry.name}: {entry.summary}".rstrip(": ")]
    lines += [f"from {origin}: {_where(entry)}"]
    if entry.aliases:
        lines.append(f"also named: {', '.join(entry.aliases)}")
    if entry.needs:
        lines.append(f"needs: {entry.distribution or 'reidcore'}[{','.join(entry.needs)}]")
    lines += [f"option {real} is also spelled {other}" for other, real in entry.options.items()]
    return [*lines, "", *_source(entry)]


def _where(entry: Entry) -> str:
    if isinstance(entry.target, str | TableRow):
        return str(entry.target)
    return f"{entry.target.__module__}:{getattr(entry.target, '__qualname__', entry.target)}"


def _source(entry: Entry) -> list[str]:
    """Return a recipe's text, a row of weights, or a component's signature and docstring."""
    if entry.kind == "configs":
        from reidcore.config.loader import recipe_file

        return recipe_file(entry).read_text(encoding="utf-8").splitlines()
    target = entry.load()
    if entry.kind == "weights":
        return [f"{key}: {value}" for key, value in target().items()]
    signature = f"{entry.name}{inspect.signature(target)}"
    return [signature, "", *(inspect.getdoc(target) or "It has no documentation.").splitlines()]
