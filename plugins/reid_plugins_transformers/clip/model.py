"""CLIP-ReID's networks: an image tower with two heads, and the texts that teach it.

Their state dicts have the names of the authors' checkpoints, save the first layer of an attention,
and for the shift of the two batch norms, which is none.

Shapes: B images, C identities, D features of the last layer, P of the space that images and texts
share.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from reid_plugins_transformers.clip.images import (
    ImageFeatures,
    ImageTower,
    ModifiedResNet,
    VisionTransformer,
    interpolated,
)
from reid_plugins_transformers.clip.texts import PromptLearner, TextTower
from reid_plugins_transformers.side_information import SideInformation, SideKind
from reid_plugins_transformers.vit.patches import PATCH
from reidcore.models import Outputs, ReidModel, batch_norm_neck, load_published_weights

TestFeatures = Literal["before_neck", "after_neck"]
About = Literal["person", "vehicle"]
Positive = Annotated[int, Field(ge=1)]
Even = Annotated[int, Field(ge=2, multiple_of=2)]

_RESNET50 = (3, 4, 6, 3)


class ClipReid(ReidModel):
    """An image tower whose last and projected features have a BNNeck and a classifier each.

    The text tower and the words of the identities stay as they are, unless an engine opens the
    words (``prompt_learner.cls_ctx``) to be learnt.

    Args:
        images: describes images.
        texts: describes sentences.
        prompts: the sentence about each identity.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``); logits are a list of 2, features a tuple of
            3: of the last block or stage but one, of the last, and projected.
        test_features: whether images are compared by the last and the projected features before
            their necks or behind them.
        side: what the class token is told of an image beside its pixels; None for nothing.
    """

    def __init__(
        self,
        images: ImageTower,
        texts: TextTower,
        prompts: PromptLearner,
        num_classes: int,
        loss: str = "softmax",
        test_features: TestFeatures = "before_neck",
        side: SideInformation | None = None,
    ) -> None:
        super().__init__(loss)
        self.inputs = SideInformation.columns("none" if side is None else side.kind)
        self.side_information = side
        self.image_encoder = images
        self.prompt_learner = prompts.requires_grad_(False)
        self.text_encoder = texts.requires_grad_(False)
        _, last, projected = images.widths
        self.bottleneck, self.bottleneck_proj = batch_norm_neck(last), batch_norm_neck(projected)
        self.classifier = _classifier(last, num_classes)
        self.classifier_proj = _classifier(projected, num_classes)
        self.feature_dim = last + projected
        self.test_features = test_features

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D, h, w)."""
        return self.image_encoder.maps(images)

    def describe(
        self, images: Tensor, camid: Tensor | None = None, view: Tensor | None = None
    ) -> ImageFeatures:
        """Return three features of images (B, 3, H, W), seen by cameras and from views (B,)."""
        side = None if self.side_information is None else self.side_information(camid, view)
        features: ImageFeatures = self.image_encoder(images, side)
        return features

    def heads(self, embedding: ImageFeatures, pids: Tensor | None) -> Outputs:
        """Classify the last and the projected features, each behind its neck."""
        logits = [
            self.classifier(self.bottleneck(embedding.last)),
            self.classifier_proj(self.bottleneck_proj(embedding.projected)),
        ]
        return Outputs(logits, tuple(embedding))

    def retrieval(self, embedding: ImageFeatures) -> Tensor:
        """Return the last and the projected features in a row: (B, D + P)."""
        last, projected = embedding.last, embedding.projected
        if self.test_features == "after_neck":
            last, projected = self.bottleneck(last), self.bottleneck_proj(projected)
        return torch.cat([last, projected], dim=1)

    def text_features(self, pids: Tensor) -> Tensor:
        """Return what the sentences about identities say: (N,) -> (N, P)."""
        features: Tensor = self.text_encoder(self.prompt_learner(pids))
        return features

    def layer_depths(self) -> dict[str, int]:
        """Return the depth of each parameter of the image tower."""
        return {
            f"image_encoder.{name}": depth
            for depth, layers in enumerate(self.image_encoder.depths)
            for name, _ in self.image_encoder.named_parameters()
            if any(name == layer or name.startswith(f"{layer}.") for layer in layers)
        }

    def resampled(self, name: str, entry: Tensor) -> Tensor | None:
        """Interpolate the positions of the image tower, learnt on images of another size."""
        if not name.startswith("image_encoder.") or not name.endswith(".positional_embedding"):
            return None
        own = self.get_parameter(name)
        if entry.dim() != 2 or entry.shape[1] != own.shape[1]:
            return None
        return interpolated(entry, self.image_encoder.grid)


