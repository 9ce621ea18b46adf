"""What a checkpoint records beside its weights, read through one schema with bounds.

A file comes from anywhere. Each value is of its kind and within bounds before anything is built,
allocated or restored by it, and nothing here chooses code: a record names components of installed
plugins, and paths in it are never followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from torch import Tensor

from reidcore._files import PathLike
from reidcore._serialization import OWN_KEY
from reidcore._validation import Mistake, Place, dotted, mistakes_in, wanted
from reidcore.config import Config
from reidcore.config.options import HeadOptions
from reidcore.config.options.base import MOST
from reidcore.config.options.data import Pixels, ReadingPreset, ValueRange
from reidcore.errors import CheckpointError, quoted

# Bounds that no run reaches, and below which nothing that is made of a number exhausts memory.
_WIDEST = 65_536  # features, channels, cameras
_DEEPEST = 32  # sections within one another

_LEAVES = (str, bool, int, float, type(None))
_STATE_LEAVES = (*_LEAVES, Tensor, np.generic, torch.dtype, torch.device)


def _walked(tree: Any, leaves: tuple[type, ...], largest: float | None) -> Any:
    """Return a tree of plain values, refused if it is deep, long, or has other leaves."""
    left = MOST
    level: list[tuple[Place, Any]] = [((), tree)]
    for _ in range(_DEEPEST):
        holders = [each for each in level if not _is_leaf(*each, leaves, largest)]
        left -= sum(len(held) for _, held in holders)  # before they are listed: lists may share
        if not holders:
            return tree
        if left < 0:
            break
        level = [((*at, key), value) for at, held in holders for key, value in _items(held)]
    raise wanted(f"at most {MOST:,} values in sections at most {_DEEPEST} deep")


def _is_leaf(place: Place, value: Any, leaves: tuple[type, ...], largest: float | None) -> bool:
    """Say whether a value holds no others; one that is neither plain nor small is refused."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str | int) for key in value):
            raise wanted("a section whose keys are text", place)
        return False
    if isinstance(value, list | tuple):
        return False
    if not isinstance(value, leaves):
        raise wanted(f"a plain value, and no {type(value).__name__}", place)
    if largest is not None and isinstance(value, int | float) and not abs(value) <= largest:
        raise wanted(f"a number of at most {largest:,.0f}", place)
    return True


def _items(held: Any) -> Iterable[tuple[str | int, Any]]:
    return held.items() if isinstance(held, Mapping) else enumerate(held)


def _from_numpy(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _words(value: Tensor) -> Tensor:
    if tuple(value.shape) != (624,) or value.dtype != torch.int64:
        raise wanted("a tensor (624,) of whole numbers")
    return value


def _whole_numbers(value: Tensor) -> Tensor:
    if value.dim() != 1 or value.dtype != torch.int64:
        raise wanted("a tensor (n,) of whole numbers")
    return value


_small = partial(_walked, leaves=_LEAVES, largest=_WIDEST)
Plain = Annotated[Any, AfterValidator(partial(_walked, leaves=_LEAVES, largest=1e12))]
Small = Annotated[dict[str, Any], AfterValidator(_small)]
_state = partial(_walked, leaves=_STATE_LEAVES, largest=None)
State = Annotated[dict[str, Any], AfterValidator(_state)]
States = Annotated[Any, AfterValidator(_state)]
Count = Annotated[int, Field(ge=0, le=MOST), BeforeValidator(_from_numpy)]
Width = Annotated[int, Field(ge=1, le=_WIDEST)]
Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_from_numpy)]
Word = Annotated[int, Field(ge=0, lt=1 << 32)]
Words = Annotated[tuple[Word, ...], Field(min_length=625, max_length=625)]
Channels = Annotated[Sequence[float], Field(min_length=1, max_length=4)]
Deviation = Annotated[float, Field(gt=0)]
Shade = Annotated[int, Field(ge=0, le=255)]


class _Part(BaseModel):
    """A part of a record; what another version recorded beside it is plain."""

    model_config = ConfigDict(
        strict=True,
        extra="allow",
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )

    __pydantic_extra__: dict[str, Plain]


class _Images(_Part):
    height: Pixels | None = None
    width: Pixels | None = None
    norm_mean: Channels | None = None
    norm_std: Annotated[Sequence[Deviation], Field(min_length=1, max_length=4)] | None = None
    resize: Literal["torch", "pillow", "pillow_bicubic"] = "pillow"
    reading: ReadingPreset = "torchreid"
    value_range: ValueRange | None = None
    letterbox: Annotated[Sequence[Shade], Field(min_length=3, max_length=3)] | None = None


class _Configuration(_Part):
    plugins: list[str] | None = None
    model: Small = {}
    data: _Images | None = None


class _Model(_Part):
    name: str = ""
    num_classes: Count | None = None
    options: Small = {}
    head: Annotated[HeadOptions, BeforeValidator(_small)] | None = None
    image_size: Annotated[Sequence[Pixels], Field(min_length=2, max_length=2)] | None = None
    num_cameras: Width | None = None
    num_views: Width | None = None
    feature_dim: Width | None = None


class _Test(_Part):
    dist_metric: str = "euclidean"
    normalize_feature: bool = False


