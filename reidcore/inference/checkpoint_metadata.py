"""What a checkpoint that reidcore wrote records beside the weights."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reidcore._files import PathLike
from reidcore._serialization import load_safely
from reidcore.config import Config, HeadOptions, model_arguments
from reidcore.models.weights.record import record_of
from reidcore.plugins.discovery import looks_like_path
from reidcore.registry.named import registered_kind

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


@dataclass(frozen=True)
class CheckpointMetadata:
    """What a checkpoint records of its training; empty where it records nothing.

    Attributes:
        config: the configuration; empty if the engine was built by hand.
        preprocessing: ``height``, ``width``, ``norm_mean``, ``norm_std``, ``interpolation``,
            ``resize``, ``reading`` of its images and, where they are set, ``value_range`` and
            ``letterbox``; empty in a checkpoint that is not ours.
        model: the arguments of ``build_model`` with which the model was built, and its
            ``feature_dim``; empty if something else built it.
        test: ``dist_metric`` and ``normalize_feature``, by which it was tested.
        hooks: what plugins kept, by their names.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    hooks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        """The model's name; empty if it was not recorded."""
        return str(self.model.get("name") or self.config.get("model", {}).get("name", ""))

    def model_options(self, plugins: Plugins | None = None) -> dict[str, Any]:
        """Return the arguments of ``build_model`` that decide the network's form."""
        if self.model:
            size = self.model.get("image_size")
            counts = ("num_cameras", "num_views")
            return {
                **self.model.get("options", {}),
                **{key: self.model[key] for key in counts if key in self.model},
                "head": self.model.get("head") or {},
                "image_size": tuple(size) if size else None,
            }
        if not self.model_name:
            return {}
        data = self.config.get("data", {})
        size = {key: data[key] for key in ("height", "width") if key in data}
        config = Config.model_validate({"model": self.config["model"], "data": size})
        return model_arguments(config, plugins)

    def configuration(self) -> dict[str, Any]:
        """Return a configuration, nested and in plain values, that tests the model as it was.

        What concerns training alone is left out, so that its plugins need not be installed; and so
        are plugin files, since a file of weights chooses no code.
        """
        if self.config:
            kept = {key: self.config[key] for key in _OF_TESTS if key in self.config}
            installed = [name for name in kept.get("plugins") or () if not looks_like_path(name)]
            kept["plugins"] = installed or None
            data, test = {**self._of_images(), **kept.get("data", {})}, kept.get("test", {})
            named = [*_kinds(data), test.get("protocol")]
            named += data.get("transforms", [])
            own = {name: self.config[name] for name in named if name in self.config}
            return {**own, **kept, "data": data}
        head = self.model.get("head") or {}
        model = {"name": self.model_name, **self.model.get("options", {})}
        fill = self.preprocessing.get("letterbox")
        boxed = {"letterbox": {"fill": list(fill)}} if fill is not None else {}
        return {
            "model": {**model, "head": dict(head)} if head else model,
            "data": {**self._of_images(), "transforms": list(boxed)},
            "test": dict(self.test),
            **boxed,
        }

    def of_weights(self, transforms: Sequence[str]) -> dict[str, Any]:
        """Return what of a configuration holds wherever these weights are used.

        That is the model with its head, how images become pixels, and how features are compared.

        Args:
            transforms: the run's; it keeps them, but has a letterbox as the weights' images had.
        """
        config, test = self.config, self.config.get("test", {})
        compared = _only(("dist_metric", "normalize_feature", "rerank"), test)
        kept: dict[str, Any] = {"test": {**compared, **self.test}}
        data = self._of_images()
        if "type" in config.get("data", {}):
            data["type"] = config["data"]["type"]
            kept["video"] = dict(config["video"]) if data["type"] == "video" else {}
        fill = self.preprocessing.get("letterbox")
        if self.preprocessing and (fill is not None) != ("letterbox" in transforms):
            others = [name for name in transforms if name != "letterbox"]
            data["transforms"] = [*([] if fill is None else ["letterbox"]), *others]
        if fill is not None:
            kept["letterbox"] = {"fill": list(fill)}
        if self.model_name:
            kept["model"] = self._model_section()
        return {**kept, "data": data}

    def _of_images(self) -> dict[str, Any]:
        recorded = self.preprocessing or self.config.get("data", {})
        # As Torchreid, whose checkpoints record nothing, resizes and reads images.
        unsaid = {"resize": "pillow", "reading": "torchreid"}
        return {**unsaid, **_only(_OF_IMAGES, recorded)}

    def _model_section(self) -> dict[str, Any]:
        if not self.model:
            own = _OF_A_RUN["model"]
            return {key: value for key, value in self.config["model"].items() if key not in own}
        head = HeadOptions.model_validate(self.model.get("head") or {}).model_dump()
        return {**self.model.get("options", {}), "name": self.model_name, "head": head}

    def of_training(self) -> dict[str, Any]:
        """Return the configuration by which a resumed run goes on, nested and in plain values.

        Left out is what belongs to a run and its machine: where it reads and writes, how many
        processes read, and which weights it started from.
        """
        config = copy.deepcopy(dict(self.config))
        for section, keys in _OF_A_RUN.items():
            for key in keys:
                config.get(section, {}).pop(key, None)
        loss, train = config.get("loss", {}), config.get("train", {})
        in_loss = ("name", "terms", loss.get("name"), *(loss.get("terms") or ()))
        config["loss"] = {key: value for key, value in loss.items() if key in in_loss}
        data, protocol = config.get("data", {}), config.get("test", {}).get("protocol")
        named = [*_kinds(data), *data.get("transforms", ())]
        named += [train.get("optim"), train.get("lr_scheduler"), protocol]
        kept = {*_OF_TESTS, "settings", "sampler", "train", "loss"} - {"plugins", "use_gpu"}
        return {key: value for key, value in config.items() if key in kept or key in named}


_OF_A_RUN = {
    "model": ("load_weights", "resume", "pretrained"),
    "data": ("save_dir", "workers", "cache", "cache_gb"),
    "train": ("start_epoch", "print_freq"),
    "test": ("evaluate",),
}
_OF_TESTS = ("plugins", "use_gpu", "model", "data", "video", "test")
_OF_IMAGES = ("height", "width", "norm_mean", "norm_std", "resize", "reading", "value_range")


def _kinds(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the registered datasets that a run used, by whatever names."""
    for name in (*data.get("sources", ()), *data.get("targets", ())):
        yield registered_kind(data.get("datasets", {}), name)


def _only(keys: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in keys if key in values}


def read_metadata(checkpoint: PathLike) -> CheckpointMetadata:
    """Read what a checkpoint says, or a safetensors file that was made of one.

    Raises:
        CheckpointError: if the file is missing, damaged or refused, or its record is not ours.
    """
    own = record_of(load_safely(checkpoint), checkpoint)
    parts = ("config", "preprocessing", "model", "test", "hooks")
    return CheckpointMetadata(**{key: own.get(key) or {} for key in parts})
