"""TransReID: a vision transformer with side information, jigsaw parts and a neck for each branch.

He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021. B images, D
dimensions of a token, C classes; h and w the rows and columns of patches.
"""

from __future__ import annotations

import copy
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from reid_plugins_transformers.side_information import SideInformation, SideKind
from reid_plugins_transformers.transreid.jigsaw import Jigsaw
from reid_plugins_transformers.vit.encoder import (
    Architecture,
    PartTransformer,
    VisionTransformer,
    layer_norm,
)
from reid_plugins_transformers.vit.positions import resampled_positions
from reidcore.errors import ConfigError
from reidcore.models import Outputs, ReidModel, batch_norm_neck, linear_classifier

Side: TypeAlias = Literal["before_neck", "after_neck"]
Vectors: TypeAlias = tuple[Tensor, ...]

_CLASSIFIER_STD = 0.001


class TransReID(ReidModel):
    """A vision transformer that describes an image by its class token, and by parts if asked to.

    The last block is the global branch's. With a jigsaw the local branch has a copy of it, which
    sees each part with the class token. A branch has a neck and a classifier of its own, and images
    are compared by the global vector and the local ones, which weigh as much together.

    Args:
        form: the transformer's architecture.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        image_size: height and width of the images.
        stride: pixels from a patch to the next one.
        sie: side information: ``none``, ``camera``, ``view`` or ``both``.
        sie_coefficient: factor on the side information.
        num_cameras: of the training images, for side information.
        num_views: likewise.
        jigsaw: how patches are cut into parts, if they are.
        drop_path: share of the residual branches left out in training, of the last block; it rises
            evenly from 0 at the first.
        neck: a batch norm between the metric losses and the classifier, or none. Without a neck and
            without parts the network takes a ``model.head``.
        metric_features: which vectors the metric losses see, where there is a neck.
        test_features: by which images are compared, likewise.

    Raises:
        ConfigError: if images or patches are of no size that it can take, the training images
            have no such side information, or features behind a neck are asked for without one.
    """

    classifier: nn.ModuleList

    def __init__(
        self,
        form: Architecture,
        num_classes: int,
        loss: str = "softmax",
        *,
        image_size: tuple[int, int] = (256, 128),
        stride: int = 16,
        sie: SideKind = "none",
        sie_coefficient: float = 3.0,
        num_cameras: int | None = None,
        num_views: int | None = None,
        jigsaw: Jigsaw | None = None,
        drop_path: float = 0.1,
        neck: Literal["bnneck", "none"] = "bnneck",
        metric_features: Side = "before_neck",
        test_features: Side = "before_neck",
    ) -> None:
        super().__init__(loss)
        self.form, self.jigsaw, self.sie_coefficient = form, jigsaw, sie_coefficient
        self.metric_features, self.test_features = metric_features, test_features
        self.fixed_size = image_size
        self.inputs = SideInformation.columns(sie)
        *rates, last_rate = (drop_path * n / max(1, form.depth - 1) for n in range(form.depth))
        kind = PartTransformer if form.part_tokens else VisionTransformer
        self.base = kind(form, image_size, stride, rates)
        self.side: SideInformation | None = None
        if sie != "none":
            self.side = SideInformation(sie, num_cameras, num_views, form.width)
        self.global_branch = nn.Sequential(form.block(last_rate), layer_norm(form.width))
        if jigsaw is not None:
            jigsaw.check(self.base.grid[0] * self.base.grid[1])
            self.local_branch = copy.deepcopy(self.global_branch)
        widths = self._branch_widths()
        has_neck = neck == "bnneck"
        if not has_neck and "after_neck" in (metric_features, test_features):
            raise ConfigError(
                "model.metric_features or model.test_features is after_neck, and there is no neck",
                "Set model.neck=bnneck, or leave the features before_neck.",
            )
        self.necks = nn.ModuleList(
            batch_norm_neck(form.width) for _ in range(self._num_vectors if has_neck else 0)
        )
        self.classifier = nn.ModuleList(
            _classifier(width, num_classes, not has_neck) for width in widths
        )
        self.feature_dim = sum(widths)

    def featuremaps(
        self, images: Tensor, camid: Tensor | None = None, view: Tensor | None = None
    ) -> Tensor:
        """Return the global branch's tokens of patches as maps: (B, 3, H, W) -> (B, D, h, w)."""
        tokens = self.global_branch(self._tokens(images, camid, view))
        patches: Tensor = tokens[:, self.base.prefix :]
        # (B, N, D) -> (B, D, N) -> (B, D, h, w)
        return torch.unflatten(patches.transpose(1, 2), 2, self.base.grid)

    def describe(
        self, images: Tensor, camid: Tensor | None = None, view: Tensor | None = None
    ) -> Tensor | Vectors:
        """Return the vectors (B, D) before the necks, the global one first.

        One vector that no neck follows comes as it is, for a head to take.
        """
        tokens = self._tokens(images, camid, view)
        vectors = self._vectors(tokens)
        return vectors if self.necks or len(vectors) > 1 else vectors[0]

    def heads(self, embedding: Tensor | Vectors, pids: Tensor | None) -> Outputs:
        """Classify each branch behind its neck."""
        before, behind = self._sides(embedding)
        logits = [layer(each) for layer, each in zip(self.classifier, behind, strict=True)]
        seen = before if self.metric_features == "before_neck" else behind
        if len(logits) == 1:
            return Outputs(logits[0], seen[0])
        return Outputs(logits, seen)

    def retrieval(self, embedding: Tensor | Vectors) -> Tensor:
        """Return the branches beside one another, the local ones divided by their number."""
        before, behind = self._sides(embedding)
        first, *others = before if self.test_features == "before_neck" else behind
        return torch.cat([first, *(each / len(others) for each in others)], dim=1)

    def layer_depths(self) -> dict[str, int]:
        """Return the depth of each pretrained parameter: 0 before the blocks, then block by block.

        The norm behind the last block learns as the new layers do.
        """
        depths = {f"base.{name}": depth for name, depth in self.base.depths()}
        for branch in ("global_branch", "local_branch") if self.jigsaw else ("global_branch",):
            last = self.get_submodule(f"{branch}.0")
            names = (name for name, _ in last.named_parameters())
            depths |= {f"{branch}.0.{name}": self.form.depth for name in names}
        return depths

    def resampled(self, name: str, entry: Tensor) -> Tensor | None:
        """Interpolate positions of another grid; read patches that were a linear layer's.

        timm's oldest networks hold the weights of the latter as (D, 3 * 16 * 16).
        """
        if name == "base.pos_embed":
            prefix = self.base.pos_embed.shape[1] - self.base.grid[0] * self.base.grid[1]
            fits = entry.dim() == 3 and entry.shape[2] == self.form.width
            return resampled_positions(entry, self.base.grid, prefix) if fits else None
        own = self.base.patch_embed.proj.weight
        if name == "base.patch_embed.proj.weight" and entry.numel() == own.numel():
            return entry.reshape(own.shape)
        return None

    def _tokens(self, images: Tensor, camid: Tensor | None, view: Tensor | None) -> Tensor:
        """Return the tokens before the last block (B, P + N, D)."""
        known = None if self.side is None else self.sie_coefficient * self.side(camid, view)
        tokens: Tensor = self.base(images, known)
        return tokens

    @property
    def _num_vectors(self) -> int:
        return 1 + (self.jigsaw.parts if self.jigsaw else 0)

    def _branch_widths(self) -> list[int]:
        """Return the dimensions of what each classifier sees."""
        return [self.form.width] * self._num_vectors

    def _vectors(self, tokens: Tensor) -> Vectors:
        """Turn tokens before the last block (B, P + N, D) into vectors (B, D)."""
        overall = self.global_branch(tokens)[:, 0]
        if self.jigsaw is None:
            return (overall,)
        parts = self.jigsaw.cut(tokens[:, self.base.prefix :])  # (B, parts, M, D)
        first = tokens[:, None, :1].expand(-1, parts.shape[1], -1, -1)
        # (B, parts, 1 + M, D) -> (B * parts, 1 + M, D): the branch is the same for all
        seen = self.local_branch(torch.cat([first, parts], dim=2).flatten(0, 1))[:, 0]
        return (overall, *torch.unflatten(seen, 0, parts.shape[:2]).unbind(1))

    def _sides(self, embedding: Tensor | Vectors) -> tuple[Vectors, Vectors]:
        """Return what is before the necks and what is behind them, a vector for each branch."""
        vectors = (embedding,) if isinstance(embedding, Tensor) else embedding
        before = self._branches(vectors)
        if not self.necks:
            return before, before
        necked = tuple(neck(each) for neck, each in zip(self.necks, vectors, strict=True))
        return before, self._branches(necked)

    def _branches(self, vectors: Vectors) -> Vectors:
        """Return what each classifier sees of the vectors."""
        return vectors


class PartTransReID(TransReID):
    """A transformer with tokens for parts, which it describes an image by as well.

    Zhu et al., "PASS: Part-Aware Self-Supervised Pre-Training for Person Re-Identification", ECCV
    2022: the class token's vector beside the mean of the parts', (B, 2 D), each with its own neck.

    Args:
        form: with part tokens.
        num_classes: as there.
        loss: as there.
        **options: as there, save ``jigsaw``.
    """

    @property
    def _num_vectors(self) -> int:
        return 1 + self.form.part_tokens

    def _branch_widths(self) -> list[int]:
        return [2 * self.form.width]

    def _vectors(self, tokens: Tensor) -> Vectors:
        described = self.global_branch(tokens)[:, : self.base.prefix]  # (B, P, D)
        return tuple(described.unbind(1))

    def _branches(self, vectors: Vectors) -> Vectors:
        overall, *parts = vectors
        return (torch.cat([overall, torch.stack(parts).mean(0)], dim=1),)


def _classifier(width: int, num_classes: int, bias: bool) -> nn.Module:
    classifier = linear_classifier(width, num_classes, bias)
    nn.init.normal_(classifier.weight, std=_CLASSIFIER_STD)
    return classifier
