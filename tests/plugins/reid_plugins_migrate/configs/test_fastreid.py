"""FastReID's configurations give the training that our recipes of the same names give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from reid_plugins_migrate.configs.fastreid import fastreid_defaults
from reid_plugins_migrate.configs.translation import Translation, translate

from reidcore.config import load_config, resolved
from reidcore.errors import ConfigError
from reidcore.plugins import make_plugins

# Keys and values of the published baselines, as far as they are not the framework's defaults.
BAGTRICKS = """
MODEL:
  BACKBONE: {PRETRAIN: True}
  HEADS: {WITH_BNNECK: True}
  LOSSES:
    NAME: ("CrossEntropyLoss", "TripletLoss",)
    CE: {EPSILON: 0.1}
    TRI: {MARGIN: 0.3, HARD_MINING: True}
INPUT: {REA: {ENABLED: True}, FLIP: {ENABLED: True}, PADDING: {ENABLED: True}}
DATALOADER: {SAMPLER_TRAIN: NaiveIdentitySampler, NUM_WORKERS: 8}
SOLVER:
  AMP: {ENABLED: True}
  BASE_LR: 0.00035
  STEPS: [40, 90]
  WARMUP_ITERS: 2000
TEST: {EVAL_PERIOD: 30, IMS_PER_BATCH: 128}
CUDNN_BENCHMARK: True
OUTPUT_DIR: logs/bagtricks
"""
AGW = """
_BASE_: bagtricks.yml
MODEL:
  BACKBONE: {WITH_NL: True}
  HEADS: {POOL_LAYER: GeneralizedMeanPoolingP}
  LOSSES: {TRI: {MARGIN: 0.0, HARD_MINING: False}}
"""
SBS = """
_BASE_: bagtricks.yml
MODEL:
  FREEZE_LAYERS: [ backbone ]
  BACKBONE: {WITH_NL: True}
  HEADS:
    NECK_FEAT: after
    POOL_LAYER: GeneralizedMeanPoolingP
    CLS_LAYER: CircleSoftmax
    SCALE: 64
    MARGIN: 0.35
  LOSSES: {TRI: {MARGIN: 0.0}}
INPUT: {SIZE_TRAIN: [384, 128], SIZE_TEST: [384, 128], AUTOAUG: {ENABLED: True, PROB: 0.1}}
DATALOADER: {NUM_INSTANCE: 16}
SOLVER:
  MAX_EPOCH: 60
  SCHED: CosineAnnealingLR
  DELAY_EPOCHS: 30
  ETA_MIN_LR: 7e-7
  FREEZE_ITERS: 1000
"""
MGN = """
_BASE_: sbs.yml
MODEL:
  META_ARCHITECTURE: MGN
  FREEZE_LAYERS: [backbone, b1, b2, b3,]
  BACKBONE: {WITH_NL: False, WITH_IBN: True}
  HEADS: {EMBEDDING_DIM: 256}
