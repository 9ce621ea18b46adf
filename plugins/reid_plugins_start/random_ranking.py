"""What a ranking at random would give, and whether a model is told from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from reid_plugins_own_data.splitting.sightings import Sightings, sightings_of
from reid_plugins_own_data.splitting.split import ACROSS
from reid_plugins_own_data.splitting.table import SPLIT, read_table

from reid_plugins_start.context import Context
from reidcore.data import JUNK_PID
from reidcore.errors import counted
from reidcore.utils import read_json

_FEWEST = 6
"""Test identities below which all may do better than chance by chance alone: half of them are
expected to, and 2 x 0.5^5 is over 5 %."""


def mean_ap_by_chance(context: Context) -> float:
    """Return the mAP that a random order of the gallery is expected to have, from 0 to 1."""
    facts = context.facts
    table = read_table(context.table, facts.columns)
    words = [word.strip() for word in table.columns[SPLIT]]
    sightings = sightings_of(table.columns, table.roles)
    return _expected(sightings, np.array(words), within_cameras=facts.protocol != ACROSS)


def doubt(target: Mapping[str, Any], chance: float, ids: int) -> str:
    """Return why a model is not told from a random ranking; empty if it is.

    Args:
        target: its results on the test, with the 95 % interval of mAP where there is one.
        chance: the mAP of a random ranking.
        ids: identities of the test. An interval over very few of them says nothing.
    """
    if ids < _FEWEST:
        return (
            "nothing shows that this model is better than chance: it was tested on "
            f"{counted(ids, 'identity', 'identities')}, and fewer than {_FEWEST} may all be found "
            "by luck. Do not use it before it is tested on more"
        )
    low, high = target["intervals"].get("mAP", (float("nan"),) * 2)
    if low > chance:
        return ""
    interval = f"95 % interval {100 * low:.1f} to {100 * high:.1f}"
    if np.isnan(low):
        interval = "no interval, for want of identities"
    return (
        f"nothing shows that this model is better than chance: its mAP is "
        f"{100 * target['mAP']:.1f} % ({interval}), and a random ranking has {100 * chance:.1f} %. "
        "Do not use it; train longer, or give more identities"
    )


def doubt_of(context: Context) -> str:
    """Return why the trained model is not told from a random ranking; empty if it is."""
    target = read_json(context.place.run / "results.json")["targets"][context.dataset]
    return doubt(target, mean_ap_by_chance(context), context.facts.ids["test"])


def _expected(sightings: Sightings, words: Any, *, within_cameras: bool) -> float:
    """Return the mean over queries of the expected AP of R matches among N in random order.

    It is (H_N + (R - 1) / (N - 1) * (N - H_N)) / N, with H_N the harmonic number (Bestgen, "Exact
    Expected Average Precision of the Random Baseline for System Evaluation", PBML 103, 2015).
    """
    gallery = (words == "gallery") & (sightings.pids != JUNK_PID)
    precisions = []
    for row in np.flatnonzero(words == "query"):
        is_same = gallery & (sightings.pids == sightings.pids[row])
        is_near = is_same & (sightings.camids == sightings.camids[row])
        left_out = 0 if within_cameras else int(is_near.sum())
        total, matches = int(gallery.sum()) - left_out, int(is_same.sum()) - left_out
        if matches:
            harmonic = float((1 / np.arange(1, total + 1)).sum())
            further = (matches - 1) / max(1, total - 1) * (total - harmonic)
            precisions.append((harmonic + further) / total)
    return float(np.mean(precisions)) if precisions else float("nan")
