"""What the figures of a test are: all that they depend on beside the model's weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from reidcore.engine.selection import rule_in_words
from reidcore.errors import PluginDefectError
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


def check_plain(target: str, conditions: Mapping[str, Any]) -> None:
    """Refuse conditions that no file of JSON can hold.

    Raises:
        PluginDefectError: naming the first one.
    """
    for name, value in conditions.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            told = f"target {target!r} has the condition {name!r}, which is no JSON: {error}"
            raise PluginDefectError(told) from error


def _features_of(model: nn.Module) -> str:
    """Return which of a model's features are compared: those behind a head's neck, or before it."""
    head = getattr(unwrap(model), "head", None)
    if isinstance(head, Head):
        place = head.test_features.removesuffix("_neck")
        return "without a neck" if head.neck is None else f"{place} the neck"
    return "of the model"
