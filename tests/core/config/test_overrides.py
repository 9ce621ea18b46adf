import pytest

from reidcore.config import read_config
from reidcore.config.overrides import parse_overrides, read_value
from reidcore.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("3e-4", 3e-4),
        ("True", True),
        ("None", None),
        ("null", None),
        ("", ""),
        ("osnet_x1_0", "osnet_x1_0"),
        ("['a','b']", ["a", "b"]),
        ("[a, b]", ["a", "b"]),
        ("(0.5, 0.25)", [0.5, 0.25]),
        ("('a',)", ["a"]),
        ("(not python", "(not python"),
        ("C:\\data: reid", "C:\\data: reid"),
        ("@file", "@file"),
        ("{softmax: 1.0}", {"softmax": 1.0}),
        ("a=b", "a=b"),
    ],
)
def test_values_are_read_as_yaml_or_as_torchreids_python(text, value):
    assert read_value(text) == value


def test_both_spellings_mix_and_the_last_wins():
    words = [
        "train.lr=1",
        "train.max_epoch",
        "20",
        "model.load_weights",
        "a=b.pth",
        "train.lr",
        "2",
    ]
    layer = parse_overrides(words)
    assert layer.tree["train"] == {"lr": 2, "max_epoch": 20}
    assert str(layer.origins["train", "lr"]) == "override 'train.lr 2'"


def test_a_value_with_an_equals_sign_belongs_to_its_key():
    assert parse_overrides(["data.root=/x/y=z"]).tree == {"data": {"root": "/x/y=z"}}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train.lr"], "'train.lr' has no value"),
        (["--lr", "3"], "'--lr 3' is no override"),
        (["train..lr=3"], "no override"),
        (["=3", "x"], "no override"),
        ([f"train.lr={'9' * 5000}"], r"^train.lr: the value has 5,000 characters .*Write a whole"),
    ],
)
def test_words_that_are_no_overrides_are_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        parse_overrides(words)


def test_a_section_below_another_may_be_of_a_family():
    layer = parse_overrides(["loss.pml/TripletMarginLoss.margin=0.2", "timm/lamb.trust_clip=true"])
    assert layer.tree["loss"]["pml/TripletMarginLoss"] == {"margin": 0.2}
    assert layer.tree["timm/lamb"] == {"trust_clip": True}


def test_an_override_empties_no_section_in_silence() -> None:
    given = {"loss": {"terms": {"softmax": 1.0}}}
    with pytest.raises(
        ConfigError, match=r"'loss.terms={}' leaves softmax there.*loss\.terms=null"
    ):
        read_config(given, ["loss.terms={}"])
    assert read_config(given, ["loss.terms=null"]).config.loss.terms is None
    given = {"train": {"groups": {"bias": {"lr_mult": 2.0}}}}
    assert read_config(given, ["train.groups=null"]).config.train.groups == {}
    assert read_config(None, ["data.datasets={}"]).config.data.datasets == {}
