"""timm's names: ``resnet50``, or with the tag of published weights, ``resnet50.a1_in1k``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import timm

from reid_plugins_timm.building import build_backbone
from reidcore.errors import UnknownNameError, did_you_mean
from reidcore.models import ReidModel


def members() -> list[str]:
    """Return the names of timm's architectures, alone and with each tag of published weights."""
    return sorted({*timm.list_models(), *timm.list_pretrained()})


def factory_of(name: str) -> Callable[..., ReidModel]:
    """Return what builds the model of that name.

    Raises:
        UnknownNameError: if timm has none; names the nearest ones.
    """
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture) or (tag and name not in timm.list_pretrained()):
        near = did_you_mean(name, members())
        raise UnknownNameError(
            f"timm {timm.__version__} has no model named {name!r}",
            f"{near} See: reidcore ls models timm/".strip(),
        )
    factory = partial(build_backbone, name)
    factory.__doc__ = build_backbone.__doc__
    return factory
