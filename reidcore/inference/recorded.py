"""What a checkpoint of ours says about its model, beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reidcore.config import Config, model_arguments
from reidcore.files import PathLike
from reidcore.serialization import OWN_KEY, load_safely

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


@dataclass(frozen=True)
class Recorded:
    """The record of a training, as far as there is one.

    Attributes:
        config: the configuration; empty if the engine was built by hand.
        preprocessing: ``height``, ``width``, ``norm_mean`` and ``norm_std`` of its images; empty
            in a checkpoint that is not ours.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        """The model's name; empty if it was not recorded."""
        return str(self.config.get("model", {}).get("name", ""))

    def model_options(self, plugins: Plugins | None = None) -> dict[str, Any]:
        """Return the arguments of ``build_model`` with which the model was built."""
        if not self.model_name:
            return {}
        data = self.config.get("data", {})
        size = {key: data[key] for key in ("height", "width") if key in data}
        config = Config.model_validate({"model": self.config["model"], "data": size})
        return model_arguments(config, plugins)


def read_record(checkpoint: PathLike) -> Recorded:
    """Read what a checkpoint says.

    Raises:
        CheckpointError: if the file is missing, damaged or refused.
    """
    held = load_safely(checkpoint)
    own = held.get(OWN_KEY) if isinstance(held, Mapping) else None
    if not isinstance(own, Mapping):
        return Recorded()
    return Recorded(own.get("config") or {}, own.get("preprocessing") or {})
