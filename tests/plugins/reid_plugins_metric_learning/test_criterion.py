"""PML's losses as criteria: PML's own numbers, in float32, with a memory that is right."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from pytorch_metric_learning import losses, miners
from pytorch_metric_learning.losses import CrossBatchMemory
from reid_plugins_engines.losses import BranchWeighted
from reid_plugins_metric_learning.criterion import Memory, MetricLoss
from reid_plugins_metric_learning.library import offered
from reid_plugins_metric_learning.names import factory_of
from torch import Tensor

from reidcore.errors import UserError

PIDS = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
SUPPORTED = sorted({*CrossBatchMemory.supported_losses()} - {"NCALoss"})


def features(seed: int = 0, count: int = 8) -> Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(seed))


def remembering(name: str, size: int) -> MetricLoss:
    """A loss with a memory."""
    of_one_branch = factory_of(name)(4, 16, memory_size=size)
    assert isinstance(of_one_branch, BranchWeighted)
    criterion = of_one_branch.criterion
    assert isinstance(criterion, MetricLoss)
    return criterion


@pytest.mark.parametrize("name", ["MultiSimilarityLoss", "FastAPLoss", "SupConLoss"])
def test_it_is_pmls_loss_of_what_pmls_miner_chose(name: str) -> None:
    own, miner = getattr(losses, name)(), miners.MultiSimilarityMiner(epsilon=-0.3)
    expected = own(features(), PIDS, miner(features(), PIDS))
    criterion = factory_of(name)(4, 16, miner={"MultiSimilarityMiner": {"epsilon": -0.3}})
    assert criterion(features(), PIDS).item() == expected.item()
    assert factory_of(name)(4, 16)(features(), PIDS).item() != expected.item()


def test_options_and_parts_reach_pml() -> None:
    distance = {"LpDistance": {"p": 1, "normalize_embeddings": False}}
    found = factory_of("TripletMarginLoss")(
        4, 16, margin=0.7, distance=distance, reducer="SumReducer"
    )(features(), PIDS)
    gaps = torch.cdist(features(), features(), p=1)
    hinges = [
        gaps[a, p] - gaps[a, n] + 0.7
        for a in range(8)
        for p in range(8)
        for n in range(8)
        if a != p and PIDS[a] == PIDS[p] and PIDS[a] != PIDS[n]
    ]
    assert found.item() == pytest.approx(torch.stack(hinges).clamp(min=0).sum().item(), rel=1e-5)


@pytest.mark.parametrize("name", ["ContrastiveLoss", "ArcFaceLoss", "SmoothAPLoss"])
def test_it_is_in_float32_under_mixed_precision(name: str) -> None:
    criterion = factory_of(name)(4, 16)
    assert isinstance(criterion, MetricLoss)
    halved = features().bfloat16()
    expected = criterion(halved.float(), PIDS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = criterion(halved, PIDS)
    assert value.dtype == torch.float32
    assert value.item() == expected.item()
    assert all(each.dtype == torch.float32 for each in criterion.parameters())


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_memory_of_one_batch_is_as_none(name: str) -> None:
    """No image is its own positive, though the memory has it too."""
    criterion = remembering(name, 8)
    for seed in range(2):  # at first the memory is empty, then full of the batch before
        found = criterion(features(seed), PIDS)
        assert found.item() == pytest.approx(
            offered("losses")[name]()(features(seed), PIDS).item(), rel=1e-5
        )


def test_a_memory_holds_the_last_batches_and_goes_on_after_a_copy_of_its_state() -> None:
    criterion = remembering("ContrastiveLoss", 20)
    batches = [features(seed) for seed in range(5)]
    for batch in batches[:3]:  # 24 images: the first 4 are gone
        criterion(batch, PIDS)
    other = remembering("ContrastiveLoss", 20)
    other.load_state_dict(deepcopy(criterion.state_dict()))
    for batch in batches[3:]:
        assert criterion(batch, PIDS).item() == other(batch, PIDS).item()
    held = {tuple(row.tolist()) for row in criterion.loss.embedding_memory}
    assert held == {tuple(row.tolist()) for row in torch.cat(batches)[-20:]}
    assert naive_contrastive(batches[4], torch.cat(batches)[-20:]) == pytest.approx(
        criterion.loss.loss(*mined(criterion.loss, batches[4])).item(), rel=1e-5
    )


def test_a_memory_takes_a_batch_on_the_way_forward_once() -> None:
    """Not on the way back, which comes late, twice or from one process alone."""
    criterion, batches = remembering("ContrastiveLoss", 20), [features(0), features(1)]
    leaves = [batch.requires_grad_() for batch in batches]
    total = torch.stack([criterion(leaf, PIDS) for leaf in leaves]).sum()  # two batches, one step
    held = criterion.loss.embedding_memory.clone()
    total.backward()
    assert torch.equal(criterion.loss.embedding_memory, held)
    assert torch.equal(held[:16], torch.cat(batches).detach())
    assert not held[16:].any()
    assert all(leaf.grad is not None and leaf.grad.any() for leaf in leaves)


def mined(memory: Memory, batch: Tensor) -> tuple[Any, ...]:
    """What PML's loss is given of a batch that the memory took in last."""
    held, labels = memory.embedding_memory, memory.label_memory
    chosen = memory.create_indices_tuple(batch, PIDS, held, labels, None, True)
    return batch, PIDS, chosen, held, labels


def naive_contrastive(batch: Tensor, held: Tensor) -> float:
    """The contrastive loss of 8 images with 20, of which they are the last."""
    own, others = (torch.nn.functional.normalize(each) for each in (batch, held))
    labels = PIDS.repeat(3)[-20:]
    near: list[Tensor] = []
    far: list[Tensor] = []
    for image in range(8):
        for place in range(20):
            gap = (own[image] - others[place]).norm()
            if place - 12 == image:
                continue
            (near if labels[place] == PIDS[image] else far).append(gap)
    wide = [gap for gap in torch.stack(far).mul(-1).add(1).clamp(min=0) if gap > 0]
    return float(torch.stack(near).mean() + torch.stack(wide).mean())


def test_what_a_loss_cannot_take_is_told() -> None:
    with pytest.raises(
        UserError, match=r"'pml/ArcFaceLoss' was made for 16 features.* Set embedding_size=5 in"
    ):
        factory_of("ArcFaceLoss")(4, 16)(torch.zeros(8, 5), PIDS)
    with pytest.raises(
        UserError, match=r"room for 6 images.* has 8\. Raise loss\.pml/SupConLoss\."
    ):
        remembering("SupConLoss", 6)(features(), PIDS)
    with pytest.raises(
        UserError, match=r"'pml/SupConLoss' cannot learn from .* must be a 1D tensor"
    ):
        factory_of("SupConLoss")(4, 16)(features(), PIDS[:, None])


def test_a_loss_with_a_memory_needs_no_pairs_in_a_batch() -> None:
    assert not remembering("SupConLoss", 8).needs_positives
    assert not remembering("SupConLoss", 8).needs_negatives
    assert isinstance(factory_of("SupConLoss")(4, 16), MetricLoss)
