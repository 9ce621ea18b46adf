"""The layers that a setting names, in each of the networks that a run trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from reidcore.models import require_layers, unwrap

if TYPE_CHECKING:
    from torch import nn

    from reidcore.engine import Engine


def networks_with(engine: Engine, names: Sequence[str]) -> Iterator[tuple[nn.Module, list[str]]]:
    """Yield the networks that have some of these layers or parameters, each with their names.

    Of networks that are trained together each has layers of its own; one of them is enough.

    Raises:
        UnknownNameError: if no network has one of them; the message names the nearest.
    """
    networks = [unwrap(held.model) for held in engine.states.values()]
    known = [
        {name for name, _ in chain(network.named_modules(), network.named_parameters())}
        for network in networks
    ]
    require_layers(networks[0], [name for name in names if not any(name in own for own in known)])
    for network, own in zip(networks, known, strict=True):
        if present := [name for name in names if name in own]:
            yield network, present
