"""The network and its head."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from reidcore.config.options.base import OpenOptions, Positive

Side = Literal["before_neck", "after_neck"]


class HeadOptions(OpenOptions):
    """What stands behind a network's last maps; with nothing chosen, the network's own.

    Further keys are the options of the pooling and the classifier that are named.

    Attributes:
        metric_features: which features the metric losses see, where there is a neck.
        test_features: which features are compared, likewise.
    """

    section: ClassVar[str] = "model.head"

    pool: str | None = None
    embedding: Positive | None = None
    neck: Literal["bnneck"] | None = None
    metric_features: Side = "before_neck"
    test_features: Side = "after_neck"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    non_local: bool = False
    last_stride: Literal[1] | None = None
    classifier: str | None = None

    def chosen(self) -> dict[str, Any]:
        """Return the keys whose values are not the defaults; none means no head at all."""
        return self.model_dump(exclude_defaults=True)


class ModelOptions(OpenOptions):
    """The network; further keys are the options of the model that ``name`` names."""

    section: ClassVar[str] = "model"

    name: str = "resnet50"
    pretrained: bool = True
    load_weights: str = ""
    resume: str = ""
    head: HeadOptions = HeadOptions()
