"""What pytorch-metric-learning (PML) offers to a run, by kind, and what it offers to others."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytorch_metric_learning
from pytorch_metric_learning import distances, losses, miners, reducers, regularizers

from reid_plugins_metric_learning.mended import MENDED
from reidcore.errors import UnknownNameError, UserError, did_you_mean
from reidcore.registry import singular

_MODULES: Mapping[str, ModuleType] = {
    "losses": losses,
    "miners": miners,
    "distances": distances,
    "reducers": reducers,
    "regularizers": regularizers,
}

_REFUSED: Mapping[str, Mapping[str, str]] = {
    "losses": {
        "CrossBatchMemory": "it is the option memory_size of the losses that it goes with",
        "InstanceLoss": "given identities, it takes their numbers for those of images in the "
        "batch; the loss 'instance' is that of the paper",
        "ManifoldLoss": "it learns without identities",
        "MultipleLosses": "loss.terms weighs several losses",
        "SelfSupervisedLoss": "it learns from two views of each image, without identities",
        "VICRegLoss": "it learns from two views of each image, without identities",
    },
    "miners": {
        "EmbeddingsAlreadyPackagedAsTriplets": "no sampler gives batches of such triplets",
    },
    "distances": {
        "BatchedDistance": "it is for tests, and gives its matrix in parts",
    },
    "reducers": {
        "ClassWeightedReducer": "it needs a weight for each identity",
        "DoNothingReducer": "it gives no scalar to learn from",
        "MultipleReducers": "a reducer given to a loss serves all its parts",
    },
    "regularizers": {},
}
"""Kind -> what does not fit into a run by name, and why."""

_MADE_TO_DERIVE = ("Base", "Generic")
_MIXED_IN = "Mixin"


def offered(kind: str) -> dict[str, Any]:
    """Return the classes of a kind that a run can use, by name."""
    found = _classes(kind)
    return {name: MENDED.get(name, found[name]) for name in sorted(found.keys() - _REFUSED[kind])}


def class_of(kind: str, name: str) -> Any:
    """Return a class by its name.

    Args:
        kind: ``losses``, ``miners``, ``distances``, ``reducers`` or ``regularizers``.
        name: of the class, as PML spells it.

    Raises:
        UnknownNameError: if there is none; names the nearest ones.
        UserError: if there is, and a run has no use for it.
    """
    if name in _REFUSED[kind] and name in _classes(kind):
        raise UserError(
            f"pytorch-metric-learning's {name} cannot be used by name: {_REFUSED[kind][name]}",
            _list_of(kind),
        )
    if name not in (found := offered(kind)):
        raise UnknownNameError(
            f"pytorch-metric-learning {pytorch_metric_learning.__version__} has no "
            f"{singular(kind)} named {name!r}",
            f"{did_you_mean(name, found)} {_list_of(kind)}".lstrip(),
        )
    return found[name]


def _classes(kind: str) -> dict[str, Any]:
    return {
        name: each
        for name, each in vars(_MODULES[kind]).items()
        if inspect.isclass(each)
        and not name.startswith(_MADE_TO_DERIVE)
        and not name.endswith(_MIXED_IN)
    }


def _list_of(kind: str) -> str:
    """Return where the names of a kind are told."""
    if kind == "losses":
        return "See: reidcore ls losses pml/"
    return f"Its {kind} are: {', '.join(offered(kind))}."
