"""``reidcore runs show``: one run in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from reid_plugins_runs.commands.arguments import open_runs, plot_option, save_plot
from reid_plugins_runs.conditions import conditions_of
from reid_plugins_runs.curves import loss_of
from reid_plugins_runs.figure_names import heading, is_share
from reid_plugins_runs.flat_config import Changed, as_text, changed
from reid_plugins_runs.folders import RunFolder, interval_of
from reid_plugins_runs.repeats import grouped
from reid_plugins_runs.sheet import Column, Form, Sheet, form_options, show
from reidcore.cli import Session
from reidcore.data import first_names
from reidcore.errors import UserError

EPILOG = """\b
Examples:
  reidcore runs show log/quickstart
  reidcore runs show log/quickstart --markdown --plot curves.png
"""

_MOST_EPOCHS = 12
_ENDS = ("  95 % from", "  95 % to")


@click.command("show", epilog=EPILOG)
@click.argument("folder", type=click.Path(), metavar="DIR")
@form_options
@plot_option
@click.pass_obj
def show_run(session: Session, folder: str, form: Form, plot: str | None) -> None:
    """Show a run: configuration, results and epochs.

    DIR is the run's folder. Of the configuration those keys are shown that are not at their
    default, and all options of the components in use.
    """
    runs = open_runs([folder]).runs
    run = next((run for run in runs if run.path == Path(folder)), None)
    if run is None:
        names = [run.name for run in runs]
        raise UserError(
            f"{folder!r} is no run, but above {first_names(names, len(names))}", "Give one."
        )
    save_plot(plot, grouped([run]), run.name)
    with session.plugins():
        keys = changed(run.config) if run.config else []
        show(form, _sheets(run, keys), _record(run, keys))


def _record(run: RunFolder, keys: Sequence[Changed]) -> dict[str, Any]:
    results = run.results.model_dump() if run.results else {}
    return {
        "run": run.name,
        "state": run.state,
        "changed": {key: value for key, value, _ in keys},
        "history": [dict(epoch) for epoch in run.history],
        "tests": [dict(test) for test in run.tests],
        "results": results,
    }


def _sheets(run: RunFolder, keys: Sequence[Changed]) -> Iterator[Sheet]:
    yield Sheet([Column("run"), Column(run.name)], list(_facts(run)))
    if keys:
        rows = [
            [key, as_text(value), "-" if default is None else as_text(default)]
            for key, value, default in keys
        ]
        yield Sheet([Column("key"), Column("value"), Column("default")], rows, "Configuration")
    if run.targets:
        yield _targets(run)
        yield from _conditions(run)
    if run.history:
        yield _epochs(run)


def _facts(run: RunFolder) -> Iterator[list[str]]:
    of_all = "" if run.max_epoch is None else f" of {run.max_epoch}"
    yield ["state", run.state]
    yield ["epochs", f"{run.epochs}{of_all}"]
    if run.ended is not None:
        yield ["ended" if not run.is_running else "seen", run.ended.isoformat(" ", "seconds")]
    if run.seconds is not None:
        yield ["seconds", f"{run.seconds:,.0f}"]
    if run.selection.get("epoch") is not None:
        chosen = run.selection
        value, of = _percent(chosen.get("value")), chosen.get("of")
        yield ["best", f"{chosen.get('metric')} {value} of {of}, after epoch {chosen['epoch']}"]
    if run.results is not None:
        yield ["device", run.results.device]
        for name, version in run.results.versions.items():
            yield [name, version]


def _targets(run: RunFolder) -> Sheet:
    figures = dict.fromkeys(name for row in run.targets.values() for name in row if is_share(name))
    own = dict.fromkeys(name for row in run.targets.values() for name in row.get("figures") or {})
    columns = [
        Column("target"),
        *(Column(heading(name), is_number=True) for name in figures),
        *(Column(name, is_number=True) for name in own),
        Column("queries", is_number=True),
    ]
    rows = [
        [first, *map(_percent, map(given.get, figures)), *map(_short, map(given.get, own)), queries]
        for target, row in run.targets.items()
        for first, given, queries in _lines(target, row)
    ]
    return Sheet(columns, rows, "Results (%)")


def _lines(target: str, row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield a target's figures by name, then the low ends of their intervals, and the high ones."""
    own, intervals = row.get("figures") or {}, row.get("intervals") or {}
    yield target, {**row, **own}, str(row.get("num_valid_queries", "-"))
    for place, name in enumerate(_ENDS if intervals else ()):
        ends = {figure: interval_of(row, figure) or [] for figure in intervals}
        yield name, {figure: dict(enumerate(both)).get(place) for figure, both in ends.items()}, ""


def _conditions(run: RunFolder) -> Iterator[Sheet]:
    """Yield what the figures of the targets are, where the record tells."""
    told = {target: conditions_of(row) for target, row in run.targets.items()}
    keys = dict.fromkeys(key for conditions in told.values() for key in conditions)
    rows = [
        [
            key,
            *(
                as_text(conditions[key]) if key in conditions else "-"
                for conditions in told.values()
            ),
        ]
        for key in keys
    ]
    if rows:
        yield Sheet([Column("condition"), *map(Column, told)], rows, "What the figures are")


def _epochs(run: RunFolder) -> Sheet:
    """Return the epochs; of many some, evenly, the first and the last among them."""
    tested = [run.tested("mAP"), run.tested("rank1")]
    last = len(run.history) - 1
    shown = {round(last * place / (_MOST_EPOCHS - 1)) for place in range(_MOST_EPOCHS)}
    names = ("epoch", "loss", "acc", "lr", "mAP", "Rank-1", "seconds")
    rows = [
        [
            str(epoch.get("epoch", "-")),
            _short(loss_of(epoch)),
            _short(epoch.get("acc")),
            _short(epoch.get("lr")),
            *(_percent(figures.get(epoch.get("epoch", 0))) for figures in tested),
            _short(epoch.get("seconds")),
        ]
        for place, epoch in enumerate(run.history)
        if place in shown
    ]
    return Sheet([Column(name, is_number=True) for name in names], rows, "Epochs")


def _percent(value: Any) -> str:
    return f"{100 * value:.1f}" if isinstance(value, int | float) else "-"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "-"
