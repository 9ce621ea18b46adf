"""The licences on a model card, most of which only somebody who knows the data can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DATA, _START, _MODEL = "* Data: ", "* Starting weights: ", "* This model: "


def licences(model: Mapping[str, Any], earlier: str = "") -> str:
    """Return a line for the data, for the starting weights and for the model.

    Args:
        model: its part of the configuration.
        earlier: an earlier card: what it says of the data and the model stays.
    """
    start = "none: random ones."
    if model["pretrained"]:
        start = f"see `reidcore show weights {model['name']}`."
    fresh = {
        _DATA: f"{_DATA}unknown; say here under which terms the images may be used.",
        _START: f"{_START}{start}",
        _MODEL: f"{_MODEL}unknown; it depends on both.",
    }
    known = {
        label: line
        for line in earlier.splitlines()
        for label in (_DATA, _MODEL)
        if line.startswith(label)
    }
    return "\n".join({**fresh, **known}.values())
