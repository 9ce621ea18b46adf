"""The options that PML's classes declare, and parts of a loss that are written by name.

A class of PML takes its own options, and by ``**kwargs`` those of the classes that it derives from.
It annotates none: their types come from the defaults, or from the table here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from reid_plugins_metric_learning.library import class_of
from reidcore.errors import ConfigError, UserError, quoted
from reidcore.registry import Entry, read_options, singular

PART_KINDS: Mapping[str, str] = {
    "distance": "distances",
    "embedding_regularizer": "regularizers",
    "miner": "miners",
    "reducer": "reducers",
    "weight_regularizer": "regularizers",
}
"""Option -> the kind of the part that it names."""

SUPPLIED: Mapping[str, str] = {
    "num_classes": "num_classes",
    "embedding_size": "feature_dim",
    "descriptors_dim": "feature_dim",
}
"""What a run knows of itself: PML's name for it -> the core's."""

_FIXED = frozenset(
    {
        "aggregation_func",
        "AvgNonZeroReducer.low",
        "BatchHardMiner.neg_strategy",
        "BatchHardMiner.pos_strategy",
        "collect_stats",
        "CosineSimilarity.normalize_embeddings",
        "is_inverted",
        "MarginLoss.num_classes",
        "mat_based_loss",
        "weight_init_func",
    }
)
"""Parameters, of one class or of any, that are functions or that PML's own classes fill."""

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Degrees = Annotated[float, Field(ge=0, lt=180)]
"""An angle between two features; PML's losses have their margins in degrees."""
Slope = Annotated[float, Field(gt=0, lt=90)]
"""An angle, in degrees, whose tangent is taken."""
CosineMargin = Annotated[float, Field(ge=0, le=2)]
"""A difference of cosines, of which 2 is the largest."""
EmbeddingWeight = Annotated[
    float, Field(ge=0, json_schema_extra={"needs": "embedding_regularizer"})
]
ProxyWeight = Annotated[float, Field(ge=0, json_schema_extra={"needs": "weight_regularizer"})]
Strategy = Literal["all", "easy", "hard", "semihard"]
Variant = Literal["Ds", "Dq", "Iu", "Ib", "O"]
Span = tuple[float, float]
BranchWeights = list[Annotated[float, Field(ge=0)]]

_TYPES: Mapping[str, str] = {
    "allowed_neg_range": "Span | None",
    "allowed_pos_range": "Span | None",
    "AngularLoss.alpha": "Slope",
    "AngularMiner.angle": "Degrees",
    "ArcFaceLoss.margin": "Degrees",
    "centers_per_class": "Count",
    "CircleLoss.gamma": "Positive",
    "CircleLoss.m": "Share",
    "CosFaceLoss.margin": "CosineMargin",
    "cutoff": "NotNegative",
    "delta": "Positive | None",
    "distance": "Distance",
    "DynamicSoftMarginLoss.momentum": "Share",
    "embedding_reg_weight": "EmbeddingWeight",
    "embedding_regularizer": "Regularizer",
    "filter_percentage": "Share",
    "high": "float | None",
    "imbalance": "Share",
    "IntraPairVarianceLoss.neg_eps": "NotNegative",
    "IntraPairVarianceLoss.pos_eps": "NotNegative",
    "lambda_minus": "NotNegative",
    "lambda_plus": "NotNegative",
    "LargeMarginSoftmaxLoss.margin": "Count",
    "low": "float | None",
    "MarginLoss.nu": "NotNegative",
    "MultiSimilarityLoss.alpha": "Positive",
    "MultiSimilarityLoss.beta": "Positive",
    "n_bins": "Count | None",
    "neg_per_bin": "Count",
    "neg_strategy": "Strategy",
    "nonzero_loss_cutoff": "NotNegative",
    "num_bins": "Count",
    "p": "Positive",
    "PNPLoss.alpha": "Positive",
    "PNPLoss.anneal": "Positive",
    "PNPLoss.b": "Positive",
    "pos_per_bin": "Count",
    "pos_strategy": "Strategy",
    "power": "Positive",
    "ProxyAnchorLoss.alpha": "Positive",
    "RankedListLoss.alpha": "float | None",
    "RankedListLoss.margin": "float",
    "RankedListLoss.Tn": "float",
    "reducer": "Reducer",
    "scale": "Positive",
    "softmax_scale": "Positive",
    "SoftTripleLoss.gamma": "Positive",
    "SoftTripleLoss.la": "Positive",
    "sub_centers": "Count",
    "SubCenterArcFaceLoss.margin": "Degrees",
    "temperature": "Positive",
    "triplets_per_anchor": "Count | Literal['all']",
    "TupletMarginLoss.margin": "Degrees",
    "type_of_triplets": "Strategy",
    "variant": "Variant",
    "weight_reg_weight": "ProxyWeight",
    "weight_regularizer": "Regularizer",
}
"""Types that a default does not tell; of an option of one class, or of any."""


