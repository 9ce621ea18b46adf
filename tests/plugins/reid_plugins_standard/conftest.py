from pathlib import Path

import numpy as np
import pytest
import torch

from reidcore import hookimpl
from reidcore.plugins import make_plugins


class Author:
    """A plugin with an optimizer and a scheduler of its own, beside the standard ones."""

    seen = None

    @hookimpl
    def reid_register_optimizers(self, registry):
        registry.add("tuned", self.tuned)

    @hookimpl
    def reid_register_schedulers(self, registry):
        registry.add("flat", self.flat)

    def tuned(self, groups, lr, weight_decay, *, momentum=0.5, trust=1.0):
        self.seen = {"momentum": momentum, "trust": trust}
        return torch.optim.SGD(groups, lr=lr, momentum=momentum)

    @staticmethod
    def flat(optimizer, *, height=1.0):
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: height)


@pytest.fixture(scope="session")
def author():
    return Author()


@pytest.fixture(scope="session")
def plugins(author):
    return make_plugins(entry_points=False, extra=["reid_plugins_standard", author])


@pytest.fixture(scope="session")
def gold():
    with np.load(Path(__file__).parents[2] / "fixtures/optim/trajectories.npz") as arrays:
        return dict(arrays)
