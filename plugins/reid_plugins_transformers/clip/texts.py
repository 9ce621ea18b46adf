"""CLIP's text tower, and the sentence about an identity whose words are learnt.

The sentence is "A photo of a X X X X person." (or vehicle), each X a vector for each identity. Its
tokens are a constant here, so that no vocabulary is needed, and those behind its end are left out:
under a causal mask nothing that comes later changes what is read at the end.

Shapes: N sentences, L tokens, W the width of a token, P that of CLIP's common space, C identities.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from reid_plugins_transformers.clip.blocks import Blocks
from reidcore.errors import UnknownNameError, did_you_mean, quoted

CONTEXT = 77
"""The tokens that CLIP has positions for."""

LEARNT = 4
"""The tokens of an identity that are learnt."""

# Of CLIP's byte-pair encoding: the start, "a photo of a"; ".", the end.
PREFIX = (49406, 320, 1125, 539, 320)
_END = (269, 49407)

SUFFIXES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"person": (2533, *_END), "vehicle": (5299, *_END)}
)
"""What a sentence is about -> its tokens behind those that are learnt."""


class TextTower(nn.Module):
    """CLIP's transformer over the tokens of a sentence, each of which sees those before it.

    Args:
        width: of a token (W).
        depth: number of blocks.
        embedding: width of the common space (P).
    """

    def __init__(self, width: int, depth: int, embedding: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(CONTEXT, width))
        self.transformer = Blocks(width, depth, is_causal=True)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(width**-0.5 * torch.randn(width, embedding))

    def forward(self, sentences: Tensor) -> Tensor:
        """Return what sentences say at their end: (N, L, W) -> (N, P).

        Args:
            sentences: embedded tokens; the last of them is the end of the sentence.
        """
        tokens = sentences + self.positional_embedding[: sentences.shape[1]]
        _, tokens = self.transformer(tokens)
        ends: Tensor = self.ln_final(tokens[:, -1])
        return ends @ self.text_projection


class PromptLearner(nn.Module):
    """The sentence about each identity, as embedded tokens.

    Args:
        num_classes: number of identities (C).
        about: what sentences are about, one of `SUFFIXES`.
        width: of a token (W).

    Attributes:
        cls_ctx: what is learnt, ``(C, 4, W)``.
        token_prefix, token_suffix: the constant tokens around it, ``(1, 5, W)`` and ``(1, 3, W)``.

    Raises:
        UnknownNameError: if there is no such sentence.
    """

    token_prefix: Tensor
    token_suffix: Tensor

    def __init__(self, num_classes: int, about: str, width: int) -> None:
        super().__init__()
        self.suffix_tokens = _suffix(about)
        self.cls_ctx = nn.Parameter(0.02 * torch.randn(num_classes, LEARNT, width))
        self.register_buffer("token_prefix", 0.02 * torch.randn(1, len(PREFIX), width))
        self.register_buffer("token_suffix", 0.02 * torch.randn(1, len(self.suffix_tokens), width))

    def forward(self, pids: Tensor) -> Tensor:
        """Return the sentences about identities: (N,) -> (N, 12, W)."""
        around = (part.expand(len(pids), -1, -1) for part in (self.token_prefix, self.token_suffix))
        prefix, suffix = around
        return torch.cat([prefix, self.cls_ctx[pids], suffix], dim=1)


def _suffix(about: str) -> tuple[int, ...]:
    if about in SUFFIXES:
        return SUFFIXES[about]
    raise UnknownNameError(
        f"there is no sentence about {quoted(about)} (model.prompt)",
        did_you_mean(about, SUFFIXES) or f"Use one of: {', '.join(SUFFIXES)}.",
    )
