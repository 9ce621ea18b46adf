"""A foreign checkpoint as one of ours: its weights in the network, and what ours record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from reid_plugins_migrate.checkpoints import fastreid_form
from reid_plugins_migrate.checkpoints.architectures import (
    Candidate,
    candidates_of_fastreid,
    candidates_of_torchreid,
)
from reid_plugins_migrate.checkpoints.reading import ForeignCheckpoint
from reidcore.errors import CheckpointError
from reidcore.models import build_model, load_pretrained_weights, save_weights, usual_size
from reidcore.utils import atomic_write

if TYPE_CHECKING:
    from torch import nn

    from reidcore.plugins import Plugins

_OF_IMAGES = ("height", "width", "norm_mean", "norm_std", "resize", "reading")
_OF_TESTS = ("dist_metric", "normalize_feature")
_NOT_OPTIONS = ("name", "head", "pretrained", "load_weights", "resume")


@dataclass(frozen=True)
class Converted:
    """A network with a foreign file's weights, and what is recorded beside them.

    Attributes:
        model: the network.
        name: its name.
        record: what ours keep under ``reidcore``.
        loaded: how many entries the file filled.
        unmatched: entries of the file that the network does not have, with why.
        untouched: entries of the network that the file does not have.
        remarks: what could not be told from the file, and was assumed.
    """

    model: nn.Module
    name: str
    record: Mapping[str, Any]
    loaded: int
    unmatched: Mapping[str, str]
    untouched: list[str]
    remarks: list[str] = field(default_factory=list)


def convert(
    foreign: ForeignCheckpoint,
    plugins: Plugins,
    name: str = "",
    config: Mapping[str, Any] | None = None,
) -> Converted:
    """Build the network of a foreign file, and bring its weights into it.

    Args:
        foreign: the file.
        plugins: who brings models.
        name: the network; told by names and shapes if empty.
        config: a configuration of ours, which then says what the network and its images were.

    Raises:
        CheckpointError: if no model, or several, have entries of these names and shapes.
    """
    remarks: list[str] = []
    section = dict((config or {}).get("model") or {})
    if not section:
        section = _section(foreign, name, plugins, remarks)
    section["name"] = name or section["name"]
    head, options = section.get("head") or {}, _without(section, _NOT_OPTIONS)
    model = build_model(
        section["name"],
        foreign.num_classes,
        pretrained=False,
        plugins=plugins,
        head=head,
        **options,
    )
    report = load_pretrained_weights(model, foreign.path, plugins, features_only=True)
    record = {
        "epoch": foreign.epoch,
        "model": {
            "name": section["name"],
            "num_classes": foreign.num_classes,
            "loss": "softmax",
            "options": options,
            "head": head,
            "image_size": None,
        },
        "preprocessing": _images(foreign, model, (config or {}).get("data") or {}, remarks),
        "test": _test(foreign, (config or {}).get("test") or {}),
    }
    unmatched = {
        key: fastreid_form.why_left_out(key) or report.reasons[key]
        for key in report.discarded
        if not fastreid_form.changes_nothing(key, foreign.tensors)
    }
    untouched = [key for key in report.untouched if not key.endswith("num_batches_tracked")]
    loaded = len(report.loaded)
    return Converted(model, section["name"], record, loaded, unmatched, untouched, remarks)


def write(converted: Converted, foreign: ForeignCheckpoint, path: Path) -> None:
    """Write a checkpoint of ours, whole or not at all.

    Args:
        converted: what is written.
        foreign: where it is from; its epoch and rank-1 are kept.
        path: the file; safetensors if it ends so.

    Raises:
        UserError: if it cannot be written.
    """
    if path.suffix == ".safetensors":
        save_weights(converted.model, path, {k: converted.record[k] for k in _WITHOUT_MODEL})
        return
    state = {
        "state_dict": converted.model.state_dict(),
        "epoch": foreign.epoch,
        "rank1": foreign.rank1,
        "reidcore": dict(converted.record),
    }
    with atomic_write(path) as file:
        torch.save(state, file)


_WITHOUT_MODEL = ("epoch", "preprocessing", "test")


def _section(
    foreign: ForeignCheckpoint, name: str, plugins: Plugins, remarks: list[str]
) -> dict[str, Any]:
    """Return a section ``model`` by what the file's weights look like."""
    if foreign.framework == "Torchreid":
        return {"name": name or _named_by_shapes(foreign, plugins)}
    if fastreid_form.is_mgn(foreign.tensors):
        has_ibn = any(".bn1.IN." in key for key in foreign.tensors)
        backbone = name or ("resnet50_ibn_a" if has_ibn else "resnet50")
        section = fastreid_form.form_of(foreign.tensors, backbone)
    else:
        found = candidates_of_fastreid(foreign.tensors, plugins)
        backbone = name or _only(found, foreign)
        section = fastreid_form.form_of(foreign.tensors, backbone)
    if fastreid_form.has_pool_of_unknown_kind(foreign.tensors):
        remarks.append(
            "the pooling has no parameters, so average is assumed; --config FILE.yml tells"
        )
    if (section.get("head") or {}).get("last_stride") == 1:
        remarks.append(
            "no weight tells the stride of the last stage, so 1 is assumed, as in FastReID's "
            "recipes; --config FILE.yml tells"
        )
    return section


def _named_by_shapes(foreign: ForeignCheckpoint, plugins: Plugins) -> str:
    found = candidates_of_torchreid(
        foreign.tensors, foreign.num_classes, foreign.path.name.lower(), plugins
    )
    return _only(found, foreign)


def _only(near: list[Candidate], foreign: ForeignCheckpoint) -> str:
    """Return the one model that fits, of those that come near.

    Raises:
        CheckpointError: if none does, or several do.
    """
    exact = [each for each in near if each.is_exact]
    if len(exact) == 1:
        return exact[0].name
    if exact:
        names = ", ".join(each.name for each in exact)
        raise CheckpointError(
            f"{str(foreign.path)!r} may be of several models: {names}",
            "Say which: --model NAME.",
        )
    listed = ", ".join(f"{each.name} ({each.of_file:.0%} of the file)" for each in near[:3])
    raise CheckpointError(
        f"no model has entries of the names and shapes in {str(foreign.path)!r}"
        + (f"; the nearest are {listed}" if listed else ""),
        "Name one to bring over what fits: --model NAME. A network of your own is a plugin's.",
    )


def _images(
    foreign: ForeignCheckpoint, model: nn.Module, data: Mapping[str, Any], remarks: list[str]
) -> dict[str, Any]:
    """Return how images became pixels, which a file of FastReID's says in part."""
    height, width = usual_size(model)
    told: dict[str, Any] = {"height": height, "width": width, "interpolation": "bilinear"}
    if foreign.framework == "FastReID":
        told |= {"interpolation": "bicubic", "resize": "pillow_bicubic", "reading": "viewer"}
        told |= fastreid_form.images_of(foreign.tensors)
    else:
        told |= {"resize": "pillow", "reading": "torchreid"}
        told |= {"norm_mean": [0.485, 0.456, 0.406], "norm_std": [0.229, 0.224, 0.225]}
    if not data:
        remarks.append(f"images are taken to be {height}x{width} pixels; --config FILE.yml tells")
    return told | {key: data[key] for key in _OF_IMAGES if key in data}


def _test(foreign: ForeignCheckpoint, test: Mapping[str, Any]) -> dict[str, Any]:
    metric = "cosine" if foreign.framework == "FastReID" else "euclidean"
    told = {"dist_metric": metric, "normalize_feature": False}
    return told | {key: test[key] for key in _OF_TESTS if key in test}


def _without(section: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in keys}
