import json
from pathlib import Path

import pytest
import yaml

from reidcore.config import as_yaml, check_config, read_config, resolved
from reidcore.plugins import make_plugins

DATA = Path(__file__).parents[2] / "fixtures/configs"
FILES = json.loads((DATA / "yaml_configs.json").read_text())
MERGED = json.loads((DATA / "merged_configs.json").read_text())
DEFAULT = json.loads((DATA / "default_config.json").read_text())


def leaves(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def differences(expected, got):
    known = dict(leaves(got))
    return {
        key: (value, known.get(key))
        for key, value in leaves(expected)
        if known.get(key) != value or type(known[key]) is not type(value)
    }


@pytest.fixture(scope="module")
def installed():
    return make_plugins()


@pytest.mark.parametrize("name", sorted(FILES))
def test_torchreids_files_resolve_key_by_key(name, installed, write):
    draft = read_config(write(yaml.safe_dump(FILES[name]), name), plugins=installed)
    assert draft.problems == []
    assert differences(MERGED[name], resolved(draft.config, installed)) == {}


def test_the_defaults_are_torchreids(installed):
    assert differences(DEFAULT, resolved(read_config(None).config, installed)) == {}


def test_components_sections_show_what_is_set_and_the_defaults_of_the_rest(plugins):
    config = read_config(None, ["cuhk03.classic_split=true"]).config
    assert resolved(config, plugins)["cuhk03"] == {
        "classic_split": True,
        "labeled_images": False,
        "use_metric_cuhk03": False,
    }
    assert "gone" not in resolved(config, plugins)


def test_an_option_set_by_another_name_shows_no_default_beside_it(plugins):
    config = read_config(None, ["cuhk03.cuhk03_labeled=true"]).config
    assert resolved(config, plugins)["cuhk03"] == {
        "cuhk03_labeled": True,
        "classic_split": False,
        "use_metric_cuhk03": False,
    }


def test_the_yaml_has_every_value_with_its_origin(plugins):
    config = read_config(None, ["train.lr=0.5", "paint.fill=x"]).config
    lines = as_yaml(config, plugins).splitlines()
    train, paint = lines.index("train:"), lines.index("paint:")
    assert lines.index("  lr: 0.5  # override 'train.lr=0.5'") > train
    assert lines.index("  gamma: 0.1  # default") > train
    assert lines.index("  fill: x  # override 'paint.fill=x'") > paint
    assert lines.index("  p: 0.5  # default") > paint


@pytest.mark.parametrize(
    ("source", "overrides"),
    [
        (None, []),
        ("quickstart", ["train.max_epoch=3", "data.value_range=[0, 1000]"]),
        ("osnet_x1_0_market1501", ["loss.terms={softmax: 1, triplet: 0.5}", "train.optim=sgd"]),
        (None, ["model.head={pool: gem, gem_p: 4}", "market1501.use_500k_distractors=true"]),
        (None, ["data.root='3e-4'", "train.lr=1e-7", "data.save_dir='a: b # c'"]),
        (None, ["data.root=d\u00f3s", "data.save_dir='two\n\nlines'", "model.load_weights='no'"]),
    ],
)
def test_the_yaml_is_the_same_configuration(source, overrides, installed, write):
    config = check_config(read_config(source, overrides, plugins=installed), installed)
    path = write(as_yaml(config, installed), "printed.yaml")
    again = check_config(read_config(path, plugins=installed), installed)
    assert resolved(again, installed) == resolved(config, installed)


def test_the_yaml_is_the_same_where_a_terminal_has_ascii_alone(installed, write):
    config = read_config(None, ["data.root=d\u00f3s/\u6570/\U0001f600"]).config
    shown = as_yaml(config, installed).encode("ascii", "backslashreplace").decode()
    assert read_config(write(shown, "shown.yaml")).config.data.root == config.data.root
