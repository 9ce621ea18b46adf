"""Loss terms: a weight and a criterion each, called in the criterion's own way."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from reidcore._validation import kind_of
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.accuracy import accuracy
from reidcore.engine.process_group import gather_differentiably, gather_rows
from reidcore.errors import ConfigError, PluginDefectError, UserError, did_you_mean
from reidcore.optim.groups import gradients_in

if TYPE_CHECKING:
    from reidcore.models import Outputs
    from reidcore.registry import Component, Entry

RESERVED_FIGURES = frozenset(
    [
        "acc",
        "data",
        "data_seconds",
        "epoch",
        "lr",
        "rank1",
        "seconds",
        "skipped_images",
        "step",
        "time",
    ]
)
"""Names that the record of an epoch and the writers have for figures of their own."""

Criterion = Callable[..., Tensor]
LossTerms = dict[str, tuple[float, Criterion]]


class MadeTerms(LossTerms):
    """Loss terms that plugins' factories made.

    Attributes:
        origins: name -> the loss and its plugin, for messages. A criterion is no place for that: it
            may be torch's own function, and stand under two names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.origins: dict[str, str] = {}


def make_terms(losses: Mapping[str, tuple[float, Component]], **supplied: Any) -> MadeTerms:
    """Make weighted loss terms.

    Args:
        losses: name -> its weight, and the loss with its options. Its factory gives one criterion
            or several: name -> weight and criterion.
        supplied: what the core hands to the factories, such as ``num_classes``.

    Raises:
        ConfigError: if two losses give terms of one name.
    """
    terms = MadeTerms()
    for name, (weight, component) in losses.items():
        made = component.make(**supplied)
        for term, (share, criterion) in _criteria(component.entry, name, made).items():
            if term in terms:
                raise ConfigError(
                    f"the loss {name!r} brings a term {term!r}, and there is one already",
                    f"Leave {term!r} out of loss.terms, or set its weight in loss.{name} to 0.",
                )
            terms[term] = (weight * share, criterion)
            terms.origins[term] = component.entry.origin
    return terms


def modules_of(terms: LossTerms) -> nn.ModuleList:
    """Return the criteria that are modules, which may hold parameters and buffers."""
    return nn.ModuleList(each for _, each in terms.values() if isinstance(each, nn.Module))


def parameters_of(terms: LossTerms) -> list[nn.Parameter]:
    """Return what the criteria learn without an optimizer of their own."""
    modules = nn.ModuleList(each for each in modules_of(terms) if not _has_optimizer(each))
    return list(modules.parameters())


def optimizers_of(terms: LossTerms, given: Mapping[str, Optimizer]) -> dict[str, Optimizer]:
    """Return the optimizers of what criteria learn, made where none is given.

    Args:
        terms: those with a method ``make_optimizer`` are asked, each criterion once.
        given: name of a term -> its optimizer.

    Raises:
        UserError: if one is given for a name that is no term's.
        PluginDefectError: if a criterion makes something else.
    """
    if strangers := given.keys() - terms.keys():
        name = sorted(strangers)[0]
        hint = did_you_mean(name, terms) or f"Its losses are: {', '.join(terms)}."
        raise UserError(f"engine.loss_optimizers has {name!r}, which is no loss of the run", hint)
    made = dict(given)
    owners = [terms[name][1] for name in given]
    for name, (_, criterion) in terms.items():
        if _has_optimizer(criterion) and all(criterion is not owner for owner in owners):
            optimizer = criterion.make_optimizer()  # type: ignore[attr-defined]
            if not isinstance(optimizer, Optimizer):
                wanted = "a torch.optim.Optimizer in make_optimizer"
                raise PluginDefectError(
                    f"{_origin(terms, name)} gave {kind_of(optimizer)}; it must give {wanted}"
                )
            made[name] = optimizer
            owners.append(criterion)
    return made


def undo_weights(terms: LossTerms, optimizers: Mapping[str, Optimizer]) -> None:
    """Divide the gradients of what criteria learn by the weights of their terms.

    A weight says how much the network heeds a loss; how fast the loss itself learns is its
    optimizer's rate alone.

    Args:
        terms: with their weights.
        optimizers: name of a term -> the optimizer of what its criterion learns; the gradients are
            complete and not scaled.
    """
    for name, optimizer in optimizers.items():
        owner = terms[name][1]
        weight = sum(weight for weight, criterion in terms.values() if criterion is owner)
        gradients = gradients_in(optimizer)
        if gradients and weight not in (0, 1):
            torch._foreach_div_(gradients, weight)


def _has_optimizer(criterion: Criterion) -> bool:
    return callable(getattr(criterion, "make_optimizer", None))


def _origin(terms: LossTerms, name: str) -> str:
    """Return the loss of a term, and its plugin if one made it, for messages."""
    origins = terms.origins if isinstance(terms, MadeTerms) else {}
    return origins.get(name, f"the loss {type(terms[name][1]).__name__}")


