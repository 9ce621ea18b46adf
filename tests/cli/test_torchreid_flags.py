"""Words of ``reidcore run``: Torchreid's flags, overrides and a recipe."""

from __future__ import annotations

import contextlib
import re
import shlex
import string

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reidcore.cli import Arguments, Session, configuration_command, json_option
from reidcore.cli.run import resume_option
from reidcore.errors import UserError

NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
KEYS = st.lists(NAMES, min_size=2, max_size=3).map(".".join).filter(lambda key: key[0].isalpha())
VALUES = st.text(string.ascii_letters + string.digits + "-./[] ,", max_size=8)


def parse(words: list[str]) -> Arguments:
    """Read words as ``reidcore run`` does."""
    read = []

    @configuration_command("", resume_option, json_option)
    def run(session: Session, arguments: Arguments) -> None:
        read.append(arguments)

    run.main(words, "run", standalone_mode=False, obj=Session())
    return read[0]


def test_nothing_is_the_defaults() -> None:
    assert parse([]) == Arguments()
    assert parse([]).flags == {}


def test_a_line_as_torchreids_users_write_it() -> None:
    arguments = parse(
        shlex.split(
            "--config-file configs/im_osnet_x1_0.yaml -s market1501 dukemtmcreid -t market1501 "
            "--transforms random_flip random_erase --root /data/reid "
            "model.load_weights log/model.pth.tar-60 test.evaluate True"
        )
    )
    assert arguments.config == "configs/im_osnet_x1_0.yaml"
    assert arguments.flags == {
        "data": {
            "sources": ["market1501", "dukemtmcreid"],
            "targets": ["market1501"],
            "transforms": ["random_flip", "random_erase"],
            "root": "/data/reid",
        }
    }
    assert arguments.overrides == (
        "model.load_weights=log/model.pth.tar-60",
        "test.evaluate=True",
    )


def test_a_recipe_and_overrides() -> None:
    arguments = parse(["quickstart", "train.max_epoch=2", "loss.terms={a: 1.0}"])
    assert arguments.config == "quickstart"
    assert arguments.overrides == ("train.max_epoch=2", "loss.terms={a: 1.0}")


@pytest.mark.parametrize(
    "order", [["-s", "a", "b", "quickstart.yaml"], ["my.dir/run.yml", "-s", "a"]]
)
def test_a_yaml_path_with_dots_is_no_override(order) -> None:
    parse(["train.lr", "0.1", *order])


def test_a_path_is_a_configuration() -> None:
    for path in ("./run.yaml", "configs/osnet.v2.yaml", "osnet.v2.yml", "/tmp.d/x.yaml"):
        assert parse([path]).config == path


@pytest.mark.parametrize("flag", ["-s", "--sources"])
@pytest.mark.parametrize("following", [["-t", "c"], ["train.lr=1"], ["train.lr", "1"], []])
def test_a_list_ends_at_the_next_flag_or_key(flag, following) -> None:
    arguments = parse([flag, "a", "b", *following])
    assert arguments.data["sources"] == ["a", "b"]
    assert bool(arguments.overrides) == (bool(following) and following[0] != "-t")


def test_a_flag_may_carry_its_value_behind_an_equals_sign() -> None:
    arguments = parse(["--config-file=a.yaml", "--root=data", "--sources=a", "b", "-t=c"])
    assert arguments.config == "a.yaml"
    assert arguments.data == {"root": "data", "sources": ["a", "b"], "targets": ["c"]}


def test_a_value_may_begin_with_a_minus_sign_in_a_pair() -> None:
    assert parse(["test.eval_freq", "-1"]).overrides == ("test.eval_freq=-1",)


def test_the_last_of_a_repeated_flag_counts() -> None:
    assert parse(["-s", "a", "--sources", "b"]).data["sources"] == ["b"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sorces", "a"], r"[Nn]o such option.*--sorces.*Did you mean.*--sources"),
        (["--zzz"], "[Nn]o such option.*--zzz"),
        (["-s"], "Option '-s' requires an argument"),
        (["-s", "-t", "a"], "Option '-s' requires an argument"),
        (["--root"], "Option '--root' requires an argument"),
        (["--root", "-t", "a"], "Option '--root' requires an argument"),
        (["--config-file"], "Option '--config-file' requires an argument"),
        (["train.lr"], "'train.lr' has no value. Write train.lr=VALUE"),
        (["a.yaml", "b.yaml"], "two configurations are given: 'a.yaml' and 'b.yaml'"),
        (["--config-file", "a.yaml", "quickstart"], "two configurations"),
    ],
)
def test_a_mistake_says_what_to_write(words, message) -> None:
    with pytest.raises((UserError, click.UsageError)) as refused:
        parse(words)
    error = refused.value
    assert re.search(
        message, str(error) if isinstance(error, UserError) else error.format_message()
    )


@given(
    st.lists(NAMES, min_size=1, max_size=3),
    st.lists(NAMES, min_size=1, max_size=3),
    st.dictionaries(KEYS, VALUES, max_size=3),
    st.booleans(),
)
def test_the_order_of_the_parts_does_not_matter(sources, targets, overrides, as_pairs) -> None:
    words = []
    for key, value in overrides.items():
        words += [key, value] if as_pairs else [f"{key}={value}"]
    flags = ["-s", *sources, "-t", *targets]
    first = parse(["quickstart", *flags, *words])
    second = parse([*words, *flags, "--config-file", "quickstart"])
    assert first == second
    assert first.data == {"sources": sources, "targets": targets}
    assert first.overrides == tuple(f"{key}={value}" for key, value in overrides.items())


@given(st.lists(st.text(max_size=6), max_size=6))
def test_any_words_are_read_or_refused_with_a_message(words) -> None:
    given = list(words)
    with contextlib.suppress(UserError, click.UsageError):
        parse(words)
    assert words == given


def test_json_is_a_way_of_printing_the_configuration() -> None:
    assert parse(["quickstart", "--print-config", "--json"]).as_json
