"""Networks that PyTorch cannot trace: the line is named, and nothing is printed."""

from __future__ import annotations

import inspect

import pytest
import torch
from reid_plugins_export.network import FeatureNetwork
from reid_plugins_export.torchscript_file import TorchScriptFormat
from reid_plugins_export.tracing import as_program

from reidcore.errors import UserError
from reidcore.testing import TinyNet


class Branching(TinyNet):
    def embed(self, maps):
        pooled = maps.mean(dim=(2, 3))
        if pooled.sum() > 0:
            pooled = pooled * 2
        return pooled


class Counting(TinyNet):
    def embed(self, maps):
        return maps.mean(dim=(2, 3)) * maps.new_ones(8).expand(len(maps), 8)


class Leaving(TinyNet):
    def embed(self, maps):
        return torch.from_numpy(maps.mean(dim=(2, 3)).numpy())


def taken(network):
    return FeatureNetwork(network(2).eval(), (32, 16), [0.5] * 3, [0.25] * 3)


def program(network):
    return as_program(taken(network))


@pytest.mark.parametrize(
    ("network", "told", "line"),
    [
        (Branching, "data-dependent", "if pooled.sum() > 0:"),
        (Leaving, "numpy", "return torch.from_numpy(maps.mean(dim=(2, 3)).numpy())"),
    ],
)
def test_the_line_is_named(network, told, line, capfd) -> None:
    lines, first = inspect.getsourcelines(network)
    number = first + next(place for place, text in enumerate(lines) if text.strip() == line)
    with pytest.raises(UserError) as refused:
        program(network)
    assert told in refused.value.what
    assert f"{__file__}:{number}: {line}" in refused.value.what
    assert "torch.where" in refused.value.hint
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("network", "told"), [(Branching, True), (TinyNet, False)])
def test_a_trace_of_one_way_of_several_is_warned_of(network, told, caplog) -> None:
    TorchScriptFormat().convert(taken(network), None)
    assert ("goes the way of one example" in caplog.text) is told


def test_a_fixed_number_of_images_is_told() -> None:
    with pytest.raises(UserError, match=r"specialized it to be a constant \(2\)"):
        program(Counting)


def test_the_number_of_images_stays_open() -> None:
    graph = program(TinyNet).module()
    for count in (1, 5):
        assert graph(torch.zeros(count, 3, 32, 16)).shape == (count, 8)
