"""CLIP's image towers as CLIP-ReID changes them: any size of image, and features of two depths.

Shapes: B images of H x W, D the width of the last layer, P that of CLIP's common space; h and w the
size of the last maps.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_transformers.clip.blocks import Blocks, by_head
from reid_plugins_transformers.vit.patches import PATCH, grid_of
from reid_plugins_transformers.vit.positions import learnt_grid


class ImageFeatures(NamedTuple):
    """What an image tower tells of images.

    Attributes:
        before_last: of the last block or stage but one, ``(B, D')``.
        last: ``(B, D)``.
        projected: in the space that images and texts share, ``(B, P)``.
    """

    before_last: Tensor
    last: Tensor
    projected: Tensor


class ImageTower(nn.Module):
    """What the two towers have in common.

    Attributes:
        grid: rows and columns of the maps of an image.
        widths: of `ImageFeatures`, in their order.
        depths: the names of the layers and parameters of each depth, the nearest to the images
            first.
    """

    grid: tuple[int, int]
    widths: tuple[int, int, int]
    depths: tuple[tuple[str, ...], ...]

    def maps(self, images: Tensor) -> Tensor:
        """Return the last maps (B, D, h, w)."""
        raise NotImplementedError

    def forward(self, images: Tensor, side: Tensor | None = None) -> ImageFeatures:
        """Describe images (B, 3, H, W).

        Args:
            images: normalised images.
            side: ``(B, D)``, what is known of each image beside its pixels.
        """
        raise NotImplementedError


class VisionTransformer(ImageTower):
    """CLIP's transformer over patches of 16 x 16 pixels, which may overlap.

    Args:
        size: height and width of the images, in pixels.
        stride: distance of the patches, in pixels; below 16 they overlap.
        width: of a token (D).
        depth: number of blocks.
        embedding: width of the common space (P).

    Raises:
        ConfigError: if patches do not fill the images, or the stride is none.
    """

    def __init__(
        self, size: tuple[int, int], stride: int, width: int, depth: int, embedding: int
    ) -> None:
        super().__init__()
        self.grid = grid_of(size, stride)
        self.widths = (width, width, embedding)
        self.depths = _transformer_depths(depth)
        scale = width**-0.5
        self.conv1 = nn.Conv2d(3, width, PATCH, stride, bias=False)
        self.class_embedding = nn.Parameter(scale * torch.randn(width))
        tokens = 1 + self.grid[0] * self.grid[1]
        self.positional_embedding = nn.Parameter(scale * torch.randn(tokens, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Blocks(width, depth)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(scale * torch.randn(width, embedding))

    def maps(self, images: Tensor) -> Tensor:
        """Return the tokens of the patches as maps: (B, 3, H, W) -> (B, D, h, w)."""
        _, last = self._tokens(images, None)
        # (B, 1 + h * w, D) -> (B, D, h, w)
        return torch.unflatten(last[:, 1:].transpose(1, 2), 2, self.grid)

    def forward(self, images: Tensor, side: Tensor | None = None) -> ImageFeatures:
        """Describe images by their class tokens; ``side`` is added to those alone."""
        before, last = (tokens[:, 0] for tokens in self._tokens(images, side))
        return ImageFeatures(before, last, last @ self.proj)

    def _tokens(self, images: Tensor, side: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the tokens (B, 1 + h * w, D) of the last block but one and of the last."""
        # (B, D, h, w) -> (B, h * w, D)
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(patches.dtype).expand(images.shape[0], 1, -1)
        if side is not None:
            first = first + side.to(patches.dtype).unsqueeze(1)
        tokens = torch.cat([first, patches], dim=1) + self.positional_embedding
        before, last = self.transformer(self.ln_pre(tokens))
        return before, self.ln_post(last)


class ModifiedResNet(ImageTower):
    """CLIP's residual network with its attention pooling, and a last stage of stride 1.

    Its stem has three convolutions and an average pooling, and where a block goes down in size an
    average pooling does it.

    Args:
        size: height and width of the images, in pixels.
        width: channels of the first stage; the last has 32 times as many (D).
        blocks: of each stage.
        embedding: width of the common space (P).

    Raises:
        ConfigError: if maps of a sixteenth of their size do not fill the images.
    """

    def __init__(
        self, size: tuple[int, int], width: int, blocks: tuple[int, int, int, int], embedding: int
    ) -> None:
        super().__init__()
        self.grid = grid_of(size)
        self.widths = (16 * width, 32 * width, embedding)
        self.depths = (
            ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3"),
            *((f"layer{stage}",) for stage in range(1, 5)),
            ("attnpool",),
        )
        half = width // 2
        self.conv1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, half, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, blocks[0], stride=1)
        self.layer2 = _stage(4 * width, 2 * width, blocks[1], stride=2)
        self.layer3 = _stage(8 * width, 4 * width, blocks[2], stride=2)
        self.layer4 = _stage(16 * width, 8 * width, blocks[3], stride=1)
        self.attnpool = AttentionPool(self.grid, 32 * width, embedding)

    def maps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D, h, w)."""
        maps: Tensor = self.layer4(self._third(images))
        return maps

    def forward(self, images: Tensor, side: Tensor | None = None) -> ImageFeatures:
        """Describe images by the means of their maps, and by the attention pooling."""
        third = self._third(images)
        fourth = self.layer4(third)
        before, last = (maps.mean(dim=(2, 3)) for maps in (third, fourth))
        return ImageFeatures(before, last, self.attnpool(fourth))

    def _third(self, images: Tensor) -> Tensor:
        """Return the maps (B, D / 2, h, w) of the last stage but one."""
        maps = F.relu(self.bn1(self.conv1(images)))
        maps = F.relu(self.bn2(self.conv2(maps)))
        maps = F.avg_pool2d(F.relu(self.bn3(self.conv3(maps))), 2)
        third: Tensor = self.layer3(self.layer2(self.layer1(maps)))
        return third


class Bottleneck(nn.Module):
    """A residual block whose convolutions all have stride 1.

    Args:
        channels: of the maps that come in.
        width: of the convolution in the middle; four times as many channels go out.
        stride: of the average poolings that stand for one.
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module | None = None
        if stride > 1 or channels != 4 * width:
            layers = {
                "-1": nn.AvgPool2d(stride),
                "0": nn.Conv2d(channels, 4 * width, 1, bias=False),
                "1": nn.BatchNorm2d(4 * width),
            }
            self.downsample = nn.Sequential(OrderedDict(layers))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, 4 * width, h / stride, w / stride)."""
        inner = F.relu(self.bn1(self.conv1(maps)))
        inner = F.relu(self.bn2(self.conv2(inner)))
        if self.stride > 1:
            inner = F.avg_pool2d(inner, self.stride)
        kept = maps if self.downsample is None else self.downsample(maps)
        return F.relu(self.bn3(self.conv3(inner)) + kept)


class AttentionPool(nn.Module):
    """Pools maps by what their mean attends to.

    Args:
        grid: rows and columns of the maps, each of which has a position that is learnt.
        width: channels of the maps (D).
        embedding: width of the common space (P).
    """

    def __init__(self, grid: tuple[int, int], width: int, embedding: int) -> None:
        super().__init__()
        tokens = 1 + grid[0] * grid[1]
        self.positional_embedding = nn.Parameter(torch.randn(tokens, width) * width**-0.5)
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.c_proj = nn.Linear(width, embedding)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, P)."""
        places = maps.flatten(2).transpose(1, 2)  # (B, h * w, D)
        tokens = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1)
        tokens = tokens + self.positional_embedding.to(tokens.dtype)
        # The mean alone asks: the answers to the other tokens are used by nobody.
        query = by_head(self.q_proj(tokens[:, :1]))
        key, value = by_head(self.k_proj(tokens)), by_head(self.v_proj(tokens))
        seen = F.scaled_dot_product_attention(query, key, value)
        # (B, heads, 1, HEAD_WIDTH) -> (B, D)
        pooled: Tensor = self.c_proj(seen.transpose(1, 2).flatten(1))
        return pooled


def interpolated(positions: Tensor, grid: tuple[int, int]) -> Tensor | None:
    """Return positions (1 + h * w, D) for another grid; None if they were learnt on none.

    They are interpolated bilinearly, as the authors of CLIP-ReID do; the first, of the whole image,
    stays.
    """
    learnt = learnt_grid(len(positions) - 1, grid) if positions.dim() == 2 else None
    if learnt is None:
        return None
    # (h * w, D) -> (1, D, h, w)
    places = torch.unflatten(positions[1:].float().T, 1, learnt).unsqueeze(0)
    resized = F.interpolate(places, size=grid, mode="bilinear").flatten(2)[0].T
    return torch.cat([positions[:1].float(), resized])


def _transformer_depths(depth: int) -> tuple[tuple[str, ...], ...]:
    return (
        ("conv1", "class_embedding", "positional_embedding", "ln_pre"),
        *((f"transformer.resblocks.{block}",) for block in range(depth)),
        ("ln_post", "proj"),
    )


def _stage(channels: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    def made() -> Iterable[Bottleneck]:
        yield Bottleneck(channels, width, stride)
        for _ in range(1, blocks):
            yield Bottleneck(4 * width, width, 1)

    return nn.Sequential(*made())
