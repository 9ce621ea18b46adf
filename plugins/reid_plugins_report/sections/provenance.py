"""Where the figures come from: data, code, configuration, machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reid_plugins_runs.folders import is_number

from reid_plugins_report.page import Child, Html, Section, figure, figures, tag
from reid_plugins_report.report import Report
from reid_plugins_report.sections.words import words_of

_MOST_SHOWN = 400_000  # characters of a configuration


def provenance_section(report: Report) -> Section:
    """Return the section of what a reader needs to repeat the run."""
    results = report.results
    shown = [
        figure("Run", _pairs(_run_facts(report))),
        figure("Versions", _pairs((results.get("versions") or {}).items())),
        figure("Plugins", _pairs(_plugins(results.get("plugins") or []))),
        figure("Data", _pairs(_data(results.get("dataset")))) if results.get("dataset") else None,
    ]
    written = json.dumps(results.get("config"), indent=2, ensure_ascii=False)[:_MOST_SHOWN]
    config = tag("pre", written, tabindex="0", aria_label="Configuration")
    details = tag("details", tag("summary", "Configuration in full"), config)
    faults = [tag("p", fault, class_="fault") for fault in report.faults]
    return Section("Provenance", tag("div", figures(*shown), details, faults), 20)


def _run_facts(report: Report) -> Iterator[tuple[str, Any]]:
    results = report.results
    config = results.get("config") or {}
    yield "folder", str(report.folder)
    yield "finished", results.get("finished")
    yield "device", results.get("device")
    yield "model", (config.get("model") or {}).get("name")
    yield "seed", (config.get("train") or {}).get("seed")
    selection = results.get("selection") or {}
    for name in ("tested_epoch", "metric", "of"):
        if selection.get(name) is not None:
            yield (
                {"metric": "selected by", "of": "selected on"}.get(name, "tested epoch"),
                selection[name],
            )
    if results.get("stopped"):
        yield "stopped", results["stopped"]
    if results.get("weights"):
        yield "weights", results["weights"]
    seconds = (results.get("timings") or {}).get("total_seconds")
    if is_number(seconds):
        yield "seconds", f"{seconds:,.0f}"
    memory = (results.get("peak_memory") or {}).get("process")
    if is_number(memory):
        yield "peak memory", f"{memory / 2**20:,.0f} MiB"


def _data(given: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what is known of datasets, nested names joined by dots."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            yield from _data(value, f"{above}.{name}" if above else str(name))
    else:
        yield above, given


def _plugins(plugins: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield distributions with their versions, and the plugins of each."""
    names: dict[str, list[str]] = {}
    for each in plugins:
        brought = [str(each[key]) for key in ("distribution", "version") if each.get(key)]
        names.setdefault(" ".join(brought) or "no package", []).append(str(each.get("name")))
    for distribution, found in names.items():
        yield distribution, ", ".join(found)


def _pairs(pairs: Any) -> Html:
    items: list[Child] = [
        tag("div", tag("dt", name), tag("dd", words_of(value))) for name, value in pairs
    ]
    return tag("dl", items)
