"""The network and its head."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from reidcore.config.options.base import OpenOptions, Options, Positive


class HeadOptions(Options):
    """What stands behind a network's last maps; with nothing chosen, the network's own."""

    section: ClassVar[str] = "model.head"

    pool: Literal["avg", "max", "avg+max", "gem"] | None = None
    gem_p: Annotated[float, Field(ge=1)] = 3.0
    embedding: Positive | None = None
    neck: Literal["bnneck"] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    non_local: bool = False
    last_stride: Literal[1] | None = None
    classifier: Literal["linear", "arcface", "cosface", "circle"] | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    margin: Annotated[float, Field(ge=0)] | None = None

    def chosen(self) -> dict[str, Any]:
        """Return the keys whose values are not the defaults; none means no head at all."""
        return self.model_dump(exclude_defaults=True)

    def idle(self) -> dict[str, str]:
        """Return the keys that the others leave without effect, and what they would need."""
        chosen = self.chosen()
        needs = {} if self.pool == "gem" else {"gem_p": "pool: gem"}
        if self.classifier in (None, "linear"):
            needs |= dict.fromkeys(("scale", "margin"), "classifier: arcface, cosface or circle")
        return {key: need for key, need in needs.items() if key in chosen}


class ModelOptions(OpenOptions):
    """The network; further keys are the options of the model that ``name`` names."""

    section: ClassVar[str] = "model"

    name: str = "resnet50"
    pretrained: bool = True
    load_weights: str = ""
    resume: str = ""
    head: HeadOptions = HeadOptions()
