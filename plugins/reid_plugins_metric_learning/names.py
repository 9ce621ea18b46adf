"""PML's losses by name: built from a section of options, and refused where parts do not fit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pytorch_metric_learning.losses import CrossBatchMemory
from reid_plugins_engines.losses import over_branches
from torch import Tensor

from reid_plugins_metric_learning.criterion import Memory, MetricLoss
from reid_plugins_metric_learning.fitting import check_fit
from reid_plugins_metric_learning.library import class_of, offered
from reid_plugins_metric_learning.options import (
    SUPPLIED,
    Part,
    construct,
    needs_of,
    option,
    options_of,
    taking,
)
from reidcore.errors import ConfigError

_OWN_OPTIONS = (
    option("miner", "Miner"),
    option("memory_size", "Count | None"),
    option("across_ranks", bool, True),
    option("branch_weights", "BranchWeights | None"),
    option("embedding_size", "Count | None"),
)
"""What every loss takes beside the options of its class."""

_NO_MEMORY = frozenset({"NCALoss"})
"""Losses that take an image, found again in PML's memory, for another one of its identity."""


def members() -> list[str]:
    """Return the names of PML's losses that learn from features and identities."""
    return list(offered("losses"))


def factory_of(name: str) -> Callable[..., Callable[..., Tensor]]:
    """Return what builds the loss of that name; its options are those of PML's class, and ours.

    Raises:
        UnknownNameError: if PML has none; names the nearest ones.
        UserError: if it has, and the loss does not learn from features and identities.
    """
    made = class_of("losses", name)

    def build(
        num_classes: int, feature_dim: int | None = None, **options: Any
    ) -> Callable[..., Tensor]:
        feature_dim = options.pop("embedding_size", None) or feature_dim
        _check_options(name, made, feature_dim, options)
        branches = options.pop("branch_weights", None)
        if branches is None and options.get("memory_size") is not None:
            branches = [1.0]  # a memory holds the features of one branch: several are refused
        check_fit(name, options, partial(_build, name, made))
        criterion = _build(name, made, options, num_classes, feature_dim)
        return over_branches(criterion, branches, f"pml/{name}")

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    given = (
        inspect.Parameter("num_classes", kind),
        inspect.Parameter("feature_dim", kind, default=None),
    )
    factory = taking(build, [*given, *options_of(made), *_OWN_OPTIONS])
    factory.__doc__ = inspect.cleandoc(made.__doc__ or f"pytorch-metric-learning's {name}.")
    return factory


def _build(
    name: str,
    made: Any,
    options: Mapping[str, Any],
    num_classes: int,
    feature_dim: int | None,
) -> MetricLoss:
    """Make the criterion; nothing is checked."""
    own = dict(options)
    written, memory_size = own.pop("miner", None), own.pop("memory_size", None)
    across_ranks = own.pop("across_ranks", True)
    supplied = {"num_classes": num_classes, "feature_dim": feature_dim}
    loss = construct(made, own, **supplied)
    miner = Part.read("miners", written).build(**supplied) if written is not None else None
    if memory_size is not None:
        loss, miner = Memory(loss, feature_dim, memory_size, miner), None
    depends = memory_size is not None or "feature_dim" in _known_by(made)
    return MetricLoss(
        f"pml/{name}",
        loss,
        miner,
        feature_dim=feature_dim if depends else None,
        across_ranks=across_ranks,
    )


def _known_by(made: Any) -> set[str]:
    """Return what a class asks of the run, by the core's names."""
    return {SUPPLIED[name] for name in needs_of(made)}


def _check_options(
    name: str, made: Any, feature_dim: int | None, options: Mapping[str, Any]
) -> None:
    """Refuse what is wrong of the options whatever PML says of them.

    Raises:
        ConfigError: if there is no number of features to make the loss for, or no memory for it.
    """
    has_memory = options.get("memory_size") is not None
    if feature_dim is None and (has_memory or "feature_dim" in _known_by(made)):
        raise ConfigError(
            f"the loss 'pml/{name}' needs to know how many features the model gives",
            "Give the model an attribute feature_dim, or leave the loss out.",
        )
    fitting = [each for each in CrossBatchMemory.supported_losses() if each not in _NO_MEMORY]
    if has_memory and name not in fitting:
        raise ConfigError(
            f"loss.pml/{name}.memory_size: pytorch-metric-learning's memory does not serve this "
            "loss",
            f"Leave it out, or choose one of {', '.join(fitting)}.",
        )
    if has_memory and sum(weight > 0 for weight in options.get("branch_weights") or ()) > 1:
        raise ConfigError(
            f"loss.pml/{name}.branch_weights has several branches, and a memory holds the features "
            "of one",
            "Give all branches but one the weight 0, or leave memory_size out.",
        )
    carries = has_memory or name == "DynamicSoftMarginLoss"
    if carries and not options.get("across_ranks", True):
        raise ConfigError(
            f"loss.pml/{name}.across_ranks is false, and what the loss carries from step to step "
            "would differ between processes, of which a checkpoint keeps one",
            "Leave across_ranks out.",
        )
