"""The types of the losses' options: a value of a configuration that is out of range is refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Margin = Annotated[float, Field(ge=0)]
CosineMargin = Annotated[float, Field(ge=0, le=2)]
"""A difference of cosines, of which 2 is the largest."""
Share = Annotated[float, Field(ge=0, le=1)]
Scale = Annotated[float, Field(gt=0, le=10_000)]
"""What cosines are multiplied by; beyond that the largest is all that counts."""
Temperature = Annotated[float, Field(gt=0, le=1000)]
"""What similarities are divided by; beyond that they are all alike."""
Exponent = Annotated[float, Field(ge=0, le=100)]
"""Of shares, which larger ones make nothing of."""
Cosine = Annotated[float, Field(ge=-1, le=1)]
Smoothing = Annotated[float, Field(ge=0, lt=1)]
BranchWeights = list[Annotated[float, Field(ge=0)]] | None
"""One for each branch of the network; None takes their mean."""
