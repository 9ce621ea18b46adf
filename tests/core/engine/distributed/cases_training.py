"""Short trainings that must end with the same weights on one process and on several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reidcore import hookimpl
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine import Engine, StepOutcome, barrier
from reidcore.models import Outputs, ReidModel, outputs_of, unwrap
from reidcore.testing import fake_dataset, tiny_run


class Plain(ReidModel):
    """A network without batch statistics and dropout."""

    feature_dim = 8

    def __init__(self, num_classes: int, loss: str = "softmax", pretrained: bool = False) -> None:
        super().__init__(loss)
        self.conv = nn.Conv2d(3, 16, 3, stride=2)
        self.norm: nn.Module = nn.GroupNorm(4, 16)
        self.embedding = nn.Linear(16, 8)
        self.classifier = nn.Linear(8, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(images)))

    def embed(self, maps: Tensor) -> Tensor:
        features: Tensor = self.embedding(maps.mean(dim=(2, 3)))
        return features


class Normalised(Plain):
    """The same network with batch statistics."""

    def __init__(self, num_classes: int, loss: str = "softmax", pretrained: bool = False) -> None:
        super().__init__(num_classes, loss)
        self.norm = nn.BatchNorm2d(16)


class Centers(nn.Module):
    """Distances to a learnt centre of each identity; each process sees its own images."""

    takes = "features"

    def __init__(self, num_classes: int, feature_dim: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(start(num_classes, feature_dim))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        return (features - self.centers[pids]).square().sum(1).mean()


class Memory(nn.Module):
    """Contrast with a memory of all identities, which every batch of all processes refreshes."""

    across_ranks = True

    def __init__(self, num_classes: int, feature_dim: int) -> None:
        super().__init__()
        self.memory: Tensor
        self.register_buffer("memory", start(num_classes, feature_dim))

    def forward(self, outputs: Outputs, batch: Mapping[str, Any]) -> Tensor:
        features, pids = outputs.features, batch["pid"]
        assert isinstance(features, Tensor)
        loss = nn.functional.cross_entropy(features @ self.memory.clone().t(), pids)
        for feature, pid in zip(features.detach(), pids.tolist(), strict=True):
            self.memory[pid] = 0.9 * self.memory[pid] + 0.1 * feature
        return loss


def start(num_classes: int, feature_dim: int) -> Tensor:
    """Return what a loss holds of each identity at first."""
    return torch.linspace(-1, 1, num_classes * feature_dim).view(num_classes, feature_dim)


class Components:
    """A plugin with the network and the losses above."""

    @hookimpl
    def reid_register_models(self, registry: Any) -> None:
        registry.add("plain", Plain)
        registry.add("normalised", Normalised)

    @hookimpl
    def reid_register_losses(self, registry: Any) -> None:
        registry.add("centers", lambda num_classes, feature_dim: Centers(num_classes, feature_dim))
        registry.add("memory", lambda num_classes, feature_dim: Memory(num_classes, feature_dim))


@dataclass(eq=False)
class Watch:
    """A plugin that notes what each step does.

    Attributes:
        keeps_statistics: leave those of batch normalisation as they are.
    """

    keeps_statistics: bool
    losses: list[dict[str, float]] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    exchanges: list[bool | None] = field(default_factory=list)
    images: list[list[str]] = field(default_factory=list)
    pixels: list[Tensor] = field(default_factory=list)

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        for module in engine.model.modules():
            if self.keeps_statistics and isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.eval()

    @hookimpl(wrapper=True)
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> Iterator[Any]:
        self.exchanges.append(getattr(engine.network, "require_backward_grad_sync", None))
        self.images.append([Path(path).name for path in batch["impath"]])
        self.pixels.append(batch["img"])
        return (yield)

    @hookimpl
    def reid_step_end(self, engine: Engine, outcome: StepOutcome) -> None:
        self.losses.append({name: float(loss) for name, loss in outcome.losses.items()})
        self.networks.append(type(engine.network).__name__)


class ByHand:
    """A plugin whose step is written as for Torchreid: nothing of the engine's but its parts."""

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> dict[str, float]:
        assert engine.optimizer is not None
        images, pids = engine.parse_data_for_train(batch)
        engine.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(engine.model(images), pids)
        loss.backward()
        engine.optimizer.step()
        return {"loss": loss.item()}