"""
FILES = {"bagtricks": BAGTRICKS, "agw": AGW, "sbs": SBS, "mgn": MGN}
PLUGINS = make_plugins()


@pytest.fixture
def configs(tmp_path) -> Path:
    for name, text in FILES.items():
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


def values(source: Any) -> dict[str, Any]:
    return resolved(load_config(source, plugins=PLUGINS), PLUGINS)


def of_text(tmp_path: Path, text: str, model: str = "") -> Translation:
    path = tmp_path / "own.yml"
    path.write_text(text)
    return translate(path, model)


def differing(a: dict[str, Any], b: dict[str, Any]) -> set[str]:
    return {key for key in a.keys() | b.keys() if a.get(key) != b.get(key)}


@pytest.mark.parametrize(("name", "recipe"), [("sbs", "sbs_r50"), ("mgn", "mgn_r50_ibn")])
def test_the_stronger_baselines_are_our_recipes(configs, name, recipe) -> None:
    translated = translate(configs / f"{name}.yml")
    assert translated.notes == []
    found, wanted = values(translated.config), values(recipe)
    for section in ("model", "loss", "train", "flat_cosine", "random_erase", "settings"):
        assert found[section] == wanted[section], section
    assert differing(found["data"], wanted["data"]) == {"save_dir"}
    assert differing(found["sampler"], wanted["sampler"]) == {"epoch"}
    assert differing(found["test"], wanted["test"]) == {"eval_freq"}


def test_bot_is_our_recipe_but_for_what_fastreid_changed(configs) -> None:
    found, wanted = values(translate(configs / "bagtricks.yml").config), values("bot_r50")
    assert found["model"]["head"] == wanted["model"]["head"]
    assert differing(found["model"], wanted["model"]) == {"stem"}
    assert found["loss"]["terms"] == wanted["loss"]["terms"]
    assert found["loss"]["triplet"] == wanted["loss"]["triplet"]
    assert differing(found["loss"]["softmax"], wanted["loss"]["softmax"]) == {"form"}
    changed = {"stepsize", "warmup_steps", "warmup_epochs", "warmup_factor", "amp"}
    assert differing(found["train"], wanted["train"]) == changed
    assert found["data"]["transforms"] == wanted["data"]["transforms"]


def test_agw_is_our_recipe_but_for_what_fastreid_changed(configs) -> None:
    found, wanted = values(translate(configs / "agw.yml").config), values("agw_r50")
    assert found["model"]["head"] == wanted["model"]["head"]
    assert differing(found["model"], wanted["model"]) == {"stem"}
    assert found["loss"]["terms"] == {"softmax": 1.0, "weighted_triplet": 1.0}
    assert found["train"]["lr"] == wanted["train"]["lr"]


def test_the_file_says_what_the_translation_holds_and_runs(configs) -> None:
    translated = translate(configs / "sbs.yml")
    text = translated.as_yaml(Path("sbs.yml"))
    assert yaml.safe_load(text) == translated.config
    path = configs / "ours.yaml"
    path.write_text(text)
    assert values(path) == values(translated.config)


@pytest.mark.parametrize(
    ("text", "section", "expected"),
    [
        ("MODEL: {BACKBONE: {NAME: build_osnet_backbone, DEPTH: x0_25}}", "name", "osnet_x0_25"),
        (
            "MODEL: {BACKBONE: {NAME: build_osnet_backbone, DEPTH: x1_0, WITH_IBN: True}}",
            "name",
            "osnet_ibn_x1_0",
        ),
        ("MODEL: {BACKBONE: {DEPTH: 101x, WITH_NL: True}}", "non_local", [0, 2, 9, 0]),
        ("MODEL: {BACKBONE: {DEPTH: 34x, WITH_NL: True}}", "name", "resnet34"),
        ("MODEL: {HEADS: {POOL_LAYER: gempoolP}}", "head", {"pool": "gem", "gem_p": 3.0}),
        ("MODEL: {HEADS: {POOL_LAYER: AdaptiveAvgMaxPool}}", "head", {"pool": "avg+max"}),
        ("MODEL: {BACKBONE: {LAST_STRIDE: 2}, HEADS: {EMBEDDING_DIM: 512}}", "head", None),
    ],
)
def test_networks(tmp_path, text, section, expected) -> None:
    model = of_text(tmp_path, text).config["model"]
    if expected is None:
        assert model["head"] == {"pool": "avg", "embedding": 512}
    elif section == "head":
        assert model["head"] == {**expected, "last_stride": 1}
    else:
        assert model[section] == expected


def test_rates_and_decays_of_their_own_are_groups(tmp_path) -> None:
    text = (
        "SOLVER: {WEIGHT_DECAY: 1e-4, WEIGHT_DECAY_NORM: 0., BIAS_LR_FACTOR: 2., "
        "OPT: SGD, NESTEROV: True}"
    )
    config = of_text(tmp_path, text).config
    assert config["train"]["groups"] == {
        "norm": {"weight_decay": 0.0},
        "bias": {"weight_decay": 0.0005, "lr_mult": 2.0},
    }
    assert config["sgd"] == {"momentum": 0.9, "nesterov": True}


def test_pixels_are_normalised_as_theirs(tmp_path) -> None:
    text = (
        "MODEL: {PIXEL_MEAN: [127.5, 127.5, 127.5], PIXEL_STD: [127.5, 127.5, 127.5]}\n"
        "INPUT: {REA: {ENABLED: True, VALUE: [255, 127.5, 0]}}\n"
    )
    config = of_text(tmp_path, text).config
    assert config["data"]["norm_mean"] == config["data"]["norm_std"] == [0.5, 0.5, 0.5]
    assert config["random_erase"]["fill"] == [1.0, 0.0, -1.0]


def test_test_time_steps_stand_in_fastreids_order(tmp_path) -> None:
    text = "TEST: {FLIP: {ENABLED: True}, AQE: {ENABLED: True}, RERANK: {ENABLED: True, K1: 30}}"
    translated = of_text(tmp_path, text)
    assert translated.config["settings"]["standard"]["test_time"] == [
        "flip",
        "normalize",
        {"alpha_qe": {"k": 5, "alpha": 3.0}},
        {"rerank": {"k1": 30, "k2": 6, "lambda": 0.3}},
    ]
    translated.check(PLUGINS)


def test_vehicles_and_datasets_of_ones_own(tmp_path) -> None:
    text = """
