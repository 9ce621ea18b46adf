"""CLIP-ReID's training: words about identities are learnt first, and then teach the image tower.

Li et al., "CLIP-ReID: Exploiting Vision-Language Model for Image Re-identification without Concrete
Text Labels", AAAI 2023.

Shapes: B of a batch, C identities, P the width of the space that images and texts share.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reid_plugins_transformers.clip.model import ClipReid
from reid_plugins_transformers.clip.training_features import (
    FeatureBatches,
    describe_training_images,
)
from reidcore.engine import (
    Engine,
    EngineData,
    Precision,
    RunPlan,
    Stage,
    gather_differentiably,
    rank_and_world,
)
from reidcore.errors import ConfigError, UserError, counted
from reidcore.models import Outputs, unwrap
from reidcore.optim import build_lr_scheduler
from reidcore.plugins import Plugins

_log = logging.getLogger(f"reidcore.{__name__}")

PROMPTS, IMAGES = "prompts", "images"
"""The two stages."""

Terms = dict[str, tuple[float, Callable[..., Tensor]]]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]

_AT_ONCE = 256


class ClipReidEngine(Engine):
    """Learns the words of each identity's sentence, then the image tower by these sentences.

    In the stage ``prompts`` the words alone learn, by Adam, from features that all training images
    are described by once: each image is to say the same as the sentence about its identity, and the
    other way round. In the stage ``images`` the sentences are constants, and the image tower learns
    by the configured losses and by telling each image's sentence from all others.

    Args:
        datamanager: the data.
        model: a network of CLIP-ReID.
        optimizer: over its parameters, for the second stage.
        scheduler: stepped after each epoch of the second stage.
        terms: the losses of the second stage, beside that of images and sentences.
        prompt_epochs: length of the first stage; 0 leaves it out.
        prompt_batch_size: images in a batch of it, over all processes.
        prompt_lr: highest learning rate of the words.
        prompt_weight_decay: L2 penalty of the words.
        prompt_warmup_epochs: epochs in which their rate rises.
        prompt_warmup_lr: the rate that it rises from.
        prompt_min_lr: the rate that it falls to, along half a cosine.
        weight_i2t: weight of the loss of images and sentences in the second stage.
        label_smooth: smooth its targets.
        use_gpu: use CUDA or MPS where there is one.
        plugins: whose hooks are called; by default the current plugins.
        precision: mixed precision, memory layout and accumulation.
        step: the plugin whose replacement of the step acts, or ``core`` for none.

    Raises:
        UserError: if the model is another, or the data are tracklets.
        ConfigError: if there are no losses for the second stage, or the rate of the words would
            not rise and fall as they say.
    """

    def __init__(
        self,
        datamanager: EngineData,
        model: nn.Module,
        optimizer: Optimizer | None = None,
        scheduler: LRScheduler | None = None,
        terms: Terms | None = None,
        *,
        prompt_epochs: Count = 120,
        prompt_batch_size: Positive = 64,
        prompt_lr: Rate = 3.5e-4,
        prompt_weight_decay: NotNegative = 1e-4,
        prompt_warmup_epochs: Count = 5,
        prompt_warmup_lr: NotNegative = 1e-5,
        prompt_min_lr: NotNegative = 1e-6,
        weight_i2t: NotNegative = 1.0,
        label_smooth: bool = True,
        use_gpu: bool = True,
        plugins: Plugins | None = None,
        precision: Precision | None = None,
        step: str | None = None,
    ) -> None:
        super().__init__(datamanager, use_gpu, plugins=plugins, precision=precision, step=step)
        self.register_model("model", model, optimizer, scheduler)
        self._clip = _checked_network(model)
        self.terms = _checked_terms(terms)
        if self.data_facts.data_type != "image":
            raise UserError("CLIP-ReID learns from images, not tracklets", "Set data.type=image.")
        if prompt_epochs and prompt_warmup_epochs >= prompt_epochs:
            raise ConfigError(
                f"the words learn for {counted(prompt_epochs, 'epoch')}, and their rate would rise "
                f"for {prompt_warmup_epochs}",
                "Lower loss.clipreid.prompt_warmup_epochs, or raise loss.clipreid.prompt_epochs.",
            )
        self.prompt_epochs, self.prompt_batch_size = prompt_epochs, prompt_batch_size
        self.prompt_lr, self.prompt_weight_decay = prompt_lr, prompt_weight_decay
        self._schedule = {
            "warmup": prompt_warmup_epochs,
            "warmup_lr": prompt_warmup_lr,
            "eta_min": prompt_min_lr,
            "ahead": 1,  # as the authors', whose rate of an epoch is set at its beginning
        }
        self.weight_i2t = weight_i2t
        self.criterion_i2t = nn.CrossEntropyLoss(label_smoothing=0.1 if label_smooth else 0.0)
        self._sentences: Tensor | None = None

    # -- stages ------------------------------------------------------------------------------------

    def stages(self, plan: RunPlan) -> Sequence[Stage]:
        """Return the stage of the words, if it has an epoch, and that of the image tower."""
        images = Stage(IMAGES, plan.max_epoch, self._begin_images)
        if not (self.prompt_epochs and plan.max_epoch):
            return [images]
        return [Stage(PROMPTS, self.prompt_epochs, self._begin_prompts), images]

    def _begin_prompts(self) -> None:
        """Let the words alone learn, from features that do not change meanwhile."""
        network = self._clip
        self._check_classes()
        images = describe_training_images(self, network, self.prompt_batch_size)
        seed = self.data_facts.seed or 0
        self.train_loader = FeatureBatches(images, self.prompt_batch_size, seed)
        words = network.prompt_learner.cls_ctx
        network.requires_grad_(False)
        words.requires_grad_(True)
        optimizer = torch.optim.Adam([words], self.prompt_lr, weight_decay=self.prompt_weight_decay)
        state = self.states["model"]
        state.optimizer = optimizer
        state.scheduler = build_lr_scheduler(
            optimizer,
            "warmup_cosine",
            max_epoch=self.prompt_epochs,
            plugins=self.plugins,
            section=self._schedule,
        )

    def _begin_images(self) -> None:
        """Let the sentences be read anew: nothing changes them from here on."""
        self._check_classes()
        if not self.prompt_epochs:
            _log.warning(
                "No epoch for the prompts: the sentences about identities stay as they are, which "
                "is random unless the weights that were loaded have them"
            )
        self._sentences = None

    def _check_classes(self) -> None:
        """Refuse data whose identities the network has no sentence about.

        Raises:
            UserError: if so.
        """
        classes, pids = len(self._clip.prompt_learner.cls_ctx), self.datamanager.num_train_pids
        if classes < pids:
            raise UserError(
                f"the model has sentences about {classes} identities, and the data have {pids}",
                "Build it with num_classes=datamanager.num_train_pids.",
            )

    # -- what is minimised -------------------------------------------------------------------------

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return all loss terms of a batch: of images or, in the first stage, of their features."""
        if self.stage.name != PROMPTS:
            return super().losses(batch)
        # Plugins add terms to what the network says of images, which it is not asked for here.
        self.trace = replace(self.trace, losses_asked=True, images=batch["impath"])
        features, pids = map(self.accelerator.move, (batch["img"], batch["pid"]))
        sentences = self._sentences_of(pids)
        return {
            "i2t": image_text_contrast(features, sentences, pids),
            "t2i": image_text_contrast(sentences, features, pids),
        }

    def _sentences_of(self, pids: Tensor) -> Tensor:
        """Read the sentence about each of some identities (B,) -> (B, P), all processes a part."""
        rank, world = rank_and_world()
        with self.accelerator.autocast():
            own = self._clip.text_features(torch.tensor_split(pids, world)[rank])
        return gather_differentiably(own.float())

    def compute_terms(self, batch: Mapping[str, Any], outputs: Outputs) -> dict[str, Tensor]:
        """Return the configured terms of a batch of images, and that of images and sentences."""
        terms = super().compute_terms(batch, outputs)
        if not self.weight_i2t:
            return terms
        logits = outputs.features[-1] @ self.sentences.T
        return terms | {"i2t": self.weight_i2t * self.criterion_i2t(logits, batch["pid"])}

    @property
    def sentences(self) -> Tensor:
        """What the sentences about all identities say, (C, P); constants of the second stage."""
        if self._sentences is None:
            pids = torch.arange(len(self._clip.prompt_learner.cls_ctx), device=self.device)
            with torch.no_grad(), self.accelerator.autocast():
                read = [self._clip.text_features(some) for some in torch.split(pids, _AT_ONCE)]
            self._sentences = torch.cat(read).float()
        return self._sentences


