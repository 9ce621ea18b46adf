"""Put a head onto a network: check that it can take one, build the layers, fill its slot."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from reidcore.config.components import HEAD_KINDS
from reidcore.config.layers import Layer
from reidcore.config.options import HeadOptions
from reidcore.config.problems import from_validation, refuse
from reidcore.config.validate import check_head
from reidcore.errors import ConfigError
from reidcore.models.head.slot import Head, NonLocalBlock, batch_norm_neck, linear_classifier
from reidcore.models.head.stride import keep_last_size
from reidcore.models.layers import unwrap
from reidcore.models.reid_model import ReidModel, usual_size
from reidcore.registry import Component, choose, find
from reidcore.registry.signature import spellings, takes_anything

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)


def attach_head(
    model: nn.Module,
    head: Mapping[str, Any],
    num_classes: int,
    image_size: tuple[int, int] | None = None,
    plugins: Plugins | None = None,
) -> nn.Module:
    """Give a network a head, in place, and return it.

    It is run once or twice on an empty image, to see what it gives. Its own layers keep their
    names; the layers that a pooling of the head leaves without use are taken out.

    Args:
        model: a ``ReidModel`` that describes an image by one vector.
        head: the keys of the configuration's section ``model.head``; where all have their defaults
            the network is left alone.
        num_classes: number of training identities (C).
        image_size: height and width of the images; by default the network's own size, or 256x128.
        plugins: where poolings and classifiers are looked up; by default the current plugins.

    Raises:
        ConfigError: if a key or a value is wrong, or the network cannot have such a head.
    """
    options = read_head(head, plugins)
    if not options.chosen():
        return model
    network = _headless(model)
    size = network.fixed_size or image_size or usual_size(network)
    images = torch.zeros(1, 3, *size, device=next(network.parameters()).device)
    with _evaluating(network):
        _check_single(network, images)
        if options.last_stride == 1:
            names = keep_last_size(network, images)
            _log.info("Last stride 1: %s", ", ".join(names))
        _fill(network, options, images, num_classes, plugins)
        if options.non_local:
            _check_reached(network.eval(), images)
    return network


def read_head(head: Mapping[str, Any], plugins: Plugins | None = None) -> HeadOptions:
    """Return the section ``model.head``, checked.

    Args:
        head: its keys.
        plugins: where poolings and classifiers are looked up; by default the current plugins.

    Raises:
        ConfigError: naming every wrong key or value.
    """
    try:
        options = HeadOptions.model_validate(dict(head))
    except ValidationError as error:
        refuse(from_validation(error, head, HeadOptions, ("model", "head")), Layer())
        raise
    check_head(options, plugins)
    for key in ("metric_features", "test_features"):
        if key in options.chosen() and options.neck is None:
            raise ConfigError(
                f"model.head.{key}={getattr(options, key)} without a neck",
                "Set model.head.neck=bnneck, or leave it out.",
            )
    return options


def _fill(
    network: ReidModel,
    options: HeadOptions,
    images: Tensor,
    num_classes: int,
    plugins: Plugins | None,
) -> None:
    components = _components(options, plugins)
    head = Head(options.metric_features, options.test_features)
    width = _add_layers_on_maps(head, network, options, components.get("poolings"), images)
    if options.embedding is not None:
        head.embedding = _reduction(width, options.embedding)
        width = options.embedding
    head.neck = batch_norm_neck(width) if options.neck == "bnneck" else None
    head.dropout = nn.Dropout(options.dropout) if options.dropout else None
    # Behind a neck without shift the planes between the classes go through zero as well.
    has_bias = options.neck is None
    classifier = _classifier(components.get("classifiers"), width, num_classes, has_bias)
    network.head = head.to(images.device)
    network.classifier = classifier.to(images.device)
    network.feature_dim = width


def _add_layers_on_maps(
    head: Head, network: ReidModel, options: HeadOptions, pooling: Component | None, images: Tensor
) -> int:
    """Add the non-local block and the pooling; return the dimensions of the features so far."""
    if options.non_local:
        head.non_local = NonLocalBlock(_maps(network, images).shape[1])
    if pooling is None:
        return int(network.describe(images).shape[1])
    maps = _maps(network, images)
    made = pooling.make(channels=maps.shape[1])
    if not isinstance(made, nn.Module):
        raise pooling.entry.defect(made, "a torch.nn.Module")
    head.pool = made.to(images.device)
    _take_out(network, _idle_layers(network, images))
    pooled: Tensor = head.pool(maps)
    if not isinstance(pooled, Tensor):
        raise pooling.entry.defect(pooled, "vectors (B, D)", "forward")
    if pooled.dim() != 2:
        raise ConfigError(
            f"model.head.pool: {options.pool!r} makes {tuple(pooled.shape)} of maps "
            f"{tuple(maps.shape)}, not one vector each",
            "A pooling returns (B, D).",
        )
    return pooled.shape[1]


def _classifier(
    component: Component | None, width: int, num_classes: int, has_bias: bool
) -> nn.Module:
    if component is None:
        return linear_classifier(width, num_classes, has_bias)
    made = component.make(feature_dim=width, num_classes=num_classes, bias=has_bias)
    if not isinstance(made, nn.Module):
        raise component.entry.defect(made, "a torch.nn.Module")
    return made


def _components(options: HeadOptions, plugins: Plugins | None) -> dict[str, Component]:
    """Return the chosen pooling and classifier by kind, each with the keys that it takes."""
    found = {
        kind: find(kind, name, plugins)
        for kind, key in HEAD_KINDS.items()
        if (name := getattr(options, key)) is not None
    }
    further = options.model_extra or {}
    claimed = {key for entry in found.values() for key in spellings(entry)}
    unclaimed = further.keys() - claimed  # for one that takes any key
    components = {}
    for kind, entry in found.items():
        keys = {*spellings(entry), *(unclaimed if takes_anything(entry) else ())}
        given = {key: value for key, value in further.items() if key in keys}
        components[kind] = choose(kind, entry.qualified_name, given, plugins)
    return components


def _reduction(width: int, feature_dim: int) -> nn.Linear:
    reduction = nn.Linear(width, feature_dim)
    nn.init.kaiming_normal_(reduction.weight, mode="fan_out")
    nn.init.zeros_(reduction.bias)
    return reduction


def _idle_layers(network: ReidModel, images: Tensor) -> list[str]:
    """Return the outermost layers with weights that the maps do not depend on."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    # Layers for further columns, such as an embedding of cameras, are in use as well.
    columns = {name: torch.zeros(1, dtype=torch.int64).to(images.device) for name in network.inputs}
    with torch.enable_grad():
        total = network.last_maps(images, **columns).sum()
        slopes = torch.autograd.grad(total, weights, allow_unused=True)
    used = {id(weight) for weight, slope in zip(weights, slopes, strict=True) if slope is not None}
    idle: list[str] = []
    for name, layer in network.named_modules():
        own = list(layer.parameters())
        trainable = all(weight.requires_grad for weight in own)
        is_inside = any(name.startswith(f"{outer}.") for outer in idle)
        if name and own and trainable and not is_inside and used.isdisjoint(map(id, own)):
            idle.append(name)
    return [name for name in idle if name != "classifier"]