def clipreid_vit_b(
    num_classes: int = 1000,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    image_size: tuple[int, int] = (256, 128),
    num_cameras: int | None = None,
    num_views: int | None = None,
    stride: int = PATCH,
    sie: SideKind = "none",
    prompt: About = "person",
    test_features: TestFeatures = "before_neck",
    width: Positive = 768,
    depth: Positive = 12,
    text_width: Positive = 512,
    text_depth: Positive = 12,
    embedding: Positive = 512,
) -> ClipReid:
    """Build CLIP-ReID on CLIP's ViT-B/16.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        pretrained: start from OpenAI's weights.
        image_size: height and width of the images; the positions of the patches are made for them.
        num_cameras: cameras of the training images, for ``sie``.
        num_views: viewpoints of the training images, for ``sie``.
        stride: distance of the patches of 16 pixels; 12 lets them overlap.
        sie: what the class token is told of an image beside its pixels.
        prompt: what the sentence about an identity is about.
        test_features: whether images are compared before or behind the BNNecks.
        width: of a token of the image tower (D).
        depth: blocks of the image tower.
        text_width: of a token of the text tower.
        text_depth: blocks of the text tower.
        embedding: width of the space that images and texts share (P).

    Raises:
        ConfigError: if patches do not fill the images, there is no such stride, or the data do not
            have what ``sie`` asks for.
    """
    images = VisionTransformer(image_size, stride, width, depth, embedding)
    texts = TextTower(text_width, text_depth, embedding)
    prompts = PromptLearner(num_classes, prompt, text_width)
    side = None if sie == "none" else SideInformation(sie, num_cameras, num_views, width)
    model = ClipReid(images, texts, prompts, num_classes, loss, test_features, side)
    return _started(model, "clipreid_vit_b", pretrained, image_size)


def clipreid_rn50(
    num_classes: int = 1000,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    image_size: tuple[int, int] = (256, 128),
    prompt: About = "person",
    test_features: TestFeatures = "before_neck",
    width: Even = 64,
    text_width: Positive = 512,
    text_depth: Positive = 12,
    embedding: Positive = 1024,
) -> ClipReid:
    """Build CLIP-ReID on CLIP's ResNet-50 with attention pooling.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        pretrained: start from OpenAI's weights.
        image_size: height and width of the images; the positions of the maps are made for them.
        prompt: what the sentence about an identity is about.
        test_features: whether images are compared before or behind the BNNecks.
        width: channels of the first stage, an even number; the last has 32 times as many (D).
        text_width: of a token of the text tower.
        text_depth: blocks of the text tower.
        embedding: width of the space that images and texts share (P).

    Raises:
        ConfigError: if the sides of the images are no multiples of 16.
    """
    images = ModifiedResNet(image_size, width, _RESNET50, embedding)
    texts = TextTower(text_width, text_depth, embedding)
    prompts = PromptLearner(num_classes, prompt, text_width)
    model = ClipReid(images, texts, prompts, num_classes, loss, test_features)
    return _started(model, "clipreid_rn50", pretrained, image_size)


def _started(model: ClipReid, weights: str, pretrained: bool, size: tuple[int, int]) -> ClipReid:
    """Return a model with its starting weights, for images of one size."""
    model.fixed_size = size[0], size[1]
    if pretrained:
        load_published_weights(model, weights)
    return model


def _classifier(width: int, num_classes: int) -> nn.Linear:
    classifier = nn.Linear(width, num_classes, bias=False)
    nn.init.normal_(classifier.weight, std=0.001)
    return classifier
