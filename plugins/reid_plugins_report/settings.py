"""What the last test keeps for a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from reidcore.engine import Engine


class ReportSettings(BaseModel, extra="forbid"):
    """``settings.report``.

    Attributes:
        enabled: keep the evidence of the last test in ``data.save_dir``.
        queries: how many of the hardest queries are kept, with their rankings.
        topk: how many gallery items of each ranking.
        map_images: how many images the map of the embeddings has at most.
        slice_images: of how many queries at most the picture is looked at, for size and blur.
        attention: whether activation maps of the hardest queries are kept.
    """

    enabled: bool = True
    queries: Annotated[int, Field(ge=1, le=100)] = 12
    topk: Annotated[int, Field(ge=1, le=50)] = 10
    map_images: Annotated[int, Field(ge=0, le=5000)] = 1000
    slice_images: Annotated[int, Field(ge=0, le=100_000)] = 4000
    attention: bool = True


def settings_of(engine: Engine) -> ReportSettings:
    """Return a run's settings; an engine built by hand has the defaults."""
    given = ((engine.config or {}).get("settings") or {}).get("report") or {}
    return ReportSettings.model_validate(given)
