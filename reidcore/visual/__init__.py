"""Pictures of what a model does."""

from typing import TYPE_CHECKING

from reidcore.lazy import attach

if TYPE_CHECKING:
    from reidcore.visual.activation import activation_maps as activation_maps
    from reidcore.visual.activation import draw_activation_maps as draw_activation_maps
    from reidcore.visual.ranks import draw_ranked_results as draw_ranked_results
    from reidcore.visual.ranks import visualize_ranked_results as visualize_ranked_results

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "activation_maps": "reidcore.visual.activation:activation_maps",
        "draw_activation_maps": "reidcore.visual.activation:draw_activation_maps",
        "draw_ranked_results": "reidcore.visual.ranks:draw_ranked_results",
        "visualize_ranked_results": "reidcore.visual.ranks:visualize_ranked_results",
    },
)
