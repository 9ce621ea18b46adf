"""Models by name: every one comes from a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from reidcore._logging import show
from reidcore.config import Config, model_arguments
from reidcore.errors import ConfigError, counted
from reidcore.models.adapter import adapted
from reidcore.models.build_args import remember_build_args, remember_origin
from reidcore.models.head.build import attach_head, read_head
from reidcore.models.weights.load import load_pretrained_weights
from reidcore.models.weights.untrained import remember_as_built
from reidcore.plugins import Plugins, current_plugins
from reidcore.registry import choose, entries


def build_model(
    name: str,
    num_classes: int,
    loss: str = "softmax",
    pretrained: bool = True,
    use_gpu: bool = True,
    plugins: Plugins | None = None,
    *,
    image_size: tuple[int, int] | None = None,
    num_cameras: int | None = None,
    num_views: int | None = None,
    head: Mapping[str, Any] | None = None,
    **section: Any,
) -> nn.Module:
    """Build a model that a plugin registered.

    Args:
        name: its name, or ``plugin/name``.
        num_classes: number of training identities (C).
        loss: ``"softmax"`` or ``"triplet"``: what a bare call returns in training mode.
        pretrained: start from published weights, if the model has any.
        use_gpu: handed on to the few models that ask for it; moves nothing.
        plugins: where to look; by default the current plugins.
        image_size: height and width of the images; handed on to models that ask for it.
        num_cameras: number of cameras in the training images; likewise.
        num_views: number of views (the values of their column ``view``); likewise.
        head: the keys of the configuration's section ``model.head``, such as
            ``{"pool": "gem", "neck": "bnneck"}``; by default the model is left as it is.
        **section: further options of that model.

    Returns:
        The model, on the CPU and in training mode, under the contract of ``ReidModel``: what the
        plugin's factory made, inside an ``Adapter`` if that is no ``ReidModel``.

    Raises:
        UnknownNameError: if no plugin has such a model, or the model no such option.
        ConfigError: if an option that it needs is missing, ``num_classes`` is less than 1, or the
            model cannot have such a head.
        PluginDefectError: if its plugin cannot be loaded, or gives something else than a module.
    """
    if num_classes < 1:
        raise ConfigError(
            f"a model cannot tell {counted(num_classes, 'identity', 'identities')} apart",
            "num_classes counts the training identities: expected 1 or more.",
        )
    chosen = read_head(head or {}, plugins).chosen()
    component = choose("models", name, section, plugins)
    known = {
        "image_size": None if image_size is None else tuple(image_size),
        "num_cameras": num_cameras,
        "num_views": num_views,
    }
    given = {key: value for key, value in known.items() if value is not None}
    with (plugins or current_plugins()).acting():  # the factory's weights are looked up there too
        built = component.make(
            num_classes=num_classes, loss=loss, pretrained=pretrained, use_gpu=use_gpu, **given
        )
        if not isinstance(built, nn.Module):
            raise component.entry.defect(built, "a torch.nn.Module")
        network = attach_head(adapted(built, loss), chosen, num_classes, image_size, plugins)
    arguments = {"name": name, "num_classes": num_classes, "loss": loss, "options": section}
    remember_origin(network, component.entry.origin)
    remember_build_args(network, {**arguments, "head": chosen, "image_size": image_size} | given)
    remember_as_built(network, pretrained)
    return network


def build_configured_model(
    config: Config,
    num_classes: int,
    num_cameras: int | None,
    num_views: int | None,
    plugins: Plugins,
) -> nn.Module:
    """Build the model and load the weights that the configuration names."""
    section, loss = config.model, config.loss.name
    brings_weights = bool(section.load_weights or section.resume)
    model = build_model(
        section.name,
        num_classes,
        loss=loss if loss in ("softmax", "triplet") else "softmax",  # of a bare call in training
        pretrained=section.pretrained and not brings_weights,
        use_gpu=config.use_gpu,
        plugins=plugins,
        num_cameras=num_cameras,
        num_views=num_views,
        **model_arguments(config, plugins),
    )
    if section.load_weights and not section.resume:
        only = config.test.evaluate
        load_pretrained_weights(model, section.load_weights, plugins, features_only=only)
    return model


def show_avai_models(plugins: Plugins | None = None) -> list[str]:
    """Print the names of all models and return them."""
    names = [entry.name for entry in entries("models", plugins)]
    show(str(names))
    return names
