"""Two processes train the model that one process trains on the same global batches."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

HERE = Path(__file__).parent
DDP = "DistributedDataParallel"
EQUAL = (
    "softmax",
    "triplet",
    "identities_of_one_process_each",
    "centers",
    "center",
    "own_optimizer",
    "memory",
    "accumulated",
    "fixbase",
    "frozen",
    "osnet_softmax",
    "osnet_triplet",
    "osnet_centers",
    "osnet_memory",
    "by_hand",
    "every_other",
    "two_passes",
    "mutual",
    "tricks",
)


@pytest.fixture(scope="module")
def cases() -> ModuleType:
    """The trainings, to be carried out in this process too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(HERE), *sys.path])
        import cases_training
    return cases_training


@pytest.fixture
def both(launched: Any) -> Any:
    """Return a function: what a training gave in each process."""
    return lambda case: [each[case] for each in launched("trained")]


def assert_equal_weights(one: Any, other: Any, tolerance: float = 0.0) -> None:
    assert one.weights.keys() == other.weights.keys()
    for name, weight in one.weights.items():
        torch.testing.assert_close(weight, other.weights[name], atol=tolerance, rtol=0, msg=name)


@pytest.mark.parametrize("case", EQUAL)
def test_two_processes_are_as_one(case: str, both: Any, cases: Any, tmp_path: Path) -> None:
    alone, (first, second) = cases.train(case, tmp_path), both(case)
    assert_equal_weights(first, second)
    assert_equal_weights(first, alone, 1e-5)
    steps = list(zip(alone.losses, first.losses, second.losses, strict=True))
    assert len(steps) >= 3
    for whole, one, other in steps:
        means = {name: (one[name] + other[name]) / 2 for name in one}
        assert means == pytest.approx(whole, abs=1e-5)


def test_batches_are_the_same_with_their_augmentation(
    both: Any, cases: Any, tmp_path: Path
) -> None:
    alone, (first, second) = cases.train("softmax", tmp_path), both("softmax")
    assert alone.images == [a + b for a, b in zip(first.images, second.images, strict=True)]
    for whole, *halves in zip(alone.pixels, first.pixels, second.pixels, strict=True):
        assert torch.equal(whole, torch.cat(halves))


@pytest.mark.parametrize(
    ("case", "networks"),
    [
        ("softmax", [DDP] * 3),
        ("triplet", [DDP] * 3),  # which leaves the classifier out
        ("accumulated", ["Plain", DDP, DDP]),
        ("fixbase", [DDP] * 6),
        ("frozen", ["Plain", DDP, DDP]),  # and opened after the first step
        ("by_hand", ["Plain"] * 3),
        ("every_other", [DDP, "Plain", "Plain"]),
        ("two_models", [DDP] * 3),
    ],
)
def test_ddp_averages_once_a_step_showed_what_has_gradients(
    case: str, networks: list[str], both: Any
) -> None:
    for each in both(case):
        assert each.networks == networks


def test_gradients_are_exchanged_where_the_optimizer_steps_alone(both: Any) -> None:
    for each in both("accumulated"):
        assert each.exchanges == [None, None, False]  # two batches, one step; the rest of an epoch
    for each in both("softmax"):
        assert each.exchanges == [None, True, True]


def test_an_image_that_one_process_leaves_out_holds_up_nobody(both: Any) -> None:
    first, second = both("damaged")
    assert_equal_weights(first, second)
    sizes = [[len(batch) for batch in each.images] for each in (first, second)]
    assert sorted({*sizes[0], *sizes[1]}) == [3, 4]


def test_several_models_are_equal_from_the_start(both: Any) -> None:
    first, second = both("two_models")
    assert_equal_weights(first, second)
    assert any(name.startswith("second.") for name in first.weights)


def test_all_leave_out_a_batch_whose_loss_is_not_finite_in_one(both: Any) -> None:
    first, second = both("not_finite")
    assert_equal_weights(first, second)
    assert [len(each.losses[1]) for each in (first, second)] == [0, 0]
    assert all(weight.isfinite().all() for weight in first.weights.values())


def test_all_leave_out_a_step_whose_gradients_overflow_in_one(both: Any) -> None:
    first, second = both("overflow")
    assert_equal_weights(first, second)
    assert all(weight.isfinite().all() for weight in first.weights.values())


def test_batch_statistics_are_those_of_the_first_process_and_draws_each_one_s_own(
    both: Any,
) -> None:
    first, second = both("random")
    assert_equal_weights(first, second)
    assert int(first.weights["model.norm.num_batches_tracked"]) == 6
    assert first.draw != second.draw
