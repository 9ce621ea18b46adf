"""What optimizers and schedulers do: learn, and go on where a checkpoint left them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from reid_plugins_scaffold.conformance.base import FactoryConformance, require_equal, require_finite
from reid_plugins_scaffold.conformance.contract import Broken, contract
from reidcore.errors import ConfigError
from reidcore.optim import build_lr_scheduler, build_optimizer

RATE = 0.01
EPOCHS = 12


class OptimizerConformance(FactoryConformance):
    """Checks of optimizers."""

    kind = "optimizers"

    @contract(
        "It has all parameters, at the learning rates that it is given, also where groups have "
        "rates of their own.",
        "Hand the groups on: torch.optim.SGD(groups, lr=lr, weight_decay=weight_decay).",
    )
    def test_it_takes_groups_with_their_rates(self) -> None:
        """As train.staged_lr makes them."""
        model = _network()
        optimizer = self._made(model)
        held = [id(each) for group in optimizer.param_groups for each in group["params"]]
        if sorted(held) != sorted(map(id, model.parameters())):
            raise Broken(f"holds {len(held)} of {len(list(model.parameters()))} parameters")
        rates = {group["lr"] for group in optimizer.param_groups}
        staged = self._made(model, staged_lr=True, new_layers="1", base_lr_mult=0.1)
        staged_rates = {group["lr"] for group in staged.param_groups}
        if rates != {RATE} or not all(
            any(math.isclose(rate, wanted) for rate in staged_rates) for wanted in (RATE, RATE / 10)
        ):
            raise Broken(f"has the rates {rates} for {RATE}, and {staged_rates} for two groups")

    @contract(
        "Its steps make a loss smaller, and leave parameters without a gradient alone.",
        "Pass over parameters whose grad is None; step against the gradient.",
    )
    def test_it_learns(self) -> None:
        """A small problem."""
        model = _network()
        fixed = next(model[2].parameters()).requires_grad_(False)
        still = fixed.clone()
        optimizer = self._made(model)
        first = _train(model, optimizer, steps=1)
        last = _train(model, optimizer, steps=30)
        require_equal("parameters without a gradient", still, fixed)
        require_finite("losses", last)
        if not last < first:
            raise Broken(f"takes a loss from {first.item():.4g} to {last.item():.4g} in 30 steps")

    @contract(
        "With its state dict another one goes on as if it had never stopped; the state dict holds "
        "what torch.load(weights_only=True) reads.",
        "Keep in optimizer.state what the steps depend on, in tensors and plain numbers.",
    )
    def test_it_goes_on_from_a_checkpoint(self) -> None:
        """The same weights as without a stop."""
        straight, stopped = _network(), _network()
        first, second = self._made(straight), self._made(stopped)
        _train(straight, first, steps=6)
        _train(stopped, second, steps=3)
        resumed = _network()
        third = self._made(resumed)
        resumed.load_state_dict(stopped.state_dict())
        third.load_state_dict(_from_file(second.state_dict()))
        _train(resumed, third, steps=3)
        for one, other in zip(straight.parameters(), resumed.parameters(), strict=True):
            require_equal("weights with a stop and without", one, other)

    def _made(self, model: nn.Module, **rates: Any) -> Optimizer:
        return build_optimizer(
            model,
            self.qualified,
            lr=RATE,
            weight_decay=0.0,
            plugins=self.plugin_set,
            section=self.options,
            **rates,
        )


class SchedulerConformance(FactoryConformance):
    """Checks of schedulers.

    Attributes:
        stepsize: ``train.stepsize``; by default a number, or a list where that does not suit.
    """

    kind = "schedulers"
    stepsize: ClassVar[int | Sequence[int] | None] = None

    @contract(
        "Learning rates are finite and not negative in each epoch, and the model learns in some.",
        "Look at the first and the last epoch: counts there are 0, and max_epoch - 1.",
    )
    def test_rates_are_rates(self) -> None:
        """Over the whole run."""
        rates = _rates(*self._made())
        odd = [rate for rate in rates if not 0 <= rate < math.inf]
        if odd or not any(rates):
            raise Broken(f"gives the rates {[float(f'{rate:.3g}') for rate in rates]}")

    @contract(
        "With its state dict another one goes on with the same rates; the state dict holds what "
        "torch.load(weights_only=True) reads.",
        "Count epochs in last_epoch, as torch's schedulers do; keep functions out of the state.",
    )
    def test_it_goes_on_from_a_checkpoint(self) -> None:
        """After each epoch."""
        straight = _rates(*self._made())
        for done in range(1, EPOCHS):
            optimizer, scheduler = self._made()
            _rates(optimizer, scheduler, done)
            again, resumed = self._made()
            again.load_state_dict(_from_file(optimizer.state_dict()))
            resumed.load_state_dict(_from_file(scheduler.state_dict()))
            rates = _rates(again, resumed, EPOCHS - done)
            if not all(map(math.isclose, rates, straight[done:])):
                raise Broken(f"gives other rates after a stop in epoch {done}")

    def _made(self) -> tuple[Optimizer, Any]:
        given = (4, [4, 8]) if self.stepsize is None else (self.stepsize,)
        for stepsize in given:
            optimizer = torch.optim.SGD(_network().parameters(), lr=RATE)
            try:
                return optimizer, build_lr_scheduler(
                    optimizer,
                    self.qualified,
                    stepsize,
                    gamma=0.1,
                    max_epoch=EPOCHS,
                    plugins=self.plugin_set,
                    section=self.options,
                )
            except ConfigError:
                if stepsize is given[-1]:
                    raise
        raise AssertionError("unreachable: the last of them was returned or refused")


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 1))


def _train(model: nn.Module, optimizer: Optimizer, steps: int) -> Tensor:
    """Take steps, and return the loss before the last of them."""
    images = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
    loss = torch.zeros(())
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(images) - images.sum(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
    return loss.detach()


def _rates(optimizer: Optimizer, scheduler: Any, epochs: int = EPOCHS) -> list[float]:
    """Return the rate of each epoch, stepped after it."""
    rates = []
    for _ in range(epochs):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


def _from_file(state: Any) -> Any:
    """Return a state as a checkpoint brings it back."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    try:
        return torch.load(file, weights_only=True)
    except Exception as error:
        raise Broken(f"has a state dict that weights_only refuses: {error}") from error