DATASETS:
  NAMES: ('VehicleID', 'Mine')
  TESTS: ('SmallVehicleID', 'LargeVehicleID')
"""
    translated = of_text(tmp_path, text)
    data = translated.config["data"]
    assert (data["sources"], data["targets"]) == (["vehicleid", "mine"], ["vehicleid"])
    assert data["datasets"] == {"mine": {"csv": "mine.csv"}}
    assert translated.config["vehicleid"] == {"size": "small"}
    assert translated.config["test"]["protocol"] == "vehicleid"
    assert len(translated.notes) == 2
    translated.check(PLUGINS)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("MODEL: {LOSSES: {CE: {EPSILON: -1}}}", "MODEL.LOSSES.CE.EPSILON"),
        ("INPUT: {AFFINE: {ENABLED: True}}", "INPUT.AFFINE.ENABLED"),
        ("INPUT: {SIZE_TEST: [384, 128]}", "INPUT.SIZE_TEST"),
        ("TEST: {PRECISE_BN: {ENABLED: True}}", "TEST.PRECISE_BN.ENABLED"),
        ("SOLVER: {MAX_ITER: 18000}", "SOLVER.MAX_ITER"),
        ("KD: {MODEL_WEIGHTS: ['teacher.pth']}", "KD.MODEL_WEIGHTS"),
        ("MODEL: {BACKBONE: {SIE_COE: 2.0}}", "MODEL.BACKBONE.SIE_COE"),
    ],
)
def test_what_is_left_out_is_told(tmp_path, text, key) -> None:
    translated = of_text(tmp_path, text)
    assert [note.key for note in translated.notes if note.is_lost] == [key]
    assert key in translated.as_yaml(Path("own.yml"))
    translated.check(PLUGINS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("MODEL: {BACKBONE: {NAME: build_resnest_backbone}}", "--model NAME"),
        ("MODEL: {HEADS: {POOL_LAYER: gempolP}}", "POOL_LAYER is 'gempolP'"),
        ("MODEL: {LOSSES: {NAME: ('TripletLos',)}}", "Did you mean 'TripletLoss'"),
        ("MODEL: {LOSSES: {NAME: [BinaryCrossEntropyLoss]}}", "docs/attributes.md"),
        ("SOLVER: {SCHED: StepLR}", "SCHED is 'StepLR'"),
        ("SOLVER: {BASE_LR: fast}", "BASE_LR is 'fast'"),
        ("MODEL: {LOSSES: {NAME: []}}", "has no loss"),
        ("SOLVER: {STEPS: soon}", "STEPS is 'soon'"),
        ("MODEL: {PIXEL_MEAN: [127.5]}", "Expected 3 numbers"),
        ("INPUT: {REA: {ENABLED: true, VALUE: [1, 2]}}", "Expected 1 or 3 numbers"),
        ("INPUT: {SIZE_TRAIN: [1, 2, 3]}", "Expected 1 or 2 numbers"),
    ],
)
def test_what_cannot_be_translated_is_told(tmp_path, text, told) -> None:
    with pytest.raises(ConfigError) as error:
        of_text(tmp_path, text)
    assert told in str(error.value)


def test_a_network_without_a_counterpart_is_named_by_hand(tmp_path) -> None:
    text = "MODEL: {BACKBONE: {NAME: build_resnest_backbone}, HEADS: {WITH_BNNECK: True}}"
    model = of_text(tmp_path, text, "resnet50").config["model"]
    assert model["name"] == "resnet50"
    assert model["head"]["neck"] == "bnneck"


def test_the_defaults_alone_are_a_configuration(tmp_path) -> None:
    assert all(key == key.upper() or key.count(".") for key in fastreid_defaults())
    of_text(tmp_path, "MODEL: {META_ARCHITECTURE: Baseline}").check(PLUGINS)
