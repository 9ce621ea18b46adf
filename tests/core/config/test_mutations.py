"""Thousands of spoilt configurations: each is read as a valid one, or refused with its place."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
import time
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from reidcore.config import load_config, read_config
from reidcore.config.layers import Layer
from reidcore.config.problems import refuse
from reidcore.config.yaml import parse_file
from reidcore.errors import ConfigError, UserError
from reidcore.registry import Entry
from reidcore.registry.component import read_options

# Every numeric key of the core, and the values that it may have.
LIMITS = {
    "train.seed": (0, 2**32 - 1),
    "train.max_epoch": (0, 10**6),
    "train.start_epoch": (0, 10**6),
    "train.fixbase_epoch": (0, 10**6),
    "train.print_freq": (1, 10**9),
    "train.batch_size": (1, 10**6),
    "train.accumulate": (1, 10**6),
    "train.lr": (0, 1e6),
    "train.weight_decay": (0, 1e6),
    "train.base_lr_mult": (0, 1e6),
    "train.gamma": (0, 1e6),
    "train.stepsize": (1, 10**6),
    "data.height": (1, 8192),
    "data.width": (1, 8192),
    "data.workers": (0, 4096),
    "data.cache_gb": (0, 1e6),
    "data.k_tfm": (1, 1000),
    "data.split_id": (0, 10**6),
    "data.norm_mean": (-1e6, 1e6),
    "data.norm_std": (1e-6, 1e6),
    "video.seq_len": (1, 10**5),
    "sampler.num_instances": (1, 10**6),
    "sampler.num_cams": (1, 10**6),
    "sampler.num_datasets": (1, 10**6),
    "model.head.embedding": (1, 10**6),
    "model.head.dropout": (0, 1),
    "loss.terms.softmax": (-1e6, 1e6),
    "test.batch_size": (1, 10**6),
    "test.max_rank": (1, 10**9),
    "test.ranks": (1, 10**9),
    "test.eval_freq": (-1, 10**6),
    "test.start_eval": (0, 10**6),
    "test.visrank_topk": (1, 10**6),
    "test.visrank_queries": (1, 10**6),
}

OTHERS = [
    "plugins",
    "settings.Components.strength",
    "settings.Components.layers",
    "settings.Components",
    "settings",
    "model",
    "model.name",
    "model.load_weights",
    "model.resume",
    "model.pretrained",
    "model.width",
    "model.head",
    "model.head.pool",
    "data.root",
    "data.sources",
    "data.targets",
    "data.transforms",
    "data.save_dir",
    "data.cache",
    "data.resize",
    "data.combineall",
    "train.optim",
    "train.amp",
    "train.step",
    "train.new_layers",
    "train",
    "loss",
    "loss.name",
    "loss.terms",
    "loss.sphere",
    "loose.anything",
    "paint.fill",
    "variant.sizes",
    "market1501.use_500k_distractors",
    "test.protocol",
    "test.dist_metric",
    "use_gpu",
    "nothing.like.it",
    "",
    "<<",
    "a" * 5000,
    ".".join("a" * 600),
]

VALUES = [
    "",
    "~",
    "0",
    "-1",
    "1",
    "1.5",
    "-0.0",
    "1e400",
    "1e308",
    "5e-324",
    ".inf",
    "-.inf",
    ".nan",
    "9" * 23,
    "-" + "9" * 23,
    "9" * 5000,
    "0x" + "f" * 5000,
    "1" + "_" * 5000,
    "9" * 5000 + ".0",
    "0o7",
    "true",
    "off",
    "text",
    "''",
    "'  '",
    '"a\\0b"',
    '"\\e[2J"',
    '"\\ud800"',
    "a\x07b",
    "a\x00b",
    "x" * 100_000,
    "[]",
    "[[]]",
    "{}",
    "[1, 2]",
    "[0]",
    "[.nan]",
    "[.inf, .inf, .inf]",
    "[a, 1, null, {}]",
    "{a: 1}",
    "{a: .inf}",
    "{1: {2: [3]}}",
    "{[1]: 2}",
    "{? {a: 1} : 2}",
    "[{a: 1, a: 2}]",
    "{a: 1, a: 2}",
    "[" * 600 + "]" * 600,
    "{a: " * 600 + "1" + "}" * 600,
    "[" * 600,
    "[1," * 200_000,
    "!!bool z",
    "!!int z",
    "!!float z",
    "!!null z",
    "!!timestamp z",
    "!!timestamp 2020-01-01",
    "!!binary aGk=",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!pairs [a: 1]",
    "!!str [1]",
    "!!seq {a: 1}",
    "!!map [a]",
    "!!python/name:os.system",
    "!!python/object/apply:os.system [ls]",
    "!x {a: 1}",
    "!<tag:yaml.org,2002:merge> a",
    "*nowhere",
    "&a [*a]",
    "&a {b: *a}",
    "{<<: 5}",
    "{<<: [{a: 1}, {a: 2}]}",
    "{<<: [5]}",
    "=",
    "{=: 1}",
    "@x",
    "%",
    "- a",
    "? ",
    "(1, (2,",
    "(" * 600 + ")" * 600,
    "(" + "9" * 5000 + ",)",
    "(1j, b'x', {2})",
    "({[]},)",
    "('\\x00',)",
    "(float,)",
    "(1e999,)",
]

LAUGHS = [
    "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n",
    *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 9)),
]
NESTED_LAUGHS = [
    "l0: &l0 {a: x, b: x, c: x, d: x, e: x}\n",
    *(
        f"l{n}: &l{n} {{{', '.join(f'{key}: *l{n - 1}' for key in 'abcdefgh')}}}\n"
        for n in range(1, 10)
    ),
]
MERGED_LAUGHS = [
    "l0: &l0 {a: x, b: x, c: x}\n",
    *(f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 10)}]}}\n" for n in range(1, 9)),
]


def indented(lines, under):
    return f"{under}:\n" + "".join(f"  {line}" for line in lines)


STRUCTURES = [
    *(
        indented(lines, under)
        for lines in (LAUGHS, NESTED_LAUGHS, MERGED_LAUGHS)
        for under in ("settings", "train", "loose", "loss")
    ),
    "settings: {Components: {layers: &a [&b [*a, *b]]}}\n",
    "train: &t {<<: *t}\n",
    "train: &t\n  <<: [*t, *t]\n",
    "a: 1\n---\nb: 2\n",
    "- 1\n",
    "5\n",
    "!!map\n",
    "!x {train: {lr: 1}}\n",
    "%YAML 9.9\n---\ntrain: {}\n",
    "%TAG ! tag:x,2002:\n---\ntrain: !y {}\n",
    "\ufefftrain: {lr: 1}\n",
    "\ttrain: {}\n",
    "train\n",
    "train:\n  lr: 1\n lr: 2\n",
    "? [train]\n: 1\n",
    "? {train: 1}\n: 1\n",
    "null: {a: 1}\ntrue: {}\n1.5: {}\n",
    "train: {lr: 1}\n\x00",
    "\x1b[2J: 1\n",
    "".join(f"s{n}: {{}}\n" for n in range(30_000)),
    "loose:\n" + "".join(f"  k{n}: 1\n" for n in range(30_000)),
    "loose: [" + "1, " * 100_000 + "]\n",
    "a: " * 600,
    "".join(f"{' ' * n}a:\n" for n in range(600)),
    "- " * 600,
    "? " * 5000,
    "&a " * 600,
    "'" + "x" * 3_000_000 + "'",
    "#" * 3_000_000,
]

BASE = {
    "model": {"name": "osnet_x1_0", "head": {"dropout": 0.0}},
    "data": {"height": 64, "width": 32, "sources": ["variant"], "targets": ["market1501"]},
    "variant": {"release": "a"},
    "train": {"max_epoch": 1, "lr": 0.001},
    "loss": {"name": "softmax"},
}


def written(key, value):
    """Return the base as YAML with a key set to a value, as text."""
    lines = ["variant: {release: a}", "model: {name: osnet_x1_0}"]
    *sections, last = key.split(".")
    own = [line for line in lines if not line.startswith(f"{(sections or [last])[0]}:")]
    nested = [f"{'  ' * depth}{name}:" for depth, name in enumerate(sections)]
    return "\n".join([*own, *nested, f"{'  ' * len(sections)}{last}: {value}"]) + "\n"


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(key, path)
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield ".".join(path), value


def assert_valid(config):
    tree = config.model_dump()
    json.dumps(tree, ensure_ascii=False, allow_nan=False).encode()
    for key, value in leaves(tree):
        if isinstance(value, bool):
            continue
        assert isinstance(value, str | int | float | None), (key, value)
        if isinstance(value, str):
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value), (key, value[:50])
            assert len(value) <= 10_000
        elif value is not None:
            assert math.isfinite(value)
            assert len(str(value)) < 50
            lowest, highest = LIMITS.get(key, (-math.inf, math.inf))
            assert lowest <= value <= highest, (key, value)
    assert config.data.save_dir.strip()


def check(load, *places):
    """Load a configuration; it must be valid, or refused in a message that names a place."""
    started = time.process_time()
    try:
        assert_valid(load())
    except UserError as error:
        told = str(error)
        assert any(place in told for place in places), f"no place in: {told[:300]}"
        assert len(told) < 5000, f"{len(told)} characters: {told[:300]}"
        assert re.sub(r"\s", "", told).isprintable(), told[:300]
    assert time.process_time() - started < 20


def end_of(key):
    return key.rpartition(".")[2][:40]


def sampled(count):
    """Return pairs of a key and a value, the same ones each time."""
    pairs = list(itertools.product([*LIMITS, *OTHERS], VALUES))
    return random.Random(14).sample(pairs, count)


def test_values_of_every_kind_at_every_key_of_a_file(write, plugins):
    for key, value in sampled(700):
        path = write(written(key, value))
        check(lambda: load_config(path, plugins=plugins), f"{path}", end_of(key))  # noqa: B023


def test_values_of_every_kind_in_every_override(plugins):
    for key, value in sampled(1400)[700:]:
        override = f"{key}={value}"
        check(lambda: load_config(BASE, [override], plugins=plugins), end_of(key))  # noqa: B023


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "9" * 23, "-" + "9" * 23, "1e400"])
def test_no_number_of_the_core_is_without_bounds(number):
    for key in LIMITS:
        with pytest.raises(ConfigError, match=end_of(key)):
            refuse(read_config(BASE, [f"{key}={number}"]).problems, Layer())


@pytest.mark.parametrize("text", STRUCTURES, ids=lambda text: text[:20])
def test_odd_documents(text, write, plugins):
    path = write(text)
    check(lambda: load_config(path, plugins=plugins), str(path), "settings", "loose")


def test_documents_with_characters_lost_added_and_exchanged(plugins):
    drawn = random.Random(14)
    lines = ["# a run", "variant: {release: a}", "model: &m {name: osnet_x1_0}", "data:"]
    lines += ["  sources: [variant]", "  norm_mean: [0.5, 0.5, 0.5]", "  save_dir: 'log'"]
    lines += ["train:", "  lr: 3e-4", '  optim: "adam"', "  seed: 0x10", "loose: {<<: *m, b: 1}"]
    text = "\n".join(lines) + "\n"
    for _ in range(700):
        spoilt = list(text)
        for _ in range(drawn.randint(1, 4)):
            at = drawn.randrange(len(spoilt))
            odd = drawn.choice("[]{}:,&*!|>%@`'\"#?-<~ \t\n\\\0\x85\ud800.0e") * drawn.choice(
                (1, 1, 9)
            )
            spoilt[at : at + drawn.randint(0, 3)] = odd
        check(
            lambda: load_config(parsed("".join(spoilt)), plugins=plugins),  # noqa: B023
            *(
                "run.yaml",
                "variant",
                "model",
                "data",
                "train",
                "loose",
                "unknown key",
                "no installed",
            ),
        )


def parsed(text):
    return parse_file(text, "run.yaml").tree


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("train.seed", 1 << 32, "less than 4294967296"),
        ("data.height", 1_000_000_000, "at most 8192"),
        ("data.save_dir", "", "text that is not empty"),
        ("data.save_dir", "  ", "text that is not empty"),
        ("train.lr", math.nan, "a finite number"),
        ("data.norm_std", [1.0, 0.0, 1.0], "at least 1e-06"),
        ("settings.Components.strength", math.inf, "a finite number"),
        ("settings.Components", 0, "a section of keys"),
        ("loose.anything", {"deep": [math.nan]}, "a finite number"),
        ("loss.sphere.gamma", math.inf, "a finite number"),
        ("model.name", "a\0b", "which cannot be shown"),
        ("data.root", "x" * 5000, "the text has 5,000 characters"),
    ],
)
def test_what_is_out_of_bounds_is_told_with_its_key(key, value, told, plugins):
    values = value
    for part in reversed(key.split(".")):
        values = {part: values}
    with pytest.raises(ConfigError, match=re.escape(key)) as raised:
        load_config({"loss": {"name": "sphere"}, **values}, plugins=plugins)
    assert told in str(raised.value)


def test_an_option_may_allow_infinity():
    def at_most(*, most: Annotated[float, Field(allow_inf_nan=True)] = 1.0, least: float = 0.0):
        raise NotImplementedError

    entry = Entry("protocols", "at_most", at_most, "mine")
    assert read_options(entry, {"most": math.inf}) == {"most": math.inf}
    with pytest.raises(ConfigError, match="least: expected a finite number, not inf"):
        read_options(entry, {"least": math.inf})


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without an end")
def test_a_file_is_read_no_further_than_its_bound():
    with pytest.raises(ConfigError, match="more than 262,144 characters"):
        read_config(Path("/dev/zero"))
