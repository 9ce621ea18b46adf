"""The core's keys: Torchreid's tree with Torchreid's defaults, and the keys it grew.

Sections named after components (``adam``, ``market1501``, ``loss.triplet``) are not the core's:
the components' factories declare what may stand there, and ``validate.py`` judges it once the run's
plugins are known.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PrivateAttr

from reidcore.config.layers import Origin, Origins, Path
from reidcore.config.options import (
    DataOptions,
    LossOptions,
    ModelOptions,
    OpenOptions,
    SamplingOptions,
    TestOptions,
    TrainOptions,
    VideoOptions,
)
from reidcore.config.options.base import listed


class Config(OpenOptions):
    """A run's configuration; further keys are the sections of components.

    Attributes:
        plugins: restricts the run to these plugins or distributions; None is all.
        settings: plugins' own settings, by plugin.
        use_gpu: use CUDA or MPS where there is one.
        model, data, sampler, video, train, loss, test: the sections.
    """

    plugins: Annotated[list[str] | None, BeforeValidator(listed)] = None
    settings: dict[str, Any] = {}
    use_gpu: bool = True
    model: ModelOptions = ModelOptions()
    data: DataOptions = DataOptions()
    sampler: SamplingOptions = SamplingOptions()
    video: VideoOptions = VideoOptions()
    train: TrainOptions = TrainOptions()
    loss: LossOptions = LossOptions()
    test: TestOptions = TestOptions()

    _origins: Origins = PrivateAttr(default_factory=dict)

    def origin(self, key: str | Path) -> Origin:
        """Tell where the value of a key came from, which is dotted, or in parts."""
        path = tuple(key.split(".")) if isinstance(key, str) else key
        while path and path not in self._origins:
            path = path[:-1]
        return self._origins.get(path, Origin("default"))

    @property
    def sections(self) -> dict[str, Any]:
        """The sections that are not the core's own, by name."""
        return dict(self.model_extra or {})
