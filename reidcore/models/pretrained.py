"""Published ImageNet weights for a model: what a factory's ``pretrained=True`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from reidcore.models.weights.cache import WeightsStore
from reidcore.models.weights.catalog import find_published
from reidcore.models.weights.load import load_state

if TYPE_CHECKING:
    from reidcore.models.weights.load import LoadedWeights
    from reidcore.plugins import Plugins


def load_published_weights(
    model: nn.Module, name: str, plugins: Plugins | None = None
) -> LoadedWeights:
    """Fill a model with published weights, as the last line of its factory does.

    They are looked up in the tables that plugins publish, taken from the cache or downloaded into
    it. A classifier of other classes keeps its own weights.

    Args:
        model: the network; changed in place.
        name: the weights' name, which is most often the model's.
        plugins: where they are looked up; by default the current plugins.

    Returns:
        What was loaded, discarded and left untouched.

    Raises:
        UnknownNameError: if no plugin publishes such weights.
        UserError: if they are in no cache and cannot be downloaded; names the ways out.
        CheckpointError: if the file is damaged or belongs to another model.
    """
    weights = find_published(name, plugins)
    return load_state(model, WeightsStore().require(weights), keys=weights.key_map())
