"""Foreign modules under the model contract.

A module that is no ``ReidModel`` is called through an adapter and watched while it runs. If what it
returns in evaluation mode comes straight from its last linear layer it is a plain classifier, and
its features are what that layer was given; otherwise it returns features already, as Torchreid's
models do. (A plain classifier that ends in another kind of layer cannot be told from one that
returns features: it should subclass ``ReidModel``.)
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, cast

from torch import Tensor, nn

from reidcore.errors import UserError
from reidcore.models.layers import Wrapper, unwrap, unwrapping
from reidcore.models.reid_model import Features, Outputs, ReidModel, checked_loss, trained_on


def outputs_of(
    model: nn.Module, images: Tensor, pids: Tensor | None = None, **arguments: Any
) -> Outputs:
    """Run any model, wrapped or foreign, and return logits and features.

    Args:
        model: a ``ReidModel``, any other module, or a wrapper of one.
        images: (B, 3, H, W).
        pids: labels (B,) of the images, for classifiers that need them.
        **arguments: what else the model's own ``forward`` takes.

    Returns:
        ``Outputs(logits, features)``. ``features`` is None only for a foreign module that returns
        logits alone and has no linear classifier to read features from.
    """
    return cast("Outputs", adapted(model)(images, outputs="all", pids=pids, **arguments))


def features_of(model: nn.Module, images: Tensor, labels: Mapping[str, Any]) -> Tensor:
    """Run a model in evaluation mode and return features (B, D).

    Args:
        model: under the model contract, in evaluation mode.
        images: (B, 3, H, W).
        labels: columns of the batch by name, of which the model is given those it wants.
    """
    features: Tensor = model(images, **wanted_columns(model, labels))
    return features


def wanted_columns(model: nn.Module, labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that a model names in ``inputs``; None for those that are not known."""
    wanted = getattr(unwrap(model), "inputs", ())
    if not isinstance(wanted, tuple | list):  # a layer of a foreign module, of that name
        return {}
    return {name: labels.get(name) for name in wanted}


def adapted(model: nn.Module, loss: str = "softmax") -> nn.Module:
    """Return what calls a model under the model contract; the model itself is not changed.

    Args:
        model: a ``ReidModel``, any other module, or a wrapper of one.
        loss: what a foreign module's bare call returns in training, unless it has a ``loss``
            itself (see ``ReidModel``).

    Returns:
        The model, if it keeps the contract already; otherwise an ``Adapter`` around it.
    """
    if any(isinstance(each, ReidModel | Adapter) for each in unwrapping(model)):
        return model
    if isinstance(model, nn.DataParallel) and model.device_ids:
        # Its replicas run in threads, each of which must watch its own layers.
        inner = adapted(model.module, loss)
        return nn.DataParallel(inner, model.device_ids, model.output_device, model.dim)
    return Adapter(model, loss)


class Adapter(Wrapper):
    """Calls a foreign module as a ``ReidModel`` is called.

    Args:
        module: any network or wrapper of one; its parameters, keys, hooks and class stay as they
            are, and it decides whether it trains or evaluates.
        loss: what a bare call returns in training, unless the network has a ``loss`` itself.
    """

    def __init__(self, module: nn.Module, loss: str = "softmax") -> None:
        super().__init__()
        self.module = module
        self.training = module.training
        network = unwrap(module)
        own_loss = getattr(network, "loss", None)
        self.loss = own_loss if isinstance(own_loss, str) else checked_loss(loss)
        linear = [name for name, child in network.named_modules() if isinstance(child, nn.Linear)]
        self.classifier_name = linear[-1] if linear else ""

    def forward(
        self,
        images: Tensor,
        return_featuremaps: bool = False,
        outputs: Literal["auto", "all"] = "auto",
        pids: Tensor | None = None,
        **arguments: Any,
    ) -> Any:
        """Run the foreign ``forward`` and sort out what it returned (see ``ReidModel.forward``).

        Args:
            images: normalised images (B, 3, H, W).
            return_featuremaps: give the last maps, if the module's ``forward`` can.
            outputs: ``"all"`` gives ``Outputs(logits, features)`` in either mode.
            pids: part of the contract; foreign modules are not given them.
            **arguments: handed on to the module.
        """
        if return_featuremaps:
            return self._featuremaps(images, arguments)
        with self._watching() as calls:
            result = self.module(images, **arguments)
        call = calls[-1] if calls else None
        is_classifier = call is not None and _shape(result) == _shape(call.output)
        if not self._network.training and not is_classifier:
            features = cast("Tensor", result)
            return Outputs(self._classify(features), features) if outputs == "all" else features
        seen = self._pair(result, call)
        if outputs == "all":
            return seen
        return trained_on(self.loss, seen) if self._network.training else seen.features

    @property
    def _network(self) -> nn.Module:
        return unwrap(self.module)

    @property
    def _classifier(self) -> nn.Module | None:
        return self._network.get_submodule(self.classifier_name) if self.classifier_name else None

    @contextmanager
    def _watching(self) -> Iterator[list[_Call]]:
        """List the calls of the classifier, on which nothing is left afterwards."""
        calls: list[_Call] = []
        classifier = self._classifier
        if classifier is None:
            yield calls
            return

        def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            # Replicas of one layer share their hooks: this one listens to its own layer alone.
            if layer is classifier:
                calls.append(_Call(inputs[0].flatten(1), output))

        handle = classifier.register_forward_hook(note)
        try:
            yield calls
        finally:
            handle.remove()

    def _featuremaps(self, images: Tensor, arguments: dict[str, Any]) -> Tensor:
        network = self._network
        if "return_featuremaps" not in inspect.signature(network.forward).parameters:
            raise UserError(
                f"{type(network).__name__} gives no feature maps",
                "Let its forward take return_featuremaps=True, or subclass ReidModel.",
            )
        return cast("Tensor", self.module(images, return_featuremaps=True, **arguments))

    def _pair(self, result: Any, call: _Call | None) -> Outputs:
        is_pair = isinstance(result, tuple) and len(result) == 2
        # Two branches of logits have one shape; logits and features have two.
        if is_pair and (self.loss != "softmax" or _shape(result[0]) != _shape(result[1])):
            return Outputs(*result)
        return Outputs(result, cast("Features", call.features if call else None))

    def _classify(self, features: Tensor) -> Tensor:
        classifier = self._classifier
        fits = isinstance(classifier, nn.Linear) and features.shape[-1] == classifier.in_features
        if classifier is None or not fits:
            raise UserError(
                f"{type(self._network).__name__} gives no logits in evaluation mode",
                "Subclass ReidModel to have both.",
            )
        logits: Tensor = classifier(features)
        return logits


class _Call(NamedTuple):
    """One call of the classifier: its input, flat (B, D), and its output."""

    features: Tensor
    output: Tensor


def _shape(value: object) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None
