"""What a calibration found, as the terminal shows it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reid_plugins_calibration.thresholds import FEW_IDENTITIES
from reidcore.cli import console, number, table
from reidcore.errors import counted

if TYPE_CHECKING:
    from rich.table import Table

    from reid_plugins_calibration.calibration import Calibration
    from reid_plugins_calibration.thresholds import Threshold

_SHOWN_CAMERAS = 12
_RULE_OF_THREE = 3


def show(calibration: Calibration) -> None:
    """Print the thresholds, the probability, the answers, and what could not be told."""
    out, record = console(), calibration.record
    out.print(f"{record['data']}, {how_compared(record['pairs'])}", markup=False)
    out.print(_of_thresholds(calibration.thresholds))
    for line in lines(record):
        out.print(line, markup=False)
    if record["cameras"]:
        out.print(_of_cameras(record["cameras"]))
    for line in camera_lines(record):
        out.print(line, markup=False)


def lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is told beneath the table of thresholds."""
    pairs, answer, curve = record["pairs"], record["answer"], record["probability"]
    identities = counted(pairs["identities"], "identity", "identities")
    yield (
        f"{counted(pairs['matches'], 'match', 'matches')} of {identities} and "
        f"{counted(pairs['nonmatches'], 'non-match', 'non-matches')}; intervals of 95 %"
    )
    for why in record["refused"]:
        yield f"refused: {why}"
    if pairs["identities"] < FEW_IDENTITIES:
        yield (
            f"below {FEW_IDENTITIES} identities intervals are narrower than they say: give more to "
            "be sure"
        )
    if answer["fnmr"] * pairs["identities"] < _RULE_OF_THREE:
        yield (
            f"below {math.ceil(_RULE_OF_THREE / answer['fnmr']):,} identities an FNMR of "
            f"{answer['fnmr']:g} is what was seen, and may be higher for others"
        )
    yield f"probability: {_curve_in_words(curve)}, for {curve['prior']:g} of pairs being matches"
    yield (
        f"answer: same from {answer['same']:.4f} (FMR {answer['fmr']:g}), different below "
        f"{answer['different']:.4f} (FNMR {answer['fnmr']:g}), undecided in between: "
        f"{answer['undecided_matches']:.1%} of matches and "
        f"{answer['undecided_nonmatches']:.1%} of non-matches"
    )


def how_compared(pairs: Mapping[str, Any]) -> str:
    """Return which pairs of images were compared, in words."""
    how = "compared across cameras" if pairs["across_cameras"] else "compared whatever their camera"
    return how + (", never within a track" if pairs["tracks"] else "")


def camera_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is told of the pairs of cameras that have no thresholds of their own."""
    without = record["cameras_refused"]
    if not without:
        return
    names = [" and ".join(each["names"]) for each in without]
    shown = "; ".join(f"{name} ({each['why']})" for name, each in zip(names, without, strict=True))
    if len(without) > _SHOWN_CAMERAS or len(shown) > 300:
        more = f", and {len(names) - 3:,} more" if len(names) > 3 else ""
        shown = f"{'; '.join(names[:3])}{more}"
    yield (
        f"of {counted(len(without), 'pair')} of cameras there are too few identities, and the "
        f"thresholds above serve: {shown}"
    )


def _of_thresholds(thresholds: Sequence[Threshold]) -> Table:
    shown = table(
        "FMR",
        *(number(each) for each in ("similarity", "from", "to", "FNMR", "from", "to")),
        number("false matches"),
    )
    for each in thresholds:
        shown.add_row(
            f"{each.fmr:g}",
            *(f"{value:.4f}" for value in (each.similarity, each.low, each.high)),
            *(f"{value:.2%}" for value in (each.fnmr, each.fnmr_low, each.fnmr_high)),
            f"{each.false_matches:,}",
        )
    return shown


def _of_cameras(cameras: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table with a row for each rate of each pair of cameras, which fits 80 characters."""
    names = ("identities", "FMR", "similarity", "from", "to")
    shown = table("cameras", *(number(each) for each in names))
    for pair in cameras:
        about = (" and ".join(pair["names"]), f"{pair['identities']:,}")
        for each in pair["thresholds"]:
            values = (f"{each[key]:.4f}" for key in ("similarity", "low", "high"))
            shown.add_row(*about, f"{each['fmr']:g}", *values)
            about = ("", "")
    return shown


def _curve_in_words(curve: Mapping[str, Any]) -> str:
    held_out = curve["held_out_log_likelihood"]
    if len(held_out) < 2:
        return f"{curve['kind']}, as there are too few identities to compare"
    other = next(kind for kind in held_out if kind != curve["kind"])
    gain = held_out[curve["kind"]] - held_out[other]
    return (
        f"{curve['kind']}, by {gain:.4f} nats a pair likelier than {other} for identities held out"
    )
