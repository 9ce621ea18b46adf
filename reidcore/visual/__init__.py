"""Pictures of what a model does."""

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.visual.ranks import draw_ranked_results as draw_ranked_results
    from reidcore.visual.ranks import visualize_ranked_results as visualize_ranked_results

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "draw_ranked_results": "reidcore.visual.ranks:draw_ranked_results",
        "visualize_ranked_results": "reidcore.visual.ranks:visualize_ranked_results",
    },
)
