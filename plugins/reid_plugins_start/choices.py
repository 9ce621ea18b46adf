"""What is decided from what is known, each with its reason: the recipe of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from reid_plugins_start.facts import Facts
from reidcore.errors import DataError, counted


class Reach(NamedTuple):
    """What a threshold needs.

    Attributes:
        fmr: a false match rate.
        ids: as many identities as the data must have for it.
        validation: as many of them as a calibration needs.
    """

    fmr: float
    ids: int
    validation: int


REACHES = (Reach(0.1, 30, 10), Reach(0.01, 100, 25), Reach(0.001, 520, 78))
"""Which thresholds can be had, the easiest first."""

_LEAST_VALIDATION = 0.15

_MULTIPLE, _LEAST_SIDE = 16, 32
_AREAS = {"cpu": 128 * 64, "gpu": 256 * 128}
_BATCHES = {"cpu": 32, "gpu": 64}
_SEEN, _FEWEST_EPOCHS, _MOST_EPOCHS = 14_000, 12, 60
"""Images that a small training sees, and between which epochs that stays."""


class Choice(NamedTuple):
    """One key of the configuration.

    Attributes:
        key: with dots.
        value: what it is set to.
        why: in a line.
    """

    key: str
    value: Any
    why: str

    def __str__(self) -> str:
        value = str(self.value).lower() if isinstance(self.value, bool) else self.value
        return f"{self.key}={value}: {self.why}"


class Shares(NamedTuple):
    """How identities are shared out: to learn from, for validation; and why."""

    train: float
    validation: float
    why: str


@dataclass(frozen=True)
class Machine:
    """What trains.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        cpus: processors that may be used.
        cached: models -> published weights of theirs that are on this machine.
    """

    device: str
    cpus: int
    cached: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Return ``cpu`` or ``gpu``."""
        return "cpu" if self.device == "cpu" else "gpu"


def choose_shares(ids: int) -> Shares:
    """Share identities out, so that a threshold can be had where there are enough of them."""
    reached = [reach for reach in REACHES if reach.ids <= ids]
    further = further_reaches(ids)
    wanting = f" (false matches of {further[0]})" if further else ""
    if not reached:
        return Shares(
            0.7,
            0.0,
            f"{counted(ids, 'identity', 'identities')}: too few for a threshold of their own, so "
            f"none are kept for validation{wanting}",
        )
    validation = max(_LEAST_VALIDATION, reached[-1].validation / ids)
    test = 0.2 if ids < 40 else 0.25
    return Shares(
        round(1 - validation - test, 4),
        round(validation, 4),
        f"{round(validation * ids)} of {ids:,} identities are kept for the threshold, "
        f"{round(test * ids)} for the test{wanting}",
    )


def further_reaches(ids: int) -> list[str]:
    """Return which false matches want more identities than so many, and how many they want."""
    return [f"{100 * fmr:g} % want {wanted}" for fmr, wanted, _ in REACHES if wanted > ids]


def choose_model(facts: Facts, machine: Machine) -> list[Choice]:
    """Choose a network for the device, and its first weights where they are on this machine."""
    if machine.kind == "cpu":
        small = "osnet_x0_25" if facts.images["train"] < 5000 else "osnet_x0_5"
        name, why = small, "small enough to train on a CPU in minutes"
    else:
        name, why = "osnet_x1_0", "2.2 million parameters: exact, and fast in a tracker"
    chosen = [Choice("model.name", name, why)]
    if name in machine.cached:
        told = f"{machine.cached[name]}, which is on this machine"
        return [*chosen, Choice("model.pretrained", True, told)]
    none = f"random weights: none are on this machine (reidcore weights fetch {name} gets some)"
    return [*chosen, Choice("model.pretrained", False, none)]


def choose_size(facts: Facts, machine: Machine) -> list[Choice]:
    """Choose height and width: the images' shape, at an area that the device can bear."""
    height, width = facts.median
    if not height or not width:
        raise DataError("no image could be read", "See what the check of the data found")
    area = min(_AREAS[machine.kind], max(height * width, _LEAST_SIDE**2))
    aspect = min(4.0, max(0.25, height / width))
    sides = (math.sqrt(area * aspect), math.sqrt(area / aspect))
    chosen = [max(_LEAST_SIDE, round(side / _MULTIPLE) * _MULTIPLE) for side in sides]
    why = f"the median crop is {height} high and {width} wide"
    return [Choice("data.height", chosen[0], why), Choice("data.width", chosen[1], "its shape")]


def choose_batch(facts: Facts, machine: Machine) -> Choice:
    """Choose how many images a step sees."""
    usual = _BATCHES[machine.kind]
    batch = max(8, min(usual, facts.images["train"] // 4))
    why = "usual for the device" if batch == usual else "few images: at least four steps an epoch"
    return Choice("train.batch_size", batch, why)


def choose_epochs(facts: Facts, batch: int, step: float, minutes: float | None) -> Choice:
    """Choose how often the images are seen.

    Args:
        facts: of the data.
        batch: images of a step.
        step: seconds that a step takes, as tried.
        minutes: what the training may take at most; None for as long as it needs.
    """
    images = max(1, facts.images["train"])
    epochs = min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(_SEEN / images)))
    steps = max(1, images // batch)
    cost = epochs * steps * step / 60
    why = (
        f"{counted(images, 'image')} seen {epochs} times, about {max(1, round(cost))} min at "
        f"{step:.2f} s a step"
    )
    if minutes is not None and cost > minutes:
        epochs = max(1, int(minutes * 60 / (steps * step)))
        why = f"as many as fit into {minutes:g} min at {step:.2f} s a step"
    return Choice("train.max_epoch", epochs, why)


def choose_rest(facts: Facts, machine: Machine) -> list[Choice]:
    """Choose losses, optimizer, augmentation and test."""
    workers = 0 if machine.cpus < 2 else min(4, machine.cpus)
    return [
        Choice("data.transforms", ["random_flip", "random_crop"], "mirrored and shifted crops"),
        Choice("data.workers", workers, f"{counted(machine.cpus, 'processor')}"),
        Choice("loss.name", "softmax", "identities as classes"),
        Choice("loss.softmax.label_smooth", True, "against overfitting to few identities"),
        Choice("train.optim", "amsgrad", "a small OSNet from scratch learns fast with it"),
        Choice("train.lr", 0.0035, "the rate of the quickstart"),
        Choice("train.lr_scheduler", "cosine", "down to 0 at the last epoch"),
        Choice("train.channels_last", True, "faster convolutions"),
        Choice("train.keep_checkpoints", 2, "to go on from; older ones are removed"),
        Choice("test.protocol", facts.protocol, "as the split says"),
        Choice("test.dist_metric", "cosine", "what trackers and thresholds compare"),
        Choice("test.select_on", "none", "the last epoch: the test chooses nothing"),
    ]
