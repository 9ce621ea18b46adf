"""What a loss does: finite numbers with gradients, of odd batches too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reid_plugins_scaffold.conformance.base import (
    FactoryConformance,
    copies_of,
    require_equal,
    require_finite,
    require_shape,
)
from reid_plugins_scaffold.conformance.contract import Broken, NotApplicable, contract
from reidcore.data import Sample, SampleTable
from reidcore.engine import make_terms, weighted_terms
from reidcore.errors import UserError
from reidcore.models import Outputs

CLASSES, WIDTH = 5, 8
LATE = 1000  # an epoch in which losses that wait have begun
BATCHES = {
    "identities with two images each": [0, 0, 1, 1, 2, 2, 3, 3],
    "one identity": [2, 2, 2, 2],
    "identities with one image each": [0, 1, 2, 3],
    "one image": [4],
}


class LossConformance(FactoryConformance):
    """Checks of losses."""

    kind = "losses"

    @contract(
        "It gives one finite number, each of its terms if it brings several.",
        "Reduce over the batch: return losses.mean().",
    )
    def test_it_gives_a_number(self) -> None:
        """A scalar."""
        for name, value in self._computed(_outputs(8), BATCHES_OF[0]).items():
            require_shape(f"the term {name!r}", value)
            require_finite(f"a term {name!r}", value)

    @contract(
        "It has a gradient by logits or by features.",
        "Compute with outputs.logits or outputs.features themselves, without .detach(), .item() "
        "or numpy.",
    )
    def test_it_teaches_the_model(self) -> None:
        """Somewhere a gradient is not zero."""
        outputs = _outputs(8)
        self._backward(outputs, BATCHES_OF[0])
        slopes = [each.grad for each in _tensors(outputs) if each.grad is not None]
        if not any(bool(slope.abs().sum() > 0) for slope in slopes):
            raise Broken("has no gradient by logits or features")

    @contract(
        "Odd batches (one identity, one image of each, a single image, equal features) give finite "
        "numbers and gradients, or a UserError that says what the sampler must do.",
        "Take means over what is there only, and keep square roots off zero: a distance of 0 has "
        "no slope.",
    )
    def test_odd_batches_give_finite_numbers(self) -> None:
        """The batches at the end of an epoch, and those of a network that has collapsed."""
        for what, pids in BATCHES.items():
            for equal in (False, True):
                outputs = _outputs(len(pids), equal)
                try:
                    terms = self._backward(outputs, pids)
                except UserError:
                    continue
                beside = " and equal features" if equal else ""
                for value in terms.values():
                    require_finite(f"numbers for a batch of {what}{beside}", value)
                for each in _tensors(outputs):
                    if each.grad is not None:
                        require_finite(f"gradients for a batch of {what}{beside}", each.grad)

    @contract(
        "The same batch gives the same number, and stays as it is.",
        "Draw from torch's generator alone, and change tensors out of place.",
    )
    def test_it_depends_on_the_batch_alone(self) -> None:
        """The same twice, nothing written to."""
        outputs, kept = _outputs(8), _outputs(8)
        found = self._computed(outputs, BATCHES_OF[0])
        again = self._computed(kept, BATCHES_OF[0])
        for name, value in found.items():
            require_equal(f"numbers for one batch in the term {name!r}", value, again[name])
        for before, after in zip(_tensors(_outputs(8)), _tensors(outputs), strict=True):
            require_equal("logits or features", before, after)

    @contract(
        "Under mixed precision (bfloat16 logits and features) it gives a finite number.",
        "Compute in float32 where sums are long: outputs.features.float().",
    )
    def test_mixed_precision_serves(self) -> None:
        """bfloat16, as train.amp gives it."""
        outputs = _outputs(8)
        halved = Outputs(*(each.detach().bfloat16() for each in _tensors(outputs)))
        for name, value in self._computed(halved, BATCHES_OF[0]).items():
            require_finite(f"a term {name!r}", value)

    @contract(
        "What it learns itself, such as centres, is in its state dict, and copies give the same "
        "number.",
        "Derive from torch.nn.Module, and keep what is learnt in parameters and buffers.",
    )
    def test_copies_give_the_same(self) -> None:
        """As a checkpoint must bring it back."""
        for name, (_, criterion) in self._terms().items():
            if not isinstance(criterion, nn.Module):
                raise NotApplicable("it is no torch.nn.Module, and learns nothing")
            found = self._of({name: (1.0, criterion)}, _outputs(8), BATCHES_OF[0])
            for how, copied in copies_of(criterion):
                again = self._of({name: (1.0, copied)}, _outputs(8), BATCHES_OF[0])
                require_equal(f"numbers, once {how}", found[name], again[name])

    def _terms(self) -> dict[str, tuple[float, Callable[..., Tensor]]]:
        supplied = {
            "num_classes": CLASSES,
            "use_gpu": False,
            "feature_dim": WIDTH,
            "train_table": SampleTable.of(
                [Sample(f"{n}.jpg", n % CLASSES, n % 2) for n in range(20)],
                columns={
                    "clothes": np.arange(20) // CLASSES % 2,
                    "attribute_hat": np.arange(20) % 2,
                },
            ),
        }
        terms = make_terms({self.entry.name: (1.0, self.component)}, **supplied)
        for _, criterion in terms.values():
            if callable(tell := getattr(criterion, "set_epoch", None)):
                tell(LATE)
        return terms

    def _computed(self, outputs: Outputs, pids: Sequence[int]) -> dict[str, Tensor]:
        return self._of(self._terms(), outputs, pids)

    def _of(
        self, terms: dict[str, Any], outputs: Outputs, pids: Sequence[int]
    ) -> dict[str, Tensor]:
        torch.manual_seed(0)
        numbers = torch.arange(len(pids))
        batch = {
            "img": torch.zeros(len(pids), 3, 8, 4),
            "pid": torch.tensor(pids),
            "camid": numbers % 2,
            "clothes": numbers % 2,
            "attribute_hat": numbers % 2,
            "dsetid": numbers * 0,
            "impath": [f"{number}.jpg" for number in numbers.tolist()],
        }
        return weighted_terms(
            terms, outputs, batch, lambda criterion, given, labels: criterion(given, labels)
        )

    def _backward(self, outputs: Outputs, pids: Sequence[int]) -> dict[str, Tensor]:
        terms = self._computed(outputs, pids)
        total = sum(terms.values())
        if isinstance(total, Tensor) and total.requires_grad:
            torch.autograd.backward(total)
        return terms


BATCHES_OF = tuple(BATCHES.values())


def _outputs(count: int, equal: bool = False) -> Outputs:
    """Return logits (B, C) and features (B, D), which may be the same for all images."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(count, CLASSES, generator=generator)
    features = torch.randn(count, WIDTH, generator=generator)
    if equal:
        logits, features = (each[:1].expand(count, -1).clone() for each in (logits, features))
    return Outputs(logits.requires_grad_(), features.requires_grad_())


def _tensors(outputs: Outputs) -> list[Tensor]:
    return [each for each in outputs if isinstance(each, Tensor)]
