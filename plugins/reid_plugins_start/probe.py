"""How long one step of the training takes here, and what weights are here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from reidcore.models import WeightsStore, build_model, published_weights

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_TRIED = 3


def seconds_per_step(
    model: str, size: tuple[int, int], batch: int, classes: int, device: torch.device
) -> float:
    """Train a network of random weights for three steps, and return the time of the fastest.

    Args:
        model: its name.
        size: height and width of the images in pixels.
        batch: images of a step.
        classes: identities.
        device: what trains.
    """
    network = build_model(model, max(2, classes), pretrained=False).to(device).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    images = torch.rand(batch, 3, *size, device=device).to(memory_format=torch.channels_last)
    labels = torch.zeros(batch, dtype=torch.int64, device=device)
    times = []
    for _ in range(_TRIED):
        began = time.perf_counter()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return min(times)


def cached_weights(plugins: Plugins) -> Mapping[str, str]:
    """Return model -> origin of its published weights, of those that are on this machine."""
    store = WeightsStore()
    return {
        weights.name: weights.origin or weights.filename
        for _, weights in published_weights(plugins)
        if store.locate(weights) is not None
    }
