"""Compiled networks, by backends that cost nothing: what Inductor makes of a graph is torch's."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from reid_plugins_training import accelerations_of, compilation
from reid_plugins_training.compilation import Compilation
from torch import Tensor, fx, nn

from reidcore.config import TrainOptions
from reidcore.errors import UserError
from reidcore.models.adapter import adapted, outputs_of
from reidcore.testing import tiny_run

IMAGES, PIDS = torch.rand(4, 3, 8, 8), torch.arange(4)


class Network(nn.Module):
    """A foreign classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 5)."""
        logits: Tensor = self.fc(self.conv(images).mean((2, 3)))
        return logits


class Eager:
    """A backend that runs graphs as they are, and remembers them."""

    def __init__(self) -> None:
        self.modes: list[str] = []

    def __call__(self, graph: fx.GraphModule, inputs: Sequence[Tensor], mode: str) -> Any:
        """Compile."""
        self.modes.append(mode)
        return graph.forward


def broken(graph: fx.GraphModule, inputs: Sequence[Tensor], mode: str) -> Any:
    """Fail as Inductor does without a compiler."""
    raise RuntimeError("No working C++ compiler found")


@pytest.fixture(autouse=True)
def _forget_graphs() -> Iterator[None]:
    yield
    torch.compiler.reset()


def test_a_network_keeps_its_class_its_keys_and_its_numbers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    network, backend = Network(), Eager()
    expected, keys = network(IMAGES), list(network.state_dict())
    Compilation("reduce-overhead", backend).reid_model_built(network)
    torch.testing.assert_close(network(IMAGES), expected)
    assert backend.modes == ["reduce-overhead"]
    assert type(network) is Network
    assert list(network.state_dict()) == keys
    assert type(copy.deepcopy(network)) is Network
    told = [record.message for record in caplog.records if "train.compile" in record.message]
    assert len(told) == 1
    assert "operations compiled in" in told[0]


def test_the_features_of_a_foreign_network_are_those_of_each_batch() -> None:
    network, backend = Network(), Eager()
    adapter = adapted(network)
    Compilation("default", backend).reid_model_built(network)
    for _ in range(2):
        images = torch.rand(4, 3, 8, 8)
        found = outputs_of(adapter, images, PIDS)
        assert isinstance(found.features, Tensor)
        torch.testing.assert_close(network.fc(found.features), found.logits)
    assert backend.modes


def test_what_cannot_be_compiled_runs_without_it_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    network, compilation = Network(), Compilation("default", broken)
    expected = network(IMAGES)
    compilation.reid_model_built(network)
    for batch in (IMAGES, IMAGES[:3]):
        network(batch).sum().backward()
    torch.testing.assert_close(network(IMAGES), expected)
    told = [record.message for record in caplog.records if "train.compile" in record.message]
    assert len(told) == 1
    assert "runs without it" in told[0]
    assert "No working C++ compiler found" in told[0]


def test_a_run_trains_compiled_and_tests_without(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    training: list[bool] = []

    def backend(graph: fx.GraphModule, inputs: Sequence[Tensor], mode: str) -> Any:
        training.append(torch.is_grad_enabled())
        return graph.forward

    monkeypatch.setattr(compilation, "_inductor", backend)
    plain = tiny_run(save_dir=tmp_path / "plain")
    run = tiny_run(save_dir=tmp_path / "compiled", overrides=["train.compile=default"])
    assert training
    assert all(training)
    assert run.engine.config is not None
    assert run.engine.config["train"]["compile"] == "default"
    mine, theirs = run.engine.model.state_dict(), plain.engine.model.state_dict()
    assert list(mine) == list(theirs)
    for name, value in mine.items():
        torch.testing.assert_close(value, theirs[name], msg=name)


def test_a_run_that_only_tests_compiles_nothing() -> None:
    options = TrainOptions(compile="max-autotune")
    (compiling,) = accelerations_of(options).values()
    assert isinstance(compiling, Compilation)
    assert compiling.mode == "max-autotune"
    assert accelerations_of(options, is_trained=False) == {}


def test_a_mistyped_mode_has_its_nearest_name() -> None:
    with pytest.raises(UserError, match="Did you mean 'reduce-overhead'"):
        Compilation("reduce-overheads")


def test_a_switch_stands_for_a_mode() -> None:
    assert TrainOptions.model_validate({"compile": False}).compile == "off"
    assert TrainOptions.model_validate({"compile": True}).compile == "default"
