"""timm's published weights: whether there are any, and what to say when they cannot be had."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import huggingface_hub
import timm
import torch

from reidcore.errors import UserError
from reidcore.models import WeightsStore

_log = logging.getLogger(f"reidcore.{__name__}")

_IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


@contextmanager
def loading_weights(name: str) -> Iterator[None]:
    """Let timm load weights, from its caches alone if downloads are switched off.

    Raises:
        UserError: if there are none, or they cannot be downloaded; names the ways out.
    """
    if not timm.is_model_pretrained(name):
        raise UserError(
            f"timm has no pretrained weights for {name!r}",
            "Use pretrained=False (in a config: model.pretrained=false), or a name with weights: "
            "reidcore ls models timm/",
        )
    offline = WeightsStore().offline
    try:
        with _hub_offline() if offline else _as_it_is():
            if offline:
                _refuse_download(name)
            yield
    except (TypeError, AssertionError, UserError):  # of the network, not of its weights
        raise
    except Exception as error:
        raise _no_weights(name, str(error).strip() or type(error).__name__) from error
    _log_normalisation(name)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _hub_offline() -> Iterator[None]:
    constants: Any = huggingface_hub.constants
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _refuse_download(name: str) -> None:
    """Refuse weights that timm would fetch from elsewhere than the hub."""
    published: Any = timm.get_pretrained_cfg(name)
    if published.hf_hub_id or not published.url:
        return
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(published.url).path).name
    if not file.is_file():
        raise _no_weights(name, "downloads are switched off")


def _no_weights(name: str, reason: str) -> UserError:
    return UserError(
        f"the pretrained weights of 'timm/{name}' could not be loaded ({reason.splitlines()[0]})",
        "Use pretrained=False (in a config: model.pretrained=false) to start from random weights "
        "or from model.load_weights=FILE; or fetch them where there is a network and copy the "
        "folder ~/.cache/huggingface here ($HF_HOME names another place).",
    )


def _log_normalisation(name: str) -> None:
    published: Any = timm.get_pretrained_cfg(name)
    trained = (list(published.mean), list(published.std))
    if trained != _IMAGENET:
        _log.info(
            "timm/%s was trained on pixels of mean %s and deviation %s: set data.norm_mean and "
            "data.norm_std",
            name,
            *trained,
        )