def image_text_contrast(asked: Tensor, answers: Tensor, pids: Tensor) -> Tensor:
    """Return how badly vectors find those of their own identity among others.

    The supervised contrastive loss of Khosla et al. (NeurIPS 2020) between two kinds of vectors,
    by raw dot products and at temperature 1, as CLIP-ReID takes it.

    Args:
        asked: ``(B, P)``.
        answers: ``(B, P)``, of the same identities.
        pids: identities ``(B,)``.

    Returns:
        The mean over all of ``asked``, a scalar.
    """
    likely = F.log_softmax(asked @ answers.T, dim=1)  # (B, B)
    is_own = (pids[:, None] == pids).to(likely.dtype)
    return -((likely * is_own).sum(dim=1) / is_own.sum(dim=1)).mean()


def _checked_network(model: nn.Module) -> ClipReid:
    network = unwrap(model)
    if not isinstance(network, ClipReid):
        raise UserError(
            f"loss.name=clipreid trains networks of CLIP-ReID, and the model is a "
            f"{type(network).__name__}",
            "Choose model.name=clipreid_vit_b or clipreid_rn50, or another loss.",
        )
    return network


def _checked_terms(terms: Terms | None) -> Terms:
    if not terms:
        raise ConfigError(
            "loss.name=clipreid has no losses for its second stage",
            "Weigh them, as published: loss.terms={softmax: 0.5, triplet: 3.0}, of which the first "
            "is the mean of two heads and the second that of three features.",
        )
    return terms
