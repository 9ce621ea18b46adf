from __future__ import annotations

import sys
from typing import Any

import pytest
import torch


def test_objects_reach_every_process(launched: Any) -> None:
    for each in launched("objects"):
        assert each["broadcast"] == {"from": 0}
        assert each["broadcast_from_1"] == 1
        assert each["gathered"] == ["rank 0", "rank 1"]
        assert each["means"] == {"loss": 1.5, "lr": 0.5, "acc": 50.0}
        assert list(each["means"]) == ["loss", "lr", "acc"]
        assert each["any_true"] == [1.0, 0.0, 1.0]
        assert each["all_true"] == [True, False, False]


def test_rows_come_in_the_order_of_ranks_however_many_each_has(launched: Any) -> None:
    for each in launched("rows"):
        for found in each["many"].values():
            whole = torch.tensor([[0, 1], [2, 3], [4, 5], [10, 11]])
            assert torch.equal(found, whole.to(found.dtype))
        assert {str(found.dtype) for found in each["many"].values()} == set(each["many"])
        assert each["flat"].tolist() == [0, 0, 1]
        assert torch.equal(each["deep"], torch.tensor([0.0, 1.0]).view(2, 1, 1).expand(2, 2, 3))
        assert torch.equal(each["none_of_one"], torch.ones(1, 4))
        assert each["none"].shape == (0, 4)
        assert not each["has_gradient"]


def test_gradients_are_the_sum_over_processes(launched: Any) -> None:
    rows = [torch.tensor([[0.0, 1.0], [2.0, 3.0]]), torch.tensor([[4.0, 5.0]])]
    for each, own in zip(launched("gradients"), rows, strict=True):
        assert torch.equal(each["everything"], torch.cat(rows))
        assert torch.equal(each["same"], 2 * own)  # the mean over processes is the loss's gradient
        assert torch.equal(each["own"], torch.full_like(own, 3.0))
        assert each["half"].tolist() == [[2.0, 2.0]]


def test_tensors_are_averaged_and_shared_in_place(launched: Any) -> None:
    for each in launched("in_place"):
        assert [float(tensor.unique()) for tensor in each["averaged"]] == [0.5, 1.0, 2.0]
        assert all(not tensor.any() for tensor in each["shared"])


def test_a_late_look_at_a_loss_refuses_it_in_all_processes(launched: Any) -> None:
    first, second = launched("finite")
    assert first.startswith("the loss is not finite in another process; here (softmax 1)")
    assert second.startswith("the loss is not finite (softmax nan)")


@pytest.mark.skipif(sys.platform != "linux", reason="the names of threads are read from /proc")
def test_no_thread_of_a_group_outlives_it(launched: Any) -> None:
    for names in launched("afterwards"):
        assert names
        assert not [name for name in names if "gloo" in name]
