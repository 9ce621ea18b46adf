"""What ``settings.standard`` holds: how tests compute features and distances."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

OneStep = str | dict[str, dict[str, Any] | None]
"""A step's name, or ``{name: options}``."""

Steps = Annotated[
    list[OneStep],
    BeforeValidator(lambda given: [given] if isinstance(given, str | dict) else given),
]
"""Steps in the order in which they are taken; one may be written alone."""


class StandardSettings(BaseModel, extra="forbid"):
    """``settings.standard``.

    Attributes:
        test_time: steps such as ``flip`` and ``{alpha_qe: {k: 5}}``, in the order given.
    """

    test_time: Steps = []
