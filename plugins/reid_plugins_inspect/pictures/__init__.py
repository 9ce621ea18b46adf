"""Pictures of what a model does."""

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reid_plugins_inspect.pictures.activation import activation_maps as activation_maps
    from reid_plugins_inspect.pictures.activation import (
        draw_activation_maps as draw_activation_maps,
    )
    from reid_plugins_inspect.pictures.ranks import draw_ranked_results as draw_ranked_results
    from reid_plugins_inspect.pictures.ranks import (
        visualize_ranked_results as visualize_ranked_results,
    )

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "activation_maps": "reid_plugins_inspect.pictures.activation:activation_maps",
        "draw_activation_maps": "reid_plugins_inspect.pictures.activation:draw_activation_maps",
        "draw_ranked_results": "reid_plugins_inspect.pictures.ranks:draw_ranked_results",
        "visualize_ranked_results": "reid_plugins_inspect.pictures.ranks:visualize_ranked_results",
    },
)
