"""Every class of PML is offered by name, or refused with the reason."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest
from pytorch_metric_learning import distances, losses, miners, reducers, regularizers
from reid_plugins_metric_learning.library import class_of, offered
from reid_plugins_metric_learning.mended import MENDED
from reid_plugins_metric_learning.names import factory_of, members

from reidcore.errors import UnknownNameError, UserError

MODULES = {
    "losses": losses,
    "miners": miners,
    "distances": distances,
    "reducers": reducers,
    "regularizers": regularizers,
}
REASONS = {
    "CrossBatchMemory": "memory_size",
    "InstanceLoss": "'instance'",
    "ManifoldLoss": "without identities",
    "MultipleLosses": "loss.terms",
    "SelfSupervisedLoss": "two views",
    "VICRegLoss": "two views",
    "EmbeddingsAlreadyPackagedAsTriplets": "no sampler",
    "BatchedDistance": "in parts",
    "ClassWeightedReducer": "a weight for each identity",
    "DoNothingReducer": "no scalar",
    "MultipleReducers": "all its parts",
}


def concrete(module: ModuleType) -> set[str]:
    """The classes of a module of PML that are no bases: those that have a name of their own."""
    names = {name for name, each in vars(module).items() if isinstance(each, type)}
    return {name for name in names if not name.startswith(("Base", "Generic"))} - {
        "EmbeddingRegularizerMixin",
        "WeightRegularizerMixin",
    }


@pytest.mark.parametrize("kind", MODULES)
def test_each_class_is_offered_or_refused(kind: str) -> None:
    names, refused = set(offered(kind)), set()
    for name in concrete(MODULES[kind]) - names:
        with pytest.raises(UserError, match=f"{name} cannot be used by name.*{REASONS[name]}"):
            class_of(kind, name)
        refused.add(name)
    assert names | refused == concrete(MODULES[kind])
    assert not names & set(REASONS)


def test_a_mended_class_stands_under_the_name_of_pmls_own() -> None:
    for name, made in MENDED.items():
        assert class_of("losses", name) is made
        assert made.__mro__[1] is getattr(losses, name)


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("losses", "ArcFace", "'ArcFaceLoss'"),
        ("losses", "BaseMetricLossFunction", "See: reidcore ls losses pml/"),
        ("miners", "MultiSimilarityMine", "'MultiSimilarityMiner'"),
        ("distances", "Cosine", "'CosineSimilarity'"),
        ("reducers", "Mean", "'MeanReducer'"),
        ("regularizers", "Lp", "Its regularizers are: .*LpRegularizer"),
    ],
)
def test_a_name_that_there_is_not_is_told_with_near_ones(kind: str, name: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no \\w+ named '{name}'.*{near}"):
        class_of(kind, name)


def test_the_family_lists_the_losses_that_can_be_made() -> None:
    assert len(members()) >= 30
    assert {"SmoothAPLoss", "FastAPLoss", "ProxyAnchorLoss", "SubCenterArcFaceLoss"} < set(
        members()
    )
    with pytest.raises(UserError, match="VICRegLoss"):
        factory_of("VICRegLoss")


def test_without_the_library_the_extra_is_named() -> None:
    script = (
        "import sys; sys.modules['pytorch_metric_learning'] = None\n"
        "from reidcore.cli import main\n"
        "sys.exit(main(['show', 'loss', 'pml/ArcFaceLoss']))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert shown.returncode == 2
    assert 'pip install "reidcore[metric-learning]"' in shown.stdout + shown.stderr
