"""The core's own implementations of the first-result hooks: always there, always called last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl

if TYPE_CHECKING:
    from torch import Tensor, nn

    from reidcore.config import OptimOptions
    from reidcore.engine import Engine, StepOutcome, TargetResult
    from reidcore.evaluation import Distances, Labels
    from reidcore.models import Outputs


@hookimpl(trylast=True)
def reid_parameter_groups(model: nn.Module, options: OptimOptions) -> list[dict[str, Any]]:
    """Let pretrained layers learn at a rate of their own."""
    from reidcore.optim.groups import staged_groups

    return staged_groups(model, options)


@hookimpl(trylast=True)
def reid_forward_backward(engine: Engine, batch: Mapping[str, Any]) -> StepOutcome:
    """Take the engine's own step."""
    from reidcore.engine.step import as_outcome

    return as_outcome(engine.forward_backward(batch), origin=type(engine).__name__)


@hookimpl(trylast=True)
def reid_compute_losses(
    engine: Engine, batch: Mapping[str, Any], outputs: Outputs
) -> dict[str, Tensor]:
    """Compute the engine's weighted loss terms."""
    return engine.compute_terms(batch, outputs)


@hookimpl(trylast=True)
def reid_evaluate(engine: Engine) -> dict[str, TargetResult]:
    """Test the engine's model on every target."""
    return engine.evaluate()


@hookimpl(trylast=True)
def reid_extract_features(model: nn.Module, images: Tensor, labels: Mapping[str, Any]) -> Tensor:
    """Run the model in evaluation mode, with the columns that it wants."""
    from reidcore.models import features_of

    return features_of(model, images, labels)


@hookimpl(trylast=True)
def reid_transform_features(
    query: Tensor, gallery: Tensor, labels: Labels, engine: Engine | None
) -> tuple[Tensor, Tensor]:
    """Leave the features as they are."""
    return query, gallery


@hookimpl(trylast=True)
def reid_compute_distance(query: Tensor, gallery: Tensor, metric: str) -> Distances:
    """Pair the features with a metric; the evaluator never stores the matrix."""
    from reidcore.evaluation import FeatureDistances

    return FeatureDistances(query, gallery, metric)
