"""Pictures of what a model does."""

from __future__ import annotations

from reid_plugins_inspect.pictures.activation import activation_maps, draw_activation_maps
from reid_plugins_inspect.pictures.ranks import draw_ranked_results, visualize_ranked_results

__all__ = [
    "activation_maps",
    "draw_activation_maps",
    "draw_ranked_results",
    "visualize_ranked_results",
]
