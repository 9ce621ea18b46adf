"""Styles are mixed by the paper's formula, in training steps alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_training.mixstyle import MixStyle, mix_styles, partners_of_other_domains
from torch import Tensor

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.errors import ConfigError, UnknownNameError, UserError
from reidcore.testing import TinyRun
from tests.plugins.reid_plugins_training.comparing import assert_same, weights

Train = Callable[..., TinyRun]

ON = "settings.training.mixstyle={layers: [conv], p: 1.0, alpha: 0.5}"


def naive(maps: Tensor, partners: list[int], shares: list[float]) -> Tensor:
    """Return the mix, one map after the other."""
    mixed = torch.empty_like(maps)
    for image, (partner, share) in enumerate(zip(partners, shares, strict=True)):
        for channel in range(maps.shape[1]):
            own, other = maps[image, channel], maps[partner, channel]
            mine, yours = ((each.var() + 1e-6).sqrt() for each in (own, other))
            style = share * mine + (1 - share) * yours
            shift = share * own.mean() + (1 - share) * other.mean()
            mixed[image, channel] = style * (own - own.mean()) / mine + shift
    return mixed


def drawn_shares(seed: int, count: int, alpha: float) -> list[float]:
    torch.manual_seed(seed)
    drawn: list[float] = torch.distributions.Beta(alpha, alpha).sample((count,)).tolist()
    return drawn


def test_the_mix_is_the_papers() -> None:
    maps = torch.randn(4, 3, 5, 2, generator=torch.Generator().manual_seed(0)) * 3 + 1
    partners = [2, 1, 3, 0]
    shares = drawn_shares(7, 4, 0.3)
    torch.manual_seed(7)
    found = mix_styles(maps, torch.tensor(partners), alpha=0.3)
    torch.testing.assert_close(found, naive(maps, partners, shares), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[1], maps[1], rtol=1e-5, atol=1e-5)  # its own partner


def test_no_gradient_goes_through_the_statistics() -> None:
    maps = torch.randn(3, 2, 4, 4, dtype=torch.float32, requires_grad=True)
    partners = torch.tensor([1, 2, 0])
    (share, *_) = drawn_shares(3, 3, 0.5)
    torch.manual_seed(3)
    mix_styles(maps, partners, alpha=0.5).sum().backward()
    deviation = (maps.detach().var(dim=(2, 3)) + 1e-6).sqrt()
    mixed = share * deviation[0] + (1 - share) * deviation[1]
    assert maps.grad is not None
    expected = (mixed / deviation[0])[:, None, None].expand(2, 4, 4)
    torch.testing.assert_close(maps.grad[0], expected, rtol=1e-4, atol=1e-5)


def test_statistics_are_exact_under_mixed_precision() -> None:
    maps = (torch.randn(4, 2, 16, 8) * 0.01 + 300).to(torch.bfloat16)
    torch.manual_seed(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = mix_styles(maps, torch.tensor([1, 0, 3, 2]), alpha=0.1)
    torch.manual_seed(1)
    exact = mix_styles(maps.float(), torch.tensor([1, 0, 3, 2]), alpha=0.1)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, exact.to(torch.bfloat16))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 99))
def test_a_partner_is_of_another_domain_where_there_is_one(domains: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    partners = partners_of_other_domains(torch.tensor(domains)).tolist()
    if len(set(domains)) == 1:
        assert partners == list(range(len(domains)))
    else:
        assert all(domains[own] != domains[other] for own, other in enumerate(partners))


class Maps:
    """Keeps what the convolution gives in steps and in tests, behind whatever else listens."""

    def __init__(self) -> None:
        self.kept: list[Tensor] = []
        self.inputs: list[Tensor] = []
        self.tested: list[bool] = []

    @hookimpl(trylast=True)
    def reid_run_start(self, engine: Engine) -> None:
        conv: Any = engine.model.conv

        def keep(layer: Any, inputs: tuple[Tensor], maps: Tensor) -> None:
            own = torch.nn.functional.conv2d(inputs[0], layer.weight, layer.bias, layer.stride)
            if engine.model.training:
                self.kept.append(maps.detach().clone())
                self.inputs.append(own.detach())
            else:
                self.tested.append(torch.allclose(maps, own, atol=1e-5))

        conv.register_forward_hook(keep)


def test_training_steps_are_mixed_and_tests_are_not(train: Train) -> None:
    maps = Maps()
    run = train("run", ON, plugins=(maps,))
    assert len(maps.kept) == 6
    assert not any(
        torch.allclose(kept, own, atol=1e-3)
        for kept, own in zip(maps.kept, maps.inputs, strict=True)
    )
    assert maps.tested
    assert all(maps.tested)
    kept_keys = {"conv.weight", "conv.bias", "norm.weight", "norm.bias", "classifier.weight"}
    assert kept_keys < weights(run).keys()
    assert len(weights(run)) == 9
    assert len(run.engine.model.conv._forward_hooks) == 1  # the one of this test


class AsksInAStep:
    """Asks the network for features in the middle of training steps, as for pseudo-labels."""

    def __init__(self) -> None:
        self.repeats: list[bool] = []

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        images = engine.active_run.batch["img"]  # type: ignore[index, union-attr]
        engine.set_model_mode("eval")
        with torch.no_grad():
            once, again = (engine.extract_features(images) for _ in range(2))
        engine.set_model_mode("train")
        self.repeats.append(torch.equal(once, again))


def test_a_network_that_evaluates_within_a_step_mixes_nothing(train: Train) -> None:
    asks = AsksInAStep()
    train("run", ON, plugins=(asks,))
    assert asks.repeats == [True] * 6


def test_p_is_how_often(train: Train) -> None:
    maps = Maps()
    train(
        "run",
        "settings.training.mixstyle={layers: conv, p: 0.5, alpha: 0.5}",
        "train.max_epoch=8",
        plugins=(maps,),
    )
    mixed = [
        not torch.allclose(kept, own, atol=1e-4)
        for kept, own in zip(maps.kept, maps.inputs, strict=True)
    ]
    assert len(mixed) == 24
    assert 4 < sum(mixed) < 20


@pytest.mark.parametrize(
    "settings",
    [
        [ON],
        ["settings.training.mixstyle={layers: [conv], p: 1, mix: crossdomain}"],
        [ON, "settings.training.ema.decay=0.8", "settings.training.clip.norm=0.5"],
        [ON, "train.amp=bf16"],
    ],
)
def test_it_repeats_with_the_seed_and_goes_on_after_a_resume(
    train: Train, train_in_parts: Train, settings: list[str]
) -> None:
    assert_same(train("whole", *settings), train_in_parts("parts", *settings, batches=4))


def test_images_are_mixed_with_those_of_other_cameras(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[int], list[int]]] = []

    def watched(domains: Tensor) -> Tensor:
        partners = partners_of_other_domains(domains)
        seen.append((domains.tolist(), domains[partners].tolist()))
        return partners

    monkeypatch.setattr("reid_plugins_training.mixstyle.partners_of_other_domains", watched)
    batches: list[list[int]] = []

    class Cameras:
        @hookimpl(wrapper=True)
        def reid_forward_backward(self, batch: Any) -> Any:
            batches.append(batch["camid"].tolist())
            return (yield)

    settings = "settings.training.mixstyle={layers: [conv], p: 1, mix: crossdomain}"
    train("run", settings, plugins=(Cameras(),))
    assert [own for own, _ in seen] == batches
    assert all(a != b for own, others in seen for a, b in zip(own, others, strict=True))


@pytest.mark.parametrize(
    ("setting", "error", "told"),
    [
        ("layers: [conf], p: 1", UnknownNameError, "no layer named 'conf'"),
        ("layers: [conv.weight], p: 1", UserError, "'conv.weight' is a parameter"),
        ("layers: [classifier], p: 1", UserError, r"'classifier' gives no maps \(B, C, h, w\)"),
        ("layers: [conv], mix: crossdomain, domain: dsetid", UserError, "have one dsetid"),
        ("layers: []", ConfigError, r"mixstyle.layers: expected"),
        ("p: 0.5", ConfigError, "mixstyle.layers: a value is required"),
        ("layers: [conv], p: 0", ConfigError, r"mixstyle.p: expected"),
        ("layers: [conv], alpha: 0", ConfigError, r"mixstyle.alpha: expected"),
        ("layers: [conv], mix: cross", ConfigError, r"mixstyle.mix: expected"),
    ],
)
def test_what_cannot_be_mixed_is_refused(
    train: Train, setting: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        train("run", f"settings.training.mixstyle={{{setting}}}")


def test_a_compiled_network_is_mixed_alike(train: Train) -> None:
    class Compile:
        @hookimpl
        def reid_model_built(self, model: torch.nn.Module) -> None:
            model.compile(backend="eager")

    settings = "settings.training.mixstyle={layers: [conv], p: 0.5, alpha: 0.5}"
    compiled, eager = train("compiled", settings, plugins=(Compile(),)), train("eager", settings)
    mine, yours = weights(compiled), weights(eager)
    assert all(torch.allclose(mine[key], yours[key], atol=1e-6) for key in mine)


def test_by_hand_layers_may_be_one(train: Train) -> None:
    maps = Maps()
    train("run", plugins=(maps, MixStyle("conv", p=1.0, alpha=0.5)))
    for kept, own in zip(maps.kept, maps.inputs, strict=True):
        assert not torch.allclose(kept, own, atol=1e-3)
