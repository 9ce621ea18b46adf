"""What a network costs: parameters and multiply-adds, layer by layer, as it runs at test time."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from reidcore.errors import UserError, printable
from reidcore.models import unwrap, wanted_columns

Cost = Callable[[Any, Tensor, Tensor], int]


class LayerCost(NamedTuple):
    """One call of one layer.

    Attributes:
        kind: the layer's class.
        params: its parameters.
        flops: its operations for this input.
        outputs: numbers that it gives.
    """

    kind: str
    params: int
    flops: int
    outputs: int


def compute_model_complexity(
    model: nn.Module,
    input_size: Sequence[int],
    verbose: bool = False,
    only_conv_linear: bool = True,
) -> tuple[int, int]:
    """Count a network's parameters and multiply-adds at test time.

    What is not used to extract features, such as the classifier, does not count; a layer that is
    used several times counts each time; what no innermost layer holds or does, such as a
    transformer's positions and the products of its attention, is left out. These are Torchreid's
    conventions.

    Args:
        model: the network; it is left in the mode it was in.
        input_size: ``(B, 3, height, width)``.
        verbose: print a table by kind of layer.
        only_conv_linear: count convolutions and linear layers alone; otherwise also pooling,
            activations and normalisation.

    Returns:
        The number of parameters and of operations.

    Raises:
        UserError: if that is no size, or the network does not run on such an input.
    """
    _check_size(input_size)
    calls = record_calls(model, input_size, CONV_LINEAR if only_conv_linear else _ALL)
    params = sum(call.params for call in calls)
    flops = sum(call.flops for call in calls)
    if verbose:
        sys.stdout.write(f"{printable(describe(calls, input_size))}\n")
    return params, flops


def record_calls(
    model: nn.Module, input_size: Sequence[int], costs: dict[type[nn.Module], Cost]
) -> list[LayerCost]:
    """Run a network once and return every call of its innermost layers."""
    calls: list[LayerCost] = []

    def note(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        cost = costs.get(type(layer))
        flops = cost(layer, inputs[0], output) if cost else 0
        params = sum(parameter.numel() for parameter in layer.parameters(recurse=False))
        outputs = output.numel() if isinstance(output, Tensor) else 0
        calls.append(LayerCost(type(layer).__name__, params, flops, outputs))

    parameter = next(model.parameters(), torch.empty(0))
    images = torch.rand(*input_size, device=parameter.device, dtype=parameter.dtype)
    first = torch.zeros(len(images), dtype=torch.long, device=images.device)
    columns = dict.fromkeys(wanted_columns(model, {}), first)
    with _watching(model, note), torch.inference_mode():
        try:
            model(images, **columns)
        except (RuntimeError, ValueError) as error:
            name = type(unwrap(model)).__name__
            raise UserError(
                f"{name} does not run on an input of size {tuple(input_size)}: {error}",
                "Give (batch, channels, height, width), such as (1, 3, 256, 128).",
            ) from error
    return calls


def _check_size(input_size: Sequence[int]) -> None:
    whole = all(isinstance(side, int) and side > 0 for side in input_size)
    if not whole or len(input_size) < 2:
        raise UserError(
            f"input_size={tuple(input_size)}",
            "Give (batch, channels, height, width), such as (1, 3, 256, 128).",
        )


def describe(calls: Sequence[LayerCost], input_size: Sequence[int]) -> str:
    """Return a table by kind of layer."""
    lines = [f"Complexity for an input of size {tuple(input_size)}"]
    kinds = dict.fromkeys(call.kind for call in calls)
    for kind in kinds:
        of_kind = [call for call in calls if call.kind == kind]
        lines.append(_row(kind, of_kind))
    return "\n".join([*lines, _row("total", calls)])


def _row(name: str, calls: Sequence[LayerCost]) -> str:
    params, flops = sum(call.params for call in calls), sum(call.flops for call in calls)
    return f"  {name:<20}{params:>16,} params {flops:>20,} flops"


@contextmanager
def _watching(model: nn.Module, note: Callable[..., None]) -> Iterator[None]:
    """Call ``note`` for each innermost layer while the model is in evaluation mode."""
    modes = {module: module.training for module in model.modules()}
    handles: list[RemovableHandle] = []

    def watch(module: nn.Module) -> None:
        if not any(True for _ in module.children()):
            handles.append(module.register_forward_hook(note))

    # This comes to a layer once for each parent that holds it, and so often Torchreid counts it.
    model.apply(watch)
    try:
        model.eval()
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training


# What a layer costs. An element of the output costs a number of operations that depends on the
# layer's kind; the conventions are those under which the field publishes its figures.


def _convolution(layer: Any, images: Tensor, output: Tensor) -> int:
    products: int = math.prod(layer.kernel_size) * layer.in_channels
    groups: int = layer.groups
    return (products + (layer.bias is not None)) * output.numel() // groups


def _linear(layer: nn.Linear, inputs: Tensor, output: Tensor) -> int:
    return (layer.in_features + (layer.bias is not None)) * output.numel()


def _window(size: int | tuple[int, ...], dimensions: int) -> int:
    return math.prod(size) if isinstance(size, tuple) else size**dimensions


def _max_pooling(layer: Any, images: Tensor, output: Tensor) -> int:
    return (_window(layer.kernel_size, images.dim() - 2) - 1) * output.numel()


def _average_pooling(layer: Any, images: Tensor, output: Tensor) -> int:
    return _window(layer.kernel_size, images.dim() - 2) * output.numel()


def _adaptive_window(images: Tensor, output: Tensor) -> int:
    sizes = zip(images.shape[2:], output.shape[2:], strict=True)
    return math.prod(math.ceil(before / after) for before, after in sizes)


def _adaptive_max(layer: Any, images: Tensor, output: Tensor) -> int:
    return (_adaptive_window(images, output) - 1) * output.numel()


def _adaptive_average(layer: Any, images: Tensor, output: Tensor) -> int:
    return _adaptive_window(images, output) * output.numel()


def _elementwise(layer: Any, inputs: Tensor, output: Tensor) -> int:
    return output.numel()


def _leaky(layer: Any, inputs: Tensor, output: Tensor) -> int:
    return 3 * output.numel()


def _normalisation(layer: Any, inputs: Tensor, output: Tensor) -> int:
    is_affine = getattr(layer, "affine", getattr(layer, "elementwise_affine", False))
    return (4 if is_affine else 2) * output.numel()


CONV_LINEAR: dict[type[nn.Module], Cost] = {
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), _convolution),
    nn.Linear: _linear,
}
_ALL: dict[type[nn.Module], Cost] = {
    **CONV_LINEAR,
    **dict.fromkeys((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), _max_pooling),
    **dict.fromkeys((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), _average_pooling),
    **dict.fromkeys(
        (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d), _adaptive_max
    ),
    **dict.fromkeys(
        (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), _adaptive_average
    ),
    **dict.fromkeys((nn.ReLU, nn.ReLU6), _elementwise),
    nn.LeakyReLU: _leaky,
    **dict.fromkeys(
        (
            *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
            *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
            *(nn.GroupNorm, nn.LayerNorm),
        ),
        _normalisation,
    ),
}
