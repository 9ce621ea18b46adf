from __future__ import annotations

import pickle
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reidcore.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    PluginError,
    UnknownNameError,
    UserError,
    did_you_mean,
    printable,
)


def test_the_hint_follows_what_is_wrong_in_one_line() -> None:
    assert str(UserError("no model is named 'x'", "See: reidcore ls")) == (
        "no model is named 'x'. See: reidcore ls"
    )
    assert str(UserError("it is broken.", "Mend it.")) == "it is broken. Mend it."
    assert str(UserError("it is broken")) == "it is broken"


@pytest.mark.parametrize(
    "kind", [CheckpointError, ConfigError, DataError, PluginError, UnknownNameError]
)
def test_every_kind_is_a_user_error_and_survives_the_way_from_a_worker(kind: type) -> None:
    error = pickle.loads(pickle.dumps(kind("what", "hint")))
    assert isinstance(error, UserError)
    assert (error.what, error.hint, str(error)) == ("what", "hint", "what. hint")


def test_the_nearest_names_are_suggested_whatever_their_case() -> None:
    names = ["osnet_x1_0", "osnet_x0_5", "resnet50", "RandomSampler"]
    assert did_you_mean("resnet5", names) == "Did you mean 'resnet50'?"
    assert did_you_mean("randomsampler", names) == "Did you mean 'RandomSampler'?"
    assert did_you_mean("osnet_x1_", names).startswith("Did you mean 'osnet_x1_0' or 'osnet_x0_5'")


def test_a_beginning_is_near_to_a_much_longer_name() -> None:
    names = ["step", "polynomial", "cosine"]
    assert did_you_mean("poly", names) == did_you_mean("POL", names) == "Did you mean 'polynomial'?"
    assert did_you_mean("po", names) == did_you_mean("", names) == ""
    assert did_you_mean("poly", [f"polynomial_{n}" for n in range(9)]).count("poly") == 3


def test_nothing_near_gives_nothing() -> None:
    assert did_you_mean("zzz", ["osnet", "resnet50"]) == ""
    assert did_you_mean("osnet", []) == ""


@given(st.lists(st.text(min_size=1), min_size=1), st.data())
def test_a_name_is_nearest_to_itself(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    suggestion = did_you_mean(name, names)
    same = [candidate for candidate in names if candidate.casefold() == name.casefold()]
    assert any(suggestion.startswith(f"Did you mean {candidate!r}") for candidate in same)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("gpj.\u202egnp", r"gpj.\u202egnp"),
        ("caf\udce9.jpg", r"caf\udce9.jpg"),
        ("\x9b2J\x7f\ufeff\u2028", r"\x9b2J\x7f\ufeff\u2028"),
        ("Zoë 漢字\u3000😀 ✓", "Zoë 漢字\u3000😀 ✓"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
    ],
)
def test_text_from_outside_is_shown_without_what_steers_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_name_stays_in_its_line() -> None:
    assert printable(PurePosixPath("a\nError: b\t.jpg"), one_line=True) == r"a\nError: b\t.jpg"


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_is_shown_can_be_written_and_is_left_as_it_is(text: str) -> None:
    shown = printable(text)
    assert "\x1b" not in shown
    assert printable(shown) == shown
    shown.encode()
