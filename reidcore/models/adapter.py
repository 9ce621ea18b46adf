"""Foreign modules under the model contract.

A module that is no ``ReidModel`` is watched while it runs. If what it returns in evaluation mode
comes straight from its last linear layer it is a plain classifier, and its features are what that
layer was given; otherwise it returns features already, as Torchreid's models do. (A plain
classifier that ends in another kind of layer cannot be told from one that returns features: it
should subclass ``ReidModel``.)
"""

from __future__ import annotations

import inspect
from typing import Any, Literal, cast

from torch import Tensor, nn

from reidcore.errors import UserError
from reidcore.models.reid_model import Features, Outputs, ReidModel, checked_loss, trained_on
from reidcore.models.wrapping import unwrap


def outputs_of(model: nn.Module, images: Tensor, pids: Tensor | None = None) -> Outputs:
    """Run any model, wrapped or foreign, and return logits and features.

    Args:
        model: a ``ReidModel``, any other module (adapted at its first use), or a wrapper of one.
        images: (B, 3, H, W).
        pids: labels (B,) of the images, for classifiers that need them.

    Returns:
        ``Outputs(logits, features)``. ``features`` is None only for a foreign module that returns
        logits alone and has no linear classifier to read features from.
    """
    adapt(unwrap(model))
    return cast("Outputs", model(images, outputs="all", pids=pids))


def adapt(module: nn.Module, loss: str = "softmax") -> nn.Module:
    """Bring a foreign module under the model contract, in place, and return it.

    Its parameters, state-dict keys and children stay as they are; only calling it changes.

    Args:
        module: left alone if it is a ``ReidModel`` or has been adapted already.
        loss: what training returns (see ``ReidModel``), unless the module has a ``loss`` itself.
    """
    if isinstance(module, ReidModel | _Adapted):
        return module
    original = type(module)
    if not isinstance(getattr(module, "loss", None), str):
        module.loss = checked_loss(loss)  # type: ignore[assignment]
    linear = [name for name, child in module.named_modules() if isinstance(child, nn.Linear)]
    module.head_name = linear[-1] if linear else ""  # type: ignore[assignment]
    if linear:
        module.get_submodule(linear[-1]).register_forward_hook(_remember_call)
    names = {"__module__": original.__module__, "__qualname__": original.__qualname__}
    module.__class__ = type(original.__name__, (_Adapted, original), names)
    return module


class _Adapted(nn.Module):
    """Mixed into a foreign module's class, in front of it."""

    loss: str
    head_name: str

    def forward(
        self,
        images: Tensor,
        return_featuremaps: bool = False,
        *,
        outputs: Literal["auto", "all"] = "auto",
        pids: Tensor | None = None,
    ) -> Any:
        """Run the foreign ``forward`` and sort out what it returned."""
        if return_featuremaps:
            return self._featuremaps(images)
        result = super().forward(images)
        head_input, head_output = self._head_call()
        is_classifier = _shape(result) is not None and _shape(result) == _shape(head_output)
        if not self.training and not is_classifier:
            features = cast("Tensor", result)
            return Outputs(self._classify(features), features) if outputs == "all" else features
        seen = self._pair(result, head_input)
        if outputs == "all":
            return seen
        return trained_on(self.loss, seen) if self.training else seen.features

    def _featuremaps(self, images: Tensor) -> Tensor:
        run = super().forward
        if "return_featuremaps" not in inspect.signature(run).parameters:
            raise UserError(
                f"{type(self).__name__} gives no feature maps",
                "Let its forward take return_featuremaps=True, or subclass ReidModel.",
            )
        return cast("Tensor", run(images, return_featuremaps=True))

    def _pair(self, result: Any, head_input: Tensor | None) -> Outputs:
        is_pair = isinstance(result, tuple) and len(result) == 2
        # Two branches of logits have one shape; logits and features have two.
        if is_pair and (self.loss != "softmax" or _shape(result[0]) != _shape(result[1])):
            return Outputs(*result)
        return Outputs(result, cast("Features", head_input))

    def _head_call(self) -> tuple[Tensor | None, Tensor | None]:
        if not self.head_name:
            return None, None
        head = self.get_submodule(self.head_name)
        call: tuple[Tensor | None, Tensor | None] = head.__dict__.pop("last_call", (None, None))
        return call

    def _classify(self, features: Tensor) -> Tensor:
        head = self.get_submodule(self.head_name) if self.head_name else None
        if not isinstance(head, nn.Linear) or features.shape[-1] != head.in_features:
            raise UserError(
                f"{type(self).__name__} gives no logits in evaluation mode",
                "Subclass ReidModel to have both.",
            )
        logits: Tensor = head(features)
        head.__dict__.pop("last_call", None)
        return logits


def _remember_call(head: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    # Kept on the layer itself: under DataParallel each replica then has its own.
    head.__dict__["last_call"] = (inputs[0].flatten(1), output)


def _shape(value: object) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None
