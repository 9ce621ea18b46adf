"""``reidcore show``: one component in full, or what a checkpoint says of itself."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from reidcore import registry
from reidcore.cli import Kind, Session, component_names, echo, json_alone, json_option
from reidcore.registry import Entry, TableRow

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

EPILOG = """\b
Examples:
  reidcore show model osnet_x1_0
  reidcore show dataset market1501 --json
  reidcore show checkpoint log/model-best.pth.tar
"""

CHECKPOINT = "checkpoint"


@click.command(epilog=EPILOG)
@click.argument("kind", type=Kind())
@click.argument("name", shell_complete=component_names())
@json_option
@click.pass_obj
def show(session: Session, kind: str, name: str, as_json: bool) -> None:
    """Show a component's signature, documentation and origin.

    Of a recipe (config) it shows the licences of code, weights and data, where the weights are, and
    an estimate of the time and the memory that it takes.

    KIND is a kind of component, such as model or models; NAME is the component's. With the kind
    checkpoint NAME is a file: shown are its model, its epochs and how it was chosen.
    """
    with json_alone(as_json) as write, session.plugins() as plugins:
        record, lines = _described(kind, name, plugins)
        write(record)
    if not as_json:
        for line in lines:
            echo(line)


def _described(kind: str, name: str, plugins: Plugins) -> tuple[dict[str, Any], Iterable[str]]:
    """Return what there is to show, as a record and in lines."""
    if kind == CHECKPOINT:
        from reid_plugins_inspect.checkpoint_summary import summarize_checkpoint, summary_lines

        summary = summarize_checkpoint(name)
        return summary, summary_lines(summary)
    record = describe(registry.find(kind, name, plugins), plugins)
    return record, _lines(record)


def describe(entry: Entry, plugins: Plugins) -> dict[str, Any]:
    """Return what there is to know about a component: what ``show --json`` prints."""
    record: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.name,
        "summary": entry.summary,
        "plugin": entry.plugin,
        "distribution": entry.distribution,
        "target": _spelled(entry.target),
        "aliases": list(entry.aliases),
        "needs": list(entry.needs),
    }
    if entry.kind == "configs":
        from reid_plugins_inspect.recipe_summary import summarize_recipe

        return {**record, **summarize_recipe(entry, plugins)}
    if entry.kind == "weights":
        return {**record, "values": dict(entry.load()())}
    return {**record, **_described_factory(entry)}


def _described_factory(entry: Entry) -> dict[str, Any]:
    target = entry.load()
    factory = _behind(target)
    return {
        "factory": _spelled(factory),
        "source": _source_of(factory),
        "signature": _signature(entry.name, target),
        "options": {
            name: {
                **_as_record(parameter),
                "spellings": [other for other, real in entry.options.items() if real == name],
            }
            for name, parameter in registry.declared_options(entry).items()
        },
        "documentation": inspect.getdoc(factory) or "",
    }


def _behind(target: Any) -> Any:
    """Return the function or class that a component is made by, behind partials and wrappers."""
    while isinstance(target, partial) or hasattr(target, "__wrapped__"):
        target = target.func if isinstance(target, partial) else target.__wrapped__
    return target


def _spelled(target: Any) -> str:
    if isinstance(target, str | TableRow) or not hasattr(target, "__module__"):
        return str(target)
    return f"{target.__module__}:{getattr(target, '__qualname__', target)}"


def _source_of(factory: Any) -> str | None:
    """Return ``file:line``, or None of what was not written in a file."""
    try:
        return f"{inspect.getsourcefile(factory)}:{inspect.getsourcelines(factory)[1]}"
    except (OSError, TypeError):
        return None


class _Written(str):
    """An annotation as it stands in the source."""

    __repr__ = str.__str__


def _signature(name: str, target: Callable[..., Any]) -> str:
    """Return how a component is called, in lines of at most 80 columns."""
    found = inspect.signature(target)
    parameters = [
        each.replace(annotation=_as_written(each.annotation)) for each in found.parameters.values()
    ]
    is_class = isinstance(_behind(target), type)
    gives = found.empty if is_class else _as_written(found.return_annotation)
    written = name + str(found.replace(parameters=parameters, return_annotation=gives))
    return textwrap.fill(
        written, 80, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _as_written(annotation: Any) -> Any:
    return _Written(annotation) if isinstance(annotation, str) else annotation


def _as_record(parameter: inspect.Parameter) -> dict[str, Any]:
    """Return an option's type and default."""
    annotation, is_required = parameter.annotation, parameter.default is parameter.empty
    if not isinstance(annotation, str):
        annotation = "" if annotation is parameter.empty else inspect.formatannotation(annotation)
    return {
        "type": annotation,
        "required": is_required,
        "default": None if is_required else parameter.default,
    }


def _lines(record: Mapping[str, Any]) -> list[str]:
    """Return a component in lines, for people."""
    origin = f"plugin {record['plugin']}"
    if record["distribution"]:
        origin += f" of {record['distribution']}"
    lines = [f"{registry.singular(record['kind'])} {record['name']}: {record['summary']}"]
    lines = [lines[0].rstrip(": "), f"from {origin}: {record['target']}"]
    if record.get("factory", record["target"]) != record["target"]:
        lines.append(f"made by {record['factory']}")
    if record["aliases"]:
        lines.append(f"also named: {', '.join(record['aliases'])}")
    if record["needs"]:
        needed = ",".join(record["needs"])
        lines.append(f"needs: {record['distribution'] or 'reidcore'}[{needed}]")
    lines += [
        f"option {name} is also spelled {other}"
        for name, option in record.get("options", {}).items()
        for other in option["spellings"]
    ]
    return [*lines, "", *_body(record)]


def _body(record: Mapping[str, Any]) -> list[str]:
    """Return a recipe with its needs, what is known of weights, or a signature and its text."""
    if "text" in record:
        from reid_plugins_inspect.recipe_summary import recipe_lines

        return recipe_lines(record)
    if "values" in record:
        return [f"{key}: {value}" for key, value in record["values"].items()]
    documentation = record["documentation"] or "It has no documentation."
    return [*record["signature"].splitlines(), "", *documentation.splitlines()]
