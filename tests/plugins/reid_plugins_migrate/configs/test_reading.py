"""Foreign YAML is read with its bases, as plain values, and from nowhere else."""

from __future__ import annotations

import pytest
from reid_plugins_migrate.configs.reading import read_yaml

from reidcore.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    """Write files, and return the path of one."""

    def write(**files: str):
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.yml"
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text)
        return tmp_path / f"{next(iter(files)).replace('__', '/')}.yml"

    return write


def test_a_file_stands_over_its_bases(write) -> None:
    path = write(
        sub__top="_BASE_: ../middle.yml\nA: {x: 1}\nB: 3\n",
        middle="_BASE_: low.yml\nA: {x: 2, y: 2}\n",
        low="A: {x: 3, y: 3, z: {deep: 3}}\nB: 4\n",
    )
    assert read_yaml(path) == {"A": {"x": 1, "y": 2, "z": {"deep": 3}}, "B": 3}


def test_a_project_builds_on_the_configs_of_its_framework(write) -> None:
    path = write(
        projects__distill__configs__own="_BASE_: kd.yml\n",
        projects__distill__configs__kd="_BASE_: ../../../configs/sbs.yml\nA: 2\n",
        configs__sbs="_BASE_: bot.yml\n",
        configs__bot="A: 1\nB: 1\n",
    )
    assert read_yaml(path) == {"A": 2, "B": 1}


def test_texts_that_are_literals_are_those(write) -> None:
    path = write(a="A: ('x', \"y\",)\nB: 50x\nC: 7e-7\nD: '[1, 2]'\nE: 1.\nF: 'None'\n")
    found = read_yaml(path)
    assert found == {"A": ["x", "y"], "B": "50x", "C": 7e-7, "D": [1, 2], "E": 1.0, "F": None}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("_BASE_: a.yml\nA: 1", "its own _BASE_"),
        ("_BASE_: ../../elsewhere.yml", "outside of"),
        ("_BASE_: /etc/hostname", "outside of"),
        ("_BASE_: [1]", "_BASE_ of"),
        ("_BASE_: nowhere.yml", "cannot read"),
        ("A: !!python/object/apply:os.system ['true']", "no YAML of plain values"),
        ("A: !!python/tuple [1, 2]", "no YAML of plain values"),
        ("A: [", "no YAML of plain values"),
        ("- 1", "holds no sections"),
        ("", "holds no sections"),
        ("\x00", "no YAML"),
    ],
)
def test_what_is_not_read_is_told(write, text, told) -> None:
    with pytest.raises(ConfigError) as error:
        read_yaml(write(a=text))
    assert told in str(error.value)


def test_bases_that_build_on_each_other_are_told(write) -> None:
    with pytest.raises(ConfigError, match="its own _BASE_"):
        read_yaml(write(a="_BASE_: b.yml\n", b="_BASE_: a.yml\n"))


def test_a_base_may_not_climb_out_of_the_folder_of_the_first(write) -> None:
    with pytest.raises(ConfigError, match="outside of"):
        read_yaml(write(sub__a="_BASE_: b.yml\n", sub__b="_BASE_: ../c.yml\n", c="A: 1\n"))


def test_a_large_file_is_told(write, tmp_path) -> None:
    path = write(a="A: 1\n")
    path.write_bytes(b"# \n" * 400_000)
    with pytest.raises(ConfigError, match="more than"):
        read_yaml(path)
