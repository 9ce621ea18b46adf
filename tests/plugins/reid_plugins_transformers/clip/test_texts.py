"""CLIP's text tower, computed once more over all 77 tokens, and the sentences about identities."""

from __future__ import annotations

import math

import pytest
import torch
from reid_plugins_transformers.clip.texts import CONTEXT, PREFIX, SUFFIXES, PromptLearner, TextTower
from torch import Tensor

from reidcore.errors import UnknownNameError


def naive_tower(tokens: Tensor, end: int, tower: TextTower) -> Tensor:
    """Read a sentence (77, W) token by token, each by those before it, at the place of its end."""
    weights = tower.state_dict()
    tokens = tokens + weights["positional_embedding"]
    for block in range(len(tower.transformer.resblocks)):
        own = {
            key.split(".", 3)[3]: value
            for key, value in weights.items()
            if key.startswith(f"transformer.resblocks.{block}.")
        }
        seen = torch.layer_norm(tokens, tokens.shape[1:], own["ln_1.weight"], own["ln_1.bias"])
        mixed = seen @ own["attn.in_proj.weight"].T + own["attn.in_proj.bias"]
        rows = []
        for place in range(len(tokens)):
            heads = []
            for start in range(0, tokens.shape[1], 64):
                query, key, value = (part[:, start : start + 64] for part in mixed.chunk(3, dim=1))
                likely = torch.softmax(key[: place + 1] @ query[place] / math.sqrt(64), dim=0)
                heads.append(likely @ value[: place + 1])
            rows.append(torch.cat(heads))
        out = torch.stack(rows) @ own["attn.out_proj.weight"].T + own["attn.out_proj.bias"]
        tokens = tokens + out
        seen = torch.layer_norm(tokens, tokens.shape[1:], own["ln_2.weight"], own["ln_2.bias"])
        inner = seen @ own["mlp.c_fc.weight"].T + own["mlp.c_fc.bias"]
        inner = inner * torch.sigmoid(1.702 * inner)
        tokens = tokens + inner @ own["mlp.c_proj.weight"].T + own["mlp.c_proj.bias"]
    last = torch.layer_norm(
        tokens, tokens.shape[1:], weights["ln_final.weight"], weights["ln_final.bias"]
    )
    said: Tensor = last[end] @ weights["text_projection"]
    return said


def test_sentences_say_what_all_77_tokens_would() -> None:
    """What CLIP pads sentences with stands behind their end, and is left out here."""
    torch.manual_seed(0)
    tower = TextTower(width=128, depth=2, embedding=24).double().eval()
    prompts = PromptLearner(3, "person", width=128).double()
    for parameter in tower.parameters():
        parameter.data += 0.1 * torch.rand_like(parameter)
    padding = torch.randn(CONTEXT - 12, 128).double()
    with torch.no_grad():
        sentences = prompts(torch.tensor([2, 0]))
        wanted = [naive_tower(torch.cat([one, padding]), 11, tower) for one in sentences]
        torch.testing.assert_close(tower(sentences), torch.stack(wanted))


def test_a_sentence_has_its_identitys_words_inside_the_constant_ones() -> None:
    prompts = PromptLearner(4, "vehicle", width=8)
    sentences = prompts(torch.tensor([3, 3, 1]))
    assert sentences.shape == (3, 12, 8)
    assert torch.equal(sentences[:, 5:9], prompts.cls_ctx[[3, 3, 1]])
    assert torch.equal(sentences[0, :5], prompts.token_prefix[0])
    assert torch.equal(sentences[2, 9:], prompts.token_suffix[0])


def test_tokens_are_those_of_clips_vocabulary() -> None:
    """As CLIP's tokenizer gives them of "A photo of a X X X X person." and of a vehicle."""
    assert PREFIX == (49406, 320, 1125, 539, 320)
    assert SUFFIXES == {"person": (2533, 269, 49407), "vehicle": (5299, 269, 49407)}


def test_words_begin_small_and_other_sentences_are_refused() -> None:
    torch.manual_seed(0)
    words = PromptLearner(50, "person", width=64).cls_ctx.detach()
    assert words.shape == (50, 4, 64)
    assert float(words.std()) == pytest.approx(0.02, rel=0.03)
    with pytest.raises(UnknownNameError, match="vehicle"):
        PromptLearner(2, "vehicles", width=8)