def _take_out(network: nn.Module, names: list[str]) -> None:
    if names:
        _log.info("The head takes the place of %s", ", ".join(names))
    for name in names:
        network.set_submodule(name, nn.Identity())


def _headless(model: nn.Module) -> ReidModel:
    kind = type(unwrap(model)).__name__
    if not isinstance(model, ReidModel):
        raise ConfigError(
            f"model.head: {kind} is no ReidModel, so that its parts are not known",
            "Let it subclass reidcore.models.ReidModel, or leave the head out.",
        )
    if model.head is not None:
        raise ConfigError(
            f"model.head: {kind} has a part named 'head' itself",
            "Give it another name, or leave the head out.",
        )
    return model


def _check_single(network: ReidModel, images: Tensor) -> None:
    """Refuse a network whose losses see several vectors for an image."""
    seen = network(images, outputs="all")
    described = network.describe(images)
    for value in (seen.logits, seen.features, described):
        if not (isinstance(value, Tensor) and value.dim() == 2):
            raise ConfigError(
                f"model.head: {type(network).__name__} describes an image by several vectors, of "
                "parts or branches, and a head takes one",
                "Leave the head out, or choose a model without parts and a neck of its own.",
            )


def _maps(network: ReidModel, images: Tensor) -> Tensor:
    try:
        return network.featuremaps(images)
    except NotImplementedError as error:
        raise ConfigError(
            f"model.head: {type(network).__name__} has no feature maps to pool",
            "Leave model.head.pool and model.head.non_local out.",
        ) from error


def _check_reached(network: nn.Module, images: Tensor) -> None:
    """Refuse a non-local block on maps that the network's own features are not made from."""
    calls: list[None] = []
    block = network.get_submodule("head.non_local")
    handle = block.register_forward_hook(lambda *_: calls.append(None))
    network(images)
    handle.remove()
    if not calls:
        raise ConfigError(
            f"model.head.non_local: {type(network).__name__} makes its features from more than its "
            "last maps",
            "Set model.head.pool as well.",
        )


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Run in evaluation mode and without gradients; layers added meanwhile train afterwards."""
    modes = {layer: layer.training for layer in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for layer in network.modules():
            layer.training = modes.get(layer, True)
