"""The core's typed keys: Torchreid's tree with Torchreid's defaults, and the keys it grew.

A *closed* section holds exactly the keys below. An *open* one also takes the own options of the
component it belongs to; those are judged once the run's plugins are known (``check.py``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from reidcore.config.origins import Origin, Origins


def _listed(value: object) -> object:
    """One item stands for a list of one; a tuple is as good as a list."""
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, list) or value is None else [value]


def _precision(value: object) -> object:
    """YAML 1.1 reads a bare ``off`` as false and ``on`` as true."""
    return {False: "off", True: "auto"}[value] if isinstance(value, bool) else value


Names = Annotated[list[str], BeforeValidator(_listed)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Positives = Annotated[list[Positive], BeforeValidator(_listed)]
Rate = Annotated[float, Field(ge=0)]
Channels = Annotated[list[float], Field(min_length=1), BeforeValidator(_listed)]


class Closed(BaseModel):
    """A section of known keys only."""

    model_config = ConfigDict(strict=True, extra="forbid", validate_assignment=True)


class Open(BaseModel):
    """A section that also carries the options of a component."""

    model_config = ConfigDict(
        strict=True, extra="allow", validate_assignment=True, protected_namespaces=()
    )


class HeadSection(Closed):
    """What stands behind a network's last maps; with nothing chosen, the network's own."""

    pool: Literal["avg", "max", "avg+max", "gem"] | None = None
    gem_p: Annotated[float, Field(ge=1)] = 3.0
    embedding: Positive | None = None
    neck: Literal["bnneck"] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    non_local: bool = False
    last_stride: Literal[1] | None = None
    classifier: Literal["linear", "arcface", "cosface", "circle"] | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    margin: Annotated[float, Field(ge=0)] | None = None

    def chosen(self) -> dict[str, Any]:
        """Return the keys whose values are not the defaults; none means no head at all."""
        return self.model_dump(exclude_defaults=True)

    def idle(self) -> dict[str, str]:
        """Return the keys that the others leave without effect, and what they would need."""
        chosen = self.chosen()
        needs = {} if self.pool == "gem" else {"gem_p": "pool: gem"}
        if self.classifier in (None, "linear"):
            needs |= dict.fromkeys(("scale", "margin"), "classifier: arcface, cosface or circle")
        return {key: need for key, need in needs.items() if key in chosen}


class ModelSection(Open):
    """The network; further keys are the options of the model that ``name`` names."""

    name: str = "resnet50"
    pretrained: bool = True
    load_weights: str = ""
    resume: str = ""
    head: HeadSection = HeadSection()


class DataSection(Closed):
    """Where the images come from and how they are read."""

    type: Literal["image", "video"] = "image"
    root: str = "reid-data"
    sources: Names = ["market1501"]
    targets: Names = ["market1501"]
    workers: NotNegative = 4
    split_id: NotNegative = 0
    height: Positive = 256
    width: Positive = 128
    combineall: bool = False
    transforms: Names = ["random_flip"]
    k_tfm: Positive = 1
    norm_mean: Channels = [0.485, 0.456, 0.406]
    norm_std: Channels = [0.229, 0.224, 0.225]
    save_dir: str = "log"
    load_train_targets: bool = False
    on_bad_image: Literal["error", "skip"] = "error"
    augment: Literal["image", "batch"] = "image"
    draft: bool = False
    cache: Annotated[Literal["off", "ram", "disk"], BeforeValidator(_precision)] = "off"
    cache_gb: Annotated[float, Field(gt=0)] = 8.0


class SamplerSection(Open):
    """The order of training; further keys are the options of the samplers in use."""

    train_sampler: str = "RandomSampler"
    train_sampler_t: str = "RandomSampler"
    num_instances: Positive = 4
    num_cams: Positive = 1
    num_datasets: Positive = 1


class VideoSection(Closed):
    """Frames taken from a tracklet, and how their features are pooled."""

    seq_len: Positive = 15
    sample_method: Literal["evenly", "random", "all", "evenly_torchreid"] = "evenly"
    pooling_method: Literal["avg", "max"] = "avg"


class TrainSection(Closed):
    """Optimization, its schedule and its precision."""

    optim: str = "adam"
    lr: Rate = 0.0003
    weight_decay: Rate = 0.0005
    max_epoch: NotNegative = 60
    start_epoch: NotNegative = 0
    batch_size: Positive = 32
    fixbase_epoch: NotNegative = 0
    open_layers: Names = ["classifier"]
    staged_lr: bool = False
    new_layers: Names = ["classifier"]
    base_lr_mult: Rate = 0.1
    lr_scheduler: str = "single_step"
    stepsize: Positives = [20]
    gamma: Rate = 0.1
    print_freq: Positive = 20
    seed: NotNegative = 1
    amp: Annotated[Literal["off", "bf16", "fp16", "auto"], BeforeValidator(_precision)] = "off"
    channels_last: bool = False
    accumulate: Positive = 1
    step: str | None = None


class SgdSection(Open):
    """Momentum serves rmsprop as well."""

    momentum: Rate = 0.9
    dampening: Rate = 0.0
    nesterov: bool = False


class RmspropSection(Open):
    """Options of rmsprop."""

    alpha: Rate = 0.99


class AdamSection(Open):
    """Options of adam, amsgrad and radam."""

    beta1: Rate = 0.9
    beta2: Rate = 0.999


class SoftmaxSection(Open):
    """Options of the cross-entropy loss."""

    label_smooth: bool = True


class TripletSection(Open):
    """Options of the triplet loss, and its weight against the cross entropy."""

    margin: float = 0.3
    weight_t: float = 1.0
    weight_x: float = 0.0


class LossSection(Open):
    """``name`` chooses; ``terms`` weighs several; further keys are sections named after losses."""

    name: str = "softmax"
    terms: dict[str, float] | None = None
    softmax: SoftmaxSection = SoftmaxSection()
    triplet: TripletSection = TripletSection()


class TestSection(Closed):
    """Evaluation: when, by which protocol, and what to draw."""

    __test__ = False  # not a test case, whatever its name suggests to pytest

    batch_size: Positive = 100
    dist_metric: str = "euclidean"
    normalize_feature: bool = False
    ranks: Positives = [1, 5, 10, 20]
    evaluate: bool = False
    eval_freq: Annotated[int, Field(ge=-1)] = -1
    start_eval: NotNegative = 0
    rerank: bool = False
    visrank: bool = False
    visrank_topk: Positive = 10
    protocol: str | None = None
    ties: Literal["pessimistic", "optimistic"] = "pessimistic"
    max_rank: Positive = 50


class Config(BaseModel):
    """A run's configuration; further keys are the sections of datasets, transforms and so on."""

    model_config = ConfigDict(
        strict=True, extra="allow", validate_assignment=True, protected_namespaces=()
    )

    plugins: Annotated[list[str] | None, BeforeValidator(_listed)] = None
    settings: dict[str, Any] = {}
    use_gpu: bool = True
    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    sampler: SamplerSection = SamplerSection()
    video: VideoSection = VideoSection()
    train: TrainSection = TrainSection()
    sgd: SgdSection = SgdSection()
    rmsprop: RmspropSection = RmspropSection()
    adam: AdamSection = AdamSection()
    loss: LossSection = LossSection()
    test: TestSection = TestSection()

    _origins: Origins = PrivateAttr(default_factory=dict)

    def origin(self, key: str) -> Origin:
        """Tell where the value of a dotted key came from."""
        path = tuple(key.split("."))
        while path and path not in self._origins:
            path = path[:-1]
        return self._origins.get(path, Origin("default"))

    @property
    def sections(self) -> dict[str, Any]:
        """The sections that are not the core's own, by name."""
        return dict(self.model_extra or {})
