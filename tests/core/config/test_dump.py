import json
from pathlib import Path

import pytest
import yaml

from reidcore.config import read_config, resolved
from reidcore.plugins import make_plugins

DATA = Path(__file__).parents[2] / "fixtures/configs"
FILES = json.loads((DATA / "yaml_configs.json").read_text())
MERGED = json.loads((DATA / "merged_configs.json").read_text())
DEFAULT = json.loads((DATA / "default_config.json").read_text())

# null is 0.3, and 0 with the soft margin, which Torchreid has not
OURS = {"loss.triplet.margin": (0.3, None)}


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
    assert differences(MERGED[name], resolved(draft.config, installed)) == OURS


def test_the_defaults_are_torchreids(installed):
    assert differences(DEFAULT, resolved(read_config(None).config, installed)) == OURS


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