class EveryOther:
    """A plugin whose steps train the classifier every other time."""

    step = 0

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> StepOutcome:
        self.step += 1
        losses = engine.losses(batch)
        engine.backward(losses["softmax"] if self.step % 2 else losses["triplet"])
        engine.optimizer_step()
        return engine.outcome(losses)


class TwoPasses:
    """A plugin whose steps go backwards twice, the second time through the classifier alone."""

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> StepOutcome:
        losses = engine.losses(batch)
        engine.backward(losses)
        parsed = engine.parse(batch)
        model = unwrap(engine.model)
        assert isinstance(model, ReidModel)
        with torch.no_grad():
            features = model.embed(model.featuremaps(parsed["img"]))
        logits = model.classifier(features)
        engine.backward(nn.functional.cross_entropy(logits, parsed["pid"]))
        engine.optimizer_step()
        return engine.outcome(losses)


class TwoModels:
    """A plugin that trains a second model beside the first, from other weights in each process."""

    @hookimpl
    def reid_model_built(self, engine: Engine) -> None:
        if len(engine.states) == 1:
            with torch.random.fork_rng([]):
                torch.manual_seed(5 + 7 * rank_and_world()[0])
                model = Plain(engine.datamanager.num_train_pids)
            engine.register_model("second", model, torch.optim.SGD(model.parameters(), lr=0.05))

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> StepOutcome:
        losses = engine.losses(batch)
        parsed = engine.parse(batch)
        second = outputs_of(engine.states["second"].network, parsed["img"])
        losses["second"] = nn.functional.cross_entropy(second.logits, parsed["pid"])
        engine.backward(losses)
        engine.optimizer_step()
        return engine.outcome(losses)


class OneIsNotFinite:
    """A plugin that leaves out batches without a finite loss, as the last process has in one."""

    step = 0

    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Iterator[Any]:
        losses = yield
        self.step += 1
        rank, world = rank_and_world()
        is_lost = self.step == 2 and rank == world - 1
        return {name: loss * torch.nan if is_lost else loss for name, loss in losses.items()}

    @hookimpl(wrapper=True)
    def reid_forward_backward(self) -> Iterator[Any]:
        try:
            return (yield)
        except FloatingPointError:
            return StepOutcome.skipped()


class OneOverflows:
    """A plugin whose loss overflows in fp16, in the last process and the first two steps alone.

    The gradients of the first step are averaged after the backward pass, those of the second in it.
    """

    step = 0

    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Iterator[Any]:
        losses = yield
        self.step += 1
        rank, world = rank_and_world()
        factor = 1e9 if self.step <= 2 and rank == world - 1 else 1.0
        return {name: loss * factor for name, loss in losses.items()}