class _Generators(_Part):
    python: tuple[Literal[3], Words, float | None]
    numpy: tuple[
        Literal["MT19937"],
        Annotated[Tensor, AfterValidator(_words)],
        Annotated[int, Field(ge=0, le=624)],
        Literal[0, 1],
        float,
    ]
    torch: Tensor
    cuda: Sequence[Tensor] = ()
    mps: Tensor | None = None


class _Average(_Part):
    model_config = ConfigDict(allow_inf_nan=True)

    sum: float
    count: Annotated[float, Field(ge=0)]


class _Meters(_Part):
    figures: dict[str, _Average]
    batch_seconds: _Average
    data_seconds: _Average
    batches: Count
    steps: Count


class _Epoch(_Part):
    model_config = ConfigDict(allow_inf_nan=True)

    __pydantic_extra__: dict[str, Any]

    epoch: Count
    rank1: Share | None = None


class _Chosen(_Part):
    select_on: str
    metric: str
    of: str
    epoch: Count
    value: float


class _Selection(_Part):
    on: str
    metric: str
    of: str
    values: dict[Count, float] = {}


class _Accumulated(_Part):
    batches: Count
    gradients: States
    planned: Annotated[int, Field(ge=1, le=MOST)] = 1
    scale: Annotated[float, Field(gt=0)] = 1.0


class _OfRank(_Part):
    rng: _Generators
    meters: _Meters | None = None


class _Sampler(_Part):
    state: State | None = None
    order: Annotated[Tensor, AfterValidator(_whole_numbers)] | None = None


class _Record(_Part):
    version: str = ""
    epoch: Count = 0
    step: Count = 0
    rng: _Generators | None = None
    other_ranks: list[_OfRank] = []
    batch_size: Count | None = None
    sampler: _Sampler | None = None
    scaler: dict[str, float] = {}
    accumulated: _Accumulated | None = None
    loss_optimizers: dict[str, State] = {}
    history: list[_Epoch] = []
    meters: _Meters | None = None
    models: list[str] = []
    test_due: bool = False
    selection: _Selection | None = None
    chosen_on: _Chosen | None = None
    averaged: bool = False
    held_out: list[str] | None = None
    skipped: dict[str, str] = {}
    config: _Configuration | None = None
    model: _Model | None = None
    preprocessing: _Images | None = None
    test: _Test | None = None
    hooks: dict[str, dict[str, Any]] = {}


class _TrainingState(_Part):
    __pydantic_extra__: dict[str, Any]

    state_dict: dict[str, Tensor]
    epoch: Count
    rank1: Share | None = None
    optimizer: State | None = None
    scheduler: State | None = None
    reidcore: _Record | None = None


def record_of(checkpoint: Any, path: PathLike) -> dict[str, Any]:
    """Return what a checkpoint keeps under ``reidcore``; empty if it is not of ours.

    Raises:
        CheckpointError: if a value is of another kind or out of bounds: names file, field, value.
    """
    own = checkpoint.get(OWN_KEY) if isinstance(checkpoint, Mapping) else None
    if own is None:
        return {}
    _check(_Record, own, "the record in {} is laid out unlike ours", path)
    _check_configuration(own.get("config") or {}, path)
    return dict(own)


def check_training_state(checkpoint: Mapping[str, Any], path: PathLike) -> None:
    """Refuse what no run can be resumed from, before anything is loaded of it.

    Raises:
        CheckpointError: as for `record_of`, of a checkpoint's other keys as well.
    """
    _check(_TrainingState, dict(checkpoint), "{} is laid out unlike a checkpoint", path)
    own = checkpoint.get(OWN_KEY) or {}
    _check_configuration(own.get("config") or {}, path)


def _check_configuration(config: Mapping[str, Any], path: PathLike) -> None:
    """Hold the core's keys to the configuration's own schema; keys of other versions may be there.

    What stands in the sections of components is judged when these are known.
    """
    known = {key: value for key, value in config.items() if key in Config.model_fields}
    try:
        Config.model_validate(known)
    except ValidationError as error:
        mistakes = [each for each in mistakes_in(known, error) if each.kind != "unknown"]
        if mistakes:
            told = "the record in {} is laid out unlike ours"
            raise _refusal(told, path, mistakes, "config.") from error


def _check(schema: type[_Part], tree: Any, told: str, path: PathLike) -> None:
    try:
        schema.model_validate(tree)
    except ValidationError as error:
        raise _refusal(told, path, list(mistakes_in(tree, error))) from error


def _refusal(
    told: str, path: PathLike, mistakes: Sequence[Mistake], prefix: str = ""
) -> CheckpointError:
    lines = [
        f"{prefix}{dotted(each.place)} is missing"
        if each.kind == "missing"
        else f"{prefix}{dotted(each.place) or 'it'} is {quoted(each.found)}, "
        f"expected {each.expected}"
        for each in mistakes[:3]
    ]
    more = f", and {len(mistakes) - 3} more" if len(mistakes) > 3 else ""
    return CheckpointError(
        f"{told.format(quoted(path))}: {'; '.join(lines)}{more}",
        "Give a file that reidcore wrote, or copy it again.",
    )