def _criteria(entry: Entry, name: str, made: Any) -> LossTerms:
    """Return what a factory of losses gave as weighted criteria by name.

    Raises:
        PluginDefectError: if it gave something else, or a name that the record has for its own.
    """
    several = made if isinstance(made, Mapping) else {name: (1.0, made)}
    for term, pair in several.items():
        is_pair = isinstance(pair, tuple) and len(pair) == 2
        if not is_pair or not isinstance(pair[0], float | int) or not callable(pair[1]):
            odd = pair[1] if is_pair else pair
            raise entry.defect(odd, f"a callable for {term!r}, or weights and callables by name")
        if not isinstance(term, str) or term in RESERVED_FIGURES:
            raise entry.defect(term, f"another name: the record keeps {sorted(RESERVED_FIGURES)}")
    return dict(several)


def _scalar(origin: str, value: Any) -> Tensor:
    """Return what a criterion gave, if it is a scalar to learn from.

    Raises:
        PluginDefectError: if it is not; the criterion's plugin is named.
    """
    if isinstance(value, Tensor) and value.numel() == 1 and value.is_floating_point():
        return value
    raise PluginDefectError(f"{origin} gave {kind_of(value)}; it must give a scalar of floats")


def takes_outputs(criterion: Criterion) -> bool:
    """Say whether a loss is called as ``loss(outputs, batch)``."""
    return _parameters(criterion)[:2] == ("outputs", "batch")


def input_of(criterion: Criterion, outputs: Outputs) -> Any:
    """Return what a loss called as ``loss(x, pids)`` takes: logits or features.

    Raises:
        UserError: if the model gives none.
    """
    wanted = _takes(criterion)
    found = getattr(outputs, wanted)
    if found is None:
        raise UserError(
            f"the loss {getattr(criterion, '__name__', type(criterion).__name__)} needs {wanted}, "
            "and the model gives none",
            "Return (logits, features) in training, or subclass ReidModel.",
        )
    return found


def learns_from_logits(terms: LossTerms) -> bool:
    """Say whether some term may train the classifier: one of all outputs may, save it says no."""
    return any(weight and _takes(criterion) == "logits" for weight, criterion in terms.values())


def top1(outputs: Outputs, pids: Tensor, terms: LossTerms) -> Tensor | None:
    """Return the accuracy of a batch in percent, or None where no term trains the classifier."""
    if outputs.logits is None or (terms and not learns_from_logits(terms)):
        return None
    first = outputs.logits if isinstance(outputs.logits, Tensor) else outputs.logits[0]
    return accuracy(first.detach(), pids)[0].squeeze()


def weighted_terms(
    terms: LossTerms,
    outputs: Outputs,
    batch: Mapping[str, Any],
    compute_loss: Callable[[Criterion, Any, Tensor], Tensor],
) -> dict[str, Tensor]:
    """Return the weighted terms of a batch; ``compute_loss`` calls those that take ``pids``.

    A criterion whose attribute ``across_ranks`` is true is given the outputs and labels of all
    processes.
    """
    return {
        name: weight
        * _scalar(_origin(terms, name), _value(criterion, outputs, batch, compute_loss))
        for name, (weight, criterion) in terms.items()
    }


def _value(
    criterion: Criterion,
    outputs: Outputs,
    batch: Mapping[str, Any],
    compute_loss: Callable[[Criterion, Any, Tensor], Tensor],
) -> Any:
    across_ranks = getattr(criterion, "across_ranks", False)
    if takes_outputs(criterion):
        return criterion(*(_everywhere(outputs, batch) if across_ranks else (outputs, batch)))
    taken, pids = input_of(criterion, outputs), batch["pid"]
    if across_ranks:
        taken, pids = _gathered(taken), gather_rows(pids)
    return compute_loss(criterion, taken, pids)


def _everywhere(outputs: Outputs, batch: Mapping[str, Any]) -> tuple[Outputs, Mapping[str, Any]]:
    """Return the outputs of all processes, to be differentiated, and the labels that are tensors.

    Images stay where they are. On one process both are as they were.
    """
    if rank_and_world()[1] == 1:
        return outputs, batch
    size = len(batch["pid"])
    labels = {
        name: column
        for name, column in batch.items()
        if isinstance(column, Tensor) and column.dim() and len(column) == size and name != "img"
    }
    gathered = {name: gather_rows(column) for name, column in labels.items()}
    return type(outputs)(*map(_gathered, outputs)), gathered


def _gathered(output: Any) -> Any:
    """Gather what a model gives: a tensor, one for each of its branches, or nothing."""
    if isinstance(output, tuple | list):
        return type(output)(gather_differentiably(part) for part in output)
    return output if output is None else gather_differentiably(output)


def _takes(criterion: Criterion) -> str:
    """Return ``logits`` or ``features``.

    A loss says so by its attribute ``takes`` or by naming its first parameter ``features``.
    """
    by_name = "features" if _parameters(criterion)[:1] == ("features",) else "logits"
    takes: str = getattr(criterion, "takes", by_name)
    return takes


def _parameters(criterion: Criterion) -> tuple[str, ...]:
    """Return the names of the parameters that a loss is called with."""
    called: Any = criterion.forward if isinstance(criterion, nn.Module) else criterion
    if not inspect.isroutine(called) and not isinstance(called, functools.partial):
        called = called.__call__
    function = getattr(called, "__func__", None)
    # A method's own function outlives its object, and has "self" before what it is called with.
    return _names(called) if function is None else _names(function)[1:]


@functools.lru_cache(maxsize=64)
def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return a function's parameters; asked in every step, and told but once."""
    return tuple(inspect.signature(function).parameters)
