import pytest

from reidcore.config.yaml import parse_file, parse_value
from reidcore.errors import ConfigError


def test_each_key_knows_its_line():
    layer = parse_file(
        "train:\n  lr: 0.1\n\n  stepsize:\n    - 1\n    - 2\nloss: {name: x}\n", "a.yaml"
    )
    assert layer.tree == {"train": {"lr": 0.1, "stepsize": [1, 2]}, "loss": {"name": "x"}}
    lines = {".".join(path): origin.text for path, origin in layer.origins.items()}
    assert lines == {"train.lr": "a.yaml:2", "train.stepsize": "a.yaml:4", "loss.name": "a.yaml:7"}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null"])
def test_an_empty_file_is_no_values(text):
    assert parse_file(text, "a.yaml").tree == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("1e3", 1000.0),
        ("1.5e-3", 0.0015),
        ("-.5", -0.5),
        ("007", "007"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("'3e-4'", "3e-4"),
        ("[1, 2.5, on]", [1, 2.5, True]),
        ("e3", "e3"),
    ],
)
def test_numbers_are_what_they_look_like_and_dates_stay_text(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_anchors_and_merges_work_and_may_be_overridden():
    text = "base: &base {lr: 1, gamma: 2}\ntrain:\n  <<: *base\n  lr: 3\n"
    assert parse_file(text, "a.yaml").tree["train"] == {"lr": 3, "gamma": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train:\n  lr: 1\n  lr: 2\n", r"a.yaml:3: train.lr is given twice, in lines 2 and 3"),
        ("train: {}\ntrain: {}\n", r"a.yaml:2: train is given twice"),
        ("train: [1,\n", r"a.yaml:2 is not valid YAML"),
        ("a: !!python/object/apply:os.getcwd []\n", r"a.yaml:1: .*plain values only"),
        ("a: !mine {b: 1}\nb: !mine 3\n", r"plain values only"),
        ("- a\n- b\n", r"a.yaml:1: the file holds no keys"),
        ("a: &a {b: *a}\n", r"^a.yaml:1: a.b contains itself. Remove the alias"),
        ("&a [*a]\n", r"^a.yaml:1: it contains itself. Remove the alias"),
        ("{a: 1, a: 2}\n", r"a.yaml:1: a is given twice, in line 1. Keep one"),
        ("{[1]: 2}\n", r"a.yaml:1: a key is no text. Write text before the colon"),
        ("a: !!bool z\n", r"a.yaml:1: expected true or false, not 'z'"),
        (f"a: {'9' * 5000}\n", r"a.yaml:1: the value has 5,000 characters. Write a whole number"),
        (f"a: {'9' * 5000}.5\n", r"Write a number in at most 100 characters, such as 3e-4\.$"),
        ("a: 1\n---\nb: 2\n", r"single document"),
    ],
)
def test_what_is_no_plain_configuration_is_refused_with_its_line(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_file(text, "a.yaml")
