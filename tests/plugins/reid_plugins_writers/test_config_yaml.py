"""A configuration as YAML is the same configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_writers.config_yaml import dump_value

from reidcore.config import as_yaml, check_config, read_config, resolved
from reidcore.config.yaml import parse_value
from reidcore.plugins import Plugins, make_plugins


@pytest.fixture(scope="module")
def installed() -> Plugins:
    return make_plugins()


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_yaml_has_every_value_with_its_origin(installed: Plugins) -> None:
    config = read_config(None, ["train.lr=0.5", "random_erase.p=0.25"]).config
    lines = as_yaml(config, installed).splitlines()
    train, erase = lines.index("train:"), lines.index("random_erase:")
    assert lines.index("  lr: 0.5  # override 'train.lr=0.5'") > train
    assert lines.index("  p: 0.25  # override 'random_erase.p=0.25'") > erase
    assert lines.index("  batch_size: 32  # default") > train


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
def test_the_yaml_is_the_same_configuration(
    source: str | None, overrides: list[str], installed: Plugins, write: Any
) -> None:
    config = check_config(read_config(source, overrides, plugins=installed), installed)
    path = write(as_yaml(config, installed), "printed.yaml")
    again = check_config(read_config(path, plugins=installed), installed)
    assert resolved(again, installed) == resolved(config, installed)


def test_the_yaml_is_the_same_where_a_terminal_has_ascii_alone(
    installed: Plugins, write: Any
) -> None:
    config = read_config(None, ["data.root=d\u00f3s/\u6570/\U0001f600"]).config
    shown = as_yaml(config, installed).encode("ascii", "backslashreplace").decode()
    assert read_config(write(shown, "shown.yaml")).config.data.root == config.data.root


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["3e-4", "1_000", "010", "0x1f", "1:30", "off", "~", ".5", "a: b # c"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)


@given(VALUES)
def test_a_value_is_written_on_one_line_and_read_the_same(value: Any) -> None:
    text = dump_value(value)
    assert len(text.splitlines()) == 1
    assert parse_value(text) == value
    assert parse_value(f"key: {text}  # comment") == {"key": value}
