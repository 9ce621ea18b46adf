"""What the figures of a test are: all that they depend on beside the model's weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from reidcore.engine.selection import rule_in_words
from reidcore.models.head.slot import Head
from reidcore.models.layers import unwrap
from reidcore.models.weights.trained import chosen_on

if TYPE_CHECKING:
    from reidcore.data.table import SampleTable
    from reidcore.engine.engine import Engine
    from reidcore.evaluation import RankingResult


def conditions_of(
    engine: Engine, ranking: RankingResult, query: SampleTable, gallery: SampleTable
) -> dict[str, Any]:
    """Return what the figures of a target are, in plain values; docs/evaluation.md lists them.

    Args:
        engine: whose plan and model were tested.
        ranking: the figures, with what protocol and distances say of them.
        query: the Q queries.
        gallery: the G gallery images.
    """
    plan, chosen = engine.plan, chosen_on(engine.model)
    selected = rule_in_words(chosen) if chosen else None if plan.test_only else "no test"
    tables = "".join(table.fingerprint() for table in (query, gallery))
    return {
        "protocol": plan.protocol,
        "metric": plan.dist_metric,
        "features": _features_of(engine.model),
        "normalized": plan.normalize_feature,
        **ranking.conditions,
        "selected_on": selected,
        "data": hashlib.sha256(tables.encode()).hexdigest()[:12],
    }


def is_plain(conditions: Mapping[str, Any]) -> bool:
    """Say whether a file of JSON can hold conditions."""
    try:
        json.dumps(dict(conditions), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _features_of(model: nn.Module) -> str:
    """Return which of a model's features are compared: those behind the neck of a head."""
    head = getattr(unwrap(model), "head", None)
    if isinstance(head, Head):
        return "without a neck" if head.neck is None else "after the neck"
    return "of the model"
