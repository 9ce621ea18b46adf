"""The figures of a target, each with its interval, and what they are figures of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reid_plugins_runs.figure_names import heading, is_share
from reid_plugins_runs.folders import is_number

from reid_plugins_report.page import Html, Section, figure, figures, table, tag
from reid_plugins_report.report import Report, ReportedTarget
from reid_plugins_report.sections.words import words_of

_TRACK = 100.0  # units of a bar's width

_ORDER = ("mAP", "rank1", "rank5", "rank10", "rank20", "mINP")


def results_section(report: Report, target: ReportedTarget) -> Section:
    """Return the section of a target's figures."""
    shown = [_tile(name, value, interval) for name, value, interval in shares_of(target.figures)]
    body = [tag("ul", shown, class_="tiles")]
    if target.evidence and (line := target.evidence.facts.get("line")):
        body.append(tag("p", str(line), class_="note"))
    if further := target.figures.get("figures"):
        body.append(figure("Further figures of the protocol", _further(further, target.figures)))
    body.append(tag("details", tag("summary", "What these figures are of"), _conditions(target)))
    return Section("Results", tag("div", body), 10, _counts(target))


def shares_of(
    figures: Mapping[str, Any],
) -> Iterator[tuple[str, float, tuple[float, float] | None]]:
    """Yield the figures that are shares: name, value and interval, the best known ones first."""
    intervals = figures.get("intervals") or {}
    names = [name for name in _ORDER if name in figures]
    names += [name for name in figures if is_share(name) and name not in names]
    for name in names:
        if is_number(value := figures[name]):
            yield name, float(value), _interval(intervals.get(name))


def _further(further: Mapping[str, Any], figures: Mapping[str, Any]) -> Html:
    intervals = figures.get("intervals") or {}
    rows = []
    for name, value in further.items():
        ends = _interval(intervals.get(name))
        shown = f"{words_of(ends[0])} to {words_of(ends[1])}" if ends else ""
        rows.append((name, words_of(value), shown))
    return table(["Figure", "Value", "95 % interval"], rows)


def _interval(given: Any) -> tuple[float, float] | None:
    if isinstance(given, list | tuple) and len(given) == 2 and all(map(is_number, given)):
        return float(given[0]), float(given[1])
    return None


def _tile(name: str, value: float, interval: tuple[float, float] | None) -> Html:
    low, high = interval or (value, value)
    said = None
    if interval is not None:
        said = tag("p", f"{100 * low:.1f} to {100 * high:.1f}", class_="interval")
    bar = tag(
        "svg",
        tag("rect", x=0, y=3, width=_TRACK, height=4, class_="track"),
        tag("rect", x=0, y=3, width=_TRACK * value, height=4, class_="filled"),
        tag(
            "rect",
            x=_TRACK * low,
            y=1,
            width=max(_TRACK * (high - low), 1),
            height=8,
            class_="span",
        ),
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="bar",
    )
    number = tag("p", f"{100 * value:.1f}", tag("span", "%"), class_="number")
    return tag("li", tag("p", heading(name), class_="name"), number, bar, said)


def _counts(target: ReportedTarget) -> str:
    facts = target.evidence.facts if target.evidence else {}
    valid = target.figures.get("num_valid_queries")
    skipped = target.figures.get("num_skipped_queries")
    unit = facts.get("unit", "images")
    told = []
    if is_number(valid):
        told.append(f"{valid:,} queries")
    if is_number(size := facts.get("gallery")):
        told.append(f"against {size:,} gallery {unit}")
    if skipped:
        told.append(f"({skipped:,} queries without a match skipped)")
    sentence = " ".join(told)
    if target.figures.get("intervals"):
        sentence += ". Below each figure: its 95 % interval, by a bootstrap over identities"
    return f"{sentence}." if sentence else ""


def _conditions(target: ReportedTarget) -> Html:
    given = dict(target.figures.get("conditions") or {})
    for name in ("protocol", "distance", "rerank", "ties"):
        if name in target.figures:
            given.setdefault(name, target.figures[name])
    rows = [(name.replace("_", " "), words_of(value)) for name, value in given.items()]
    return table(["Condition", "Value"], rows, numbers=False, label="Conditions of the test")


def targets_table(report: Report) -> Html | None:
    """Return the figures of all targets, where there are several."""
    if len(report.targets) < 2:
        return None
    columns = list(
        dict.fromkeys(name for each in report.targets for name, _, _ in shares_of(each.figures))
    )
    rows = []
    for target in report.targets:
        found = {name: (value, interval) for name, value, interval in shares_of(target.figures)}
        rows.append([target.name, *(_cell(*found.get(name, (None, None))) for name in columns)])
    headings = ["Target", *map(heading, columns)]
    return figures(figure("All targets (%)", table(headings, rows), is_wide=True))


def _cell(value: float | None, interval: tuple[float, float] | None) -> Html | str:
    if value is None:
        return "-"
    if interval is None:
        return f"{100 * value:.1f}"
    low, high = interval
    return tag("span", f"{100 * value:.1f} ", tag("small", f"{percent1(low)} to {percent1(high)}"))


def percent1(value: float) -> str:
    """Return a share as per cent with one decimal place."""
    return f"{100 * value:.1f}"
