"""Parameters and multiply-adds, against the figures measured on Torchreid."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reidcore.errors import UserError
from reidcore.utils import compute_model_complexity


@pytest.mark.parametrize(
    ("layer", "size", "weighted", "everything"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), (1, 3, 4, 4), 28 * 128, 28 * 128),
        (nn.Conv2d(4, 8, 3, padding=1, groups=2, bias=False), (1, 4, 4, 4), 18 * 128, 18 * 128),
        (nn.Linear(5, 7), (2, 5), 6 * 14, 6 * 14),
        (nn.MaxPool2d(2), (1, 1, 4, 4), 0, 3 * 4),
        (nn.AvgPool2d((2, 1)), (1, 1, 4, 4), 0, 2 * 8),
        (nn.AdaptiveAvgPool2d(1), (1, 2, 4, 4), 0, 16 * 2),
        (nn.AdaptiveMaxPool2d(2), (1, 1, 4, 4), 0, 3 * 4),
        (nn.ReLU(), (1, 3, 2, 2), 0, 12),
        (nn.LeakyReLU(), (1, 3, 2, 2), 0, 36),
        (nn.BatchNorm2d(3), (1, 3, 2, 2), 0, 48),
        (nn.BatchNorm2d(3, affine=False), (1, 3, 2, 2), 0, 24),
        (nn.LayerNorm(4), (1, 3, 4), 0, 48),
    ],
)
def test_each_kind_of_layer_has_its_price(
    layer: nn.Module, size: tuple[int, ...], weighted: int, everything: int
) -> None:
    model = nn.Sequential(layer)
    assert compute_model_complexity(model, size)[1] == weighted
    assert compute_model_complexity(model, size, only_conv_linear=False)[1] == everything


class Positioned(nn.Module):
    """Adds parameters of its own to what its part gives."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(5))
        self.part = nn.Linear(2, 5)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.part(inputs) + self.position


def test_parameters_beside_the_parts_are_left_out_as_torchreid_does() -> None:
    assert compute_model_complexity(nn.Sequential(Positioned()), (1, 2)) == (15, 15)


def test_nothing_is_computed_for_a_network_without_memory() -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8))
    assert compute_model_complexity(model, (1, 3, 10_002, 10_002)) == (232, 216 * 10_000**2)


@pytest.mark.parametrize("size", [(1, 3, 256, 0), (1, 3, -1, 4), (1, 3, 2.5, 4), (3,), ()])
def test_what_is_no_size_is_told(size: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match=r"input_size=\("):
        compute_model_complexity(nn.Sequential(nn.Flatten()), size)


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    model[1].eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    compute_model_complexity(model, (4, 2))
    assert model.training
    assert not model[1].training
    assert not model[0]._forward_hooks
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


def test_verbose_shows_each_kind_and_the_total(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    compute_model_complexity(model, (1, 2), verbose=True)
    shown = capsys.readouterr().out
    for expected in ("Linear", "ReLU", "total", "13 params"):
        assert expected in shown


def test_an_input_that_does_not_fit_is_told() -> None:
    with pytest.raises(UserError, match=r"Sequential does not run.*\(1, 3, 256, 128\)"):
        compute_model_complexity(nn.Sequential(nn.Linear(2, 3)), (1, 5))


def test_a_layer_held_twice_counts_twice_as_in_torchreid() -> None:
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()
            self.layers = nn.Sequential(nn.Linear(2, 3), self.relu)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.layers(inputs)
            return result

    assert compute_model_complexity(Holder(), (1, 2)) == (9, 9)
    assert compute_model_complexity(Holder(), (1, 2), only_conv_linear=False) == (9, 9 + 2 * 3)