@dataclass(frozen=True)
class Part:
    """A distance, miner, reducer or regularizer, by name.

    Attributes:
        kind: its kind.
        name: of its class.
        options: what the class is made with; parts among them as they were written.
    """

    kind: str
    name: str
    options: Mapping[str, Any]

    @classmethod
    def read(cls, kind: str, written: Any) -> Part:
        """Read ``Name``, or ``{Name: {option: value}}``.

        Raises:
            ConfigError: if it is neither, or an option has a value of another type.
            UnknownNameError: if there is no such class, or it has no such option.
            UserError: if a run has no use for the class.
        """
        named = {written: None} if isinstance(written, str) else written
        if not (isinstance(named, Mapping) and len(named) == 1):
            raise ConfigError(
                f"{quoted(written)} is no {singular(kind)}",
                "Give its name, or its name with its options, as in {LpDistance: {p: 1}}.",
            )
        ((name, options),) = named.items()
        if not (options is None or isinstance(options, Mapping)):
            raise ConfigError(f"the options of {name} are {quoted(options)}", "Give a section.")
        made = class_of(kind, name)
        entry = Entry(kind, name, taking(made, options_of(made)), "metric_learning")
        return cls(kind, name, read_options(entry, options or {}))

    def build(self, **supplied: Any) -> Any:
        """Make it.

        Args:
            supplied: what the run knows of itself, by the core's names.
        """
        return construct(class_of(self.kind, self.name), self.options, **supplied)


def construct(made: Any, options: Mapping[str, Any], **supplied: Any) -> Any:
    """Make an object of one of PML's classes, with the parts among its options.

    Args:
        made: the class.
        options: its options, which were read; parts as they were written.
        supplied: what the run knows of itself, by the core's names.
    """
    given = {
        name: Part.read(PART_KINDS[name], value).build(**supplied) if name in PART_KINDS else value
        for name, value in options.items()
        if not (name in PART_KINDS and value is None)
    }
    return made(**given, **{name: supplied[SUPPLIED[name]] for name in needs_of(made)})


def needs_of(made: Any) -> list[str]:
    """Return which parameters of a class the run fills, by PML's names."""
    return [name for name, _ in _parameters(made) if name in SUPPLIED]


def options_of(made: Any) -> list[inspect.Parameter]:
    """Return the options that a class has by its own signature and those of its bases, typed."""
    return [parameter for name, parameter in _parameters(made) if name not in SUPPLIED]


def option(name: str, annotation: Any, default: Any = None) -> inspect.Parameter:
    """Return an option of our own; its type may be one of those named here, as text."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def taking(
    function: Callable[..., Any], parameters: Sequence[inspect.Parameter]
) -> Callable[..., Any]:
    """Return a function with a signature that the registry reads options from.

    It is of this module, so that the registry finds the types that the parameters name here.
    """

    def take(*given: Any, **options: Any) -> Any:
        return function(*given, **options)

    take.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return take


def _parameters(made: Any) -> Iterator[tuple[str, inspect.Parameter]]:
    """Yield the parameters of a class that are options or supplied, each once."""
    seen: set[str] = set()
    for owner, parameter in _signatures(made):
        name = parameter.name
        spellings = (f"{made.__name__}.{name}", f"{owner}.{name}", name)
        if name in seen or not _FIXED.isdisjoint(spellings):
            continue
        seen.add(name)
        types = (_TYPES[spelling] for spelling in spellings if spelling in _TYPES)
        yield name, option(name, next(types, parameter.annotation), parameter.default)


def _signatures(made: Any) -> Iterator[tuple[str, inspect.Parameter]]:
    """Yield the parameters of a class and, while ``**kwargs`` hands on others, of its bases."""
    for owner in made.__mro__:
        if "__init__" not in vars(owner):
            continue
        parameters = list(inspect.signature(owner).parameters.values())
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                yield owner.__name__, parameter
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            return


def _check(kind: str, written: Any) -> Any:
    """Return a part as it was written, once it can be read; pydantic tells what is wrong."""
    if written is not None:
        try:
            Part.read(kind, written)
        except UserError as error:
            raise ValueError(str(error)) from error
    return written


Distance = Annotated[Any, AfterValidator(partial(_check, "distances"))]
Miner = Annotated[Any, AfterValidator(partial(_check, "miners"))]
Reducer = Annotated[Any, AfterValidator(partial(_check, "reducers"))]
Regularizer = Annotated[Any, AfterValidator(partial(_check, "regularizers"))]