PAIRS = ("sampler.train_sampler=RandomIdentitySampler", "sampler.num_instances=2")
BOTH = ("loss.terms={softmax: 1.0, triplet: 1.0}", *PAIRS)
CASES: dict[str, tuple[str, ...]] = {
    "softmax": (),
    "triplet": ("loss.name=triplet", *PAIRS),
    "identities_of_one_process_each": ("loss.name=triplet", PAIRS[0], "sampler.num_instances=4"),
    "centers": ("loss.terms={softmax: 1.0, centers: 0.5}",),
    "own_optimizer": (
        "loss.terms={softmax: 1.0, center: 0.0005}",
        "train.lr_step_by=step",
        "train.warmup_epochs=1",
        "train.groups={bias: {lr_mult: 2}}",
    ),
    "memory": ("loss.terms={memory: 1.0, softmax: 0.1}", *PAIRS),
    "accumulated": ("train.accumulate=2", *BOTH),
    "fixbase": ("train.fixbase_epoch=1", "train.max_epoch=2", *BOTH),
    "osnet_softmax": ("model.name=osnet_x0_25",),
    "osnet_triplet": ("model.name=osnet_x0_25", "loss.name=triplet", *PAIRS),
    "osnet_centers": ("model.name=osnet_x0_25", "loss.terms={softmax: 1.0, centers: 0.005}"),
    "osnet_memory": ("model.name=osnet_x0_25", "loss.terms={softmax: 1.0, memory: 0.1}", *PAIRS),
    "by_hand": (),
    "every_other": BOTH,
    "two_passes": (),
    "center": ("loss.terms={softmax: 1.0, center: 0.0005}",),
    "damaged": ("data.on_bad_image=skip", "data.check_images=none", *BOTH),
    "frozen": (*(f"settings.training.freeze.{key}" for key in ("layers=[conv]", "steps=1")), *BOTH),
    "two_models": (),
    "mutual": ("loss.name=dml", *PAIRS),
    "not_finite": (),
    "overflow": ("train.amp=fp16",),
    "tricks": (
        *("settings.training.ema.decay=0.8", "settings.training.clip.norm=0.1"),
        *("settings.training.freeze={layers: [conv], steps: 2}", "train.max_epoch=2"),
    ),
    "random": ("model.name=tinynet", "train.max_epoch=2"),
}
ON_GPU = {"sync_bn": ("model.name=normalised", "use_gpu=true", "train.sync_bn=true")}
PLUGINS: dict[str, Callable[[], Any]] = {
    "by_hand": ByHand,
    "every_other": EveryOther,
    "two_passes": TwoPasses,
    "two_models": TwoModels,
    "not_finite": OneIsNotFinite,
    "overflow": OneOverflows,
}
OVERRIDES = (
    "model.name=plain",
    "data.targets=[]",
    "data.transforms=[random_flip, random_erase]",
    "train.optim=sgd",
    "train.lr=0.05",
    "train.print_freq=1",
)


@dataclass(frozen=True)
class Trained:
    """What a training gave.

    Attributes:
        weights: of the models and the losses, by their keys.
        losses: of each step, by name.
        networks: the kind of module that each step left to be called in the next one.
        exchanges: whether DDP exchanges the gradients of each batch; None where there is no DDP.
        images: the names of those in each batch.
        pixels: of each batch.
        draw: a random number after the training.
    """

    weights: dict[str, Tensor]
    losses: list[dict[str, float]]
    networks: list[str]
    exchanges: list[bool | None]
    images: list[list[str]]
    pixels: list[Tensor]
    draw: float


def train(case: str, folder: Path) -> Trained:
    """Carry out a case among as many processes as there are."""
    data = folder / "data"
    if rank_and_world()[0] == 0:
        fake_dataset(data / "tiny")
        if case == "damaged":
            sorted((data / "tiny" / "train").iterdir())[0].write_bytes(b"no image")
    barrier()
    watch = Watch(keeps_statistics=case not in ("random", "sync_bn"))
    further = [PLUGINS[case]()] if case in PLUGINS else []
    overrides = [*OVERRIDES, *(CASES | ON_GPU)[case]]
    done = tiny_run(Components(), watch, *further, save_dir=folder, root=data, overrides=overrides)
    modules = {name: unwrap(state.model) for name, state in done.engine.states.items()}
    modules |= {
        n: each for n, (_, each) in done.engine.terms.items() if isinstance(each, nn.Module)
    }
    weights = {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    noted = {name: getattr(watch, name) for name in ("losses", "networks", "exchanges", "images")}
    return Trained(weights, **noted, pixels=watch.pixels, draw=float(torch.rand(())))


def case_trained(folder: Path) -> dict[str, Trained]:
    """Carry out all of them, one after the other."""
    return {case: train(case, folder / case) for case in CASES}
