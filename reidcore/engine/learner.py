"""The training step and the verbs it is made of, which a plugin or a subclass may replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from reidcore.engine.batch_layout import Images, Reading
from reidcore.engine.holder import ModelHolder
from reidcore.engine.hook_results import checked_losses
from reidcore.engine.loss_terms import Criterion, LossTerms, top1, weighted
from reidcore.engine.precision import Mechanics
from reidcore.engine.step import NonFiniteLossError, StepOutcome
from reidcore.errors import UserError
from reidcore.models import outputs_of
from reidcore.plugins import Plugins

if TYPE_CHECKING:
    from reidcore.models import Outputs


class Learner(ModelHolder):
    """Takes training steps: ``parse``, ``losses``, ``backward``, ``optimizer_step``, ``outcome``.

    The verbs are right under mixed precision and accumulation, so that a replaced step is a few
    lines.

    Args:
        mechanics: how steps are computed.
        plugins: whose loss terms are added.

    Attributes:
        terms: loss terms by name, each a weight and a criterion.
        reading: how batches are read: as images, or as clips.
    """

    def __init__(self, mechanics: Mechanics, plugins: Plugins) -> None:
        super().__init__(mechanics)
        self.plugins = plugins
        self.terms: LossTerms = {}
        self.reading: Reading = Images()
        self._seen: tuple[Outputs, Tensor] | None = None

    def forward_backward(self, data: Mapping[str, Any]) -> StepOutcome | Mapping[str, Any]:
        """Take one training step; a subclass may override it.

        Returns:
            An outcome or, as in Torchreid, a dictionary of numbers to show.
        """
        losses = self.losses(data)
        self.backward(losses)
        self.optimizer_step()
        return self.outcome(losses)

    def parse(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return a batch with ``img (B, 3, h, w)`` and ``pid (B,)`` on the engine's device.

        Where clips became images, each of these has the labels of its clip.
        """
        images, pids = map(self.mechanics.move, self.parse_data_for_train(batch))
        as_it_is = isinstance(batch["img"], Tensor) and len(images) == len(batch["img"])
        labels = batch if as_it_is else self.reading.per_image(batch)
        return {**labels, "img": images, "pid": pids}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Run the model on a batch and return all loss terms, those of plugins included."""
        parsed = self.parse(batch)
        with self.mechanics.autocast():
            outputs = outputs_of(self.model, parsed["img"], parsed["pid"])
            self._seen = outputs, parsed["pid"]
            losses = self.plugins.hook.reid_compute_losses(
                engine=self, batch=parsed, outputs=outputs
            )
        return checked_losses(losses, self.plugins)

    def backward(self, losses: Mapping[str, Tensor] | Tensor) -> None:
        """Add the gradients of the losses' sum to the weights'.

        Raises:
            NonFiniteLossError: if the sum is not finite; the weights are as they were. It is a
                FloatingPointError, which a wrapper may catch to skip the batch.
        """
        total = losses if isinstance(losses, Tensor) else torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            raise NonFiniteLossError(losses)
        self.mechanics.backward(total)

    def optimizer_step(self) -> bool:
        """Update the weights and clear their gradients, at accumulation boundaries alone.

        Returns:
            Whether the weights were updated.
        """
        return self.mechanics.optimizer_step(self.optimizers)

    def outcome(self, losses: Mapping[str, Tensor]) -> StepOutcome:
        """Return what a step with these losses reports."""
        detached = {name: value.detach() for name, value in losses.items()}
        return StepOutcome(detached, top1(*self._seen, self.terms) if self._seen else None)

    def compute_terms(self, batch: Mapping[str, Any], outputs: Outputs) -> dict[str, Tensor]:
        """Return the engine's own weighted loss terms.

        Raises:
            UserError: if the engine has none.
        """
        if not self.terms:
            raise UserError(
                f"{type(self).__name__} has no loss terms",
                "Set engine.terms, or override forward_backward.",
            )
        return weighted(self.terms, outputs, batch, self.compute_loss)

    def compute_loss(
        self, criterion: Criterion, outputs: Tensor | Sequence[Tensor], targets: Tensor
    ) -> Tensor:
        """Apply a criterion to an output, or to several of them and average."""
        if isinstance(outputs, Tensor):
            return criterion(outputs, targets)
        return torch.stack([criterion(output, targets) for output in outputs]).mean()

    def parse_data_for_train(self, data: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Return the images ``(B, 3, h, w)`` and identities ``(B,)`` of a training batch."""
        data = self.reading.per_image(data)
        return data["img"], data["pid"]
