"""Optimizers by name, each a factory ``(groups, lr, weight_decay, **section)``.

They are torch's own. ``fused=True`` takes torch's fused kernels, which are faster on a GPU and
round differently; the default keeps results equal to the unfused ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import torch
from pydantic import Field

from reidcore.errors import ConfigError

Groups = list[dict[str, Any]]
Decay = Annotated[float, Field(ge=0, lt=1)]
"""What a running mean or a momentum keeps of itself in a step; at 1 or more it would grow."""
Tiny = Annotated[float, Field(ge=0, le=1)]
"""What is added to a denominator."""


def adam(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    fused: bool = False,
) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba, 2015) with an L2 penalty."""
    return _built(
        torch.optim.Adam, groups, lr, weight_decay, betas=(beta1, beta2), fused=fused or None
    )


def amsgrad(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    fused: bool = False,
) -> torch.optim.Optimizer:
    """Adam with the largest second moment seen so far (Reddi et al., 2018)."""
    return _built(
        torch.optim.Adam,
        groups,
        lr,
        weight_decay,
        betas=(beta1, beta2),
        amsgrad=True,
        fused=fused or None,
    )


def adamw(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Tiny = 1e-8,
    fused: bool = False,
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""
    return _built(
        torch.optim.AdamW,
        groups,
        lr,
        weight_decay,
        betas=(beta1, beta2),
        eps=eps,
        fused=fused or None,
    )


def nadam(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Tiny = 1e-8,
    decoupled_weight_decay: bool = False,
) -> torch.optim.Optimizer:
    """Adam with Nesterov momentum (Dozat, 2016)."""
    return _built(
        torch.optim.NAdam,
        groups,
        lr,
        weight_decay,
        betas=(beta1, beta2),
        eps=eps,
        decoupled_weight_decay=decoupled_weight_decay,
    )


def adamax(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Tiny = 1e-8,
) -> torch.optim.Optimizer:
    """Adam with the infinity norm of gradients (Kingma and Ba, 2015)."""
    return _built(torch.optim.Adamax, groups, lr, weight_decay, betas=(beta1, beta2), eps=eps)


def adagrad(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    lr_decay: Annotated[float, Field(ge=0)] = 0.0,
    eps: Tiny = 1e-10,
) -> torch.optim.Optimizer:
    """Adagrad (Duchi et al., 2011)."""
    return _built(torch.optim.Adagrad, groups, lr, weight_decay, lr_decay=lr_decay, eps=eps)


def adadelta(
    groups: Groups, lr: float, weight_decay: float, *, rho: Decay = 0.9, eps: Tiny = 1e-6
) -> torch.optim.Optimizer:
    """Adadelta (Zeiler, 2012)."""
    return _built(torch.optim.Adadelta, groups, lr, weight_decay, rho=rho, eps=eps)


def radam(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
) -> torch.optim.Optimizer:
    """Rectified Adam (Liu et al., 2020) with decoupled weight decay, as its authors wrote it."""
    return _built(
        torch.optim.RAdam,
        groups,
        lr,
        weight_decay,
        betas=(beta1, beta2),
        decoupled_weight_decay=True,
    )


def sgd(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    momentum: Decay = 0.9,
    dampening: Annotated[float, Field(ge=0, le=1, json_schema_extra={"needs": "momentum"})] = 0.0,
    nesterov: bool = False,
    fused: bool = False,
) -> torch.optim.Optimizer:
    """Stochastic gradient descent with momentum."""
    return _built(
        torch.optim.SGD,
        groups,
        lr,
        weight_decay,
        momentum=momentum,
        dampening=dampening,
        nesterov=nesterov,
        fused=fused or None,
    )


def rmsprop(
    groups: Groups,
    lr: float,
    weight_decay: float,
    *,
    momentum: Decay = 0.9,
    alpha: Decay = 0.99,
) -> torch.optim.Optimizer:
    """RMSprop (Tieleman and Hinton, 2012) with momentum."""
    return _built(torch.optim.RMSprop, groups, lr, weight_decay, momentum=momentum, alpha=alpha)


def _built(
    optimizer: Callable[..., torch.optim.Optimizer],
    groups: Groups,
    lr: float,
    weight_decay: float,
    **settings: Any,
) -> torch.optim.Optimizer:
    try:
        return optimizer(groups, lr=lr, weight_decay=weight_decay, **settings)
    except ValueError as error:  # torch's own check of the settings' ranges
        raise ConfigError(f"the optimizer refuses its settings: {error}") from error
