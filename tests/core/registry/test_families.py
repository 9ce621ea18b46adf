"""Families of names: known by their prefix, looked into only when one is used or asked for."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from reidcore import hookimpl, registry
from reidcore.cli.app import root
from reidcore.cli.session import Session
from reidcore.errors import PluginError, UnknownNameError, UserError
from reidcore.plugins import make_plugins
from reidcore.plugins.discovery import Candidate

MEMBERS = ["big", "bigger", "small.v1"]


def factory_of(name):
    if name not in MEMBERS:
        raise UnknownNameError(f"no such member: {name}")

    def build(num_classes, *, depth=3):
        return name, num_classes, depth

    return build


class Provider:
    """Registers models by a function."""

    def __init__(self, register):
        self.register = register

    @hookimpl
    def reid_register_models(self, registry):
        self.register(registry)


def plugins_of(**registrations):
    plugins = make_plugins(entry_points=False)
    for name, register in registrations.items():
        plugins.add(Candidate(name, lambda register=register: Provider(register), f"{name}-dist"))
    return plugins


def zoo(registry, prefix="zoo", **options):
    registry.add_family(prefix, factory_of, members=lambda: MEMBERS, summary="a zoo", **options)


def test_a_member_is_found_by_its_prefix_and_built() -> None:
    entry = registry.find("models", "zoo/big", plugins_of(one=zoo))
    assert (entry.name, entry.label, entry.plugin) == ("zoo/big", "model 'zoo/big'", "one")
    assert entry.load()(10) == ("big", 10, 3)
    assert list(entry.parameters()) == ["num_classes", "depth"]


def test_a_family_is_listed_apart_from_components() -> None:
    plugins = plugins_of(one=lambda registry: (zoo(registry), registry.add("plain", factory_of)))
    assert [entry.name for entry in registry.entries("models", plugins)] == ["plain"]
    (family,) = registry.families("models", plugins)
    assert (family.pattern, family.summary, family.plugin) == ("zoo/<name>", "a zoo", "one")
    assert family.names() == ["zoo/big", "zoo/bigger", "zoo/small.v1"]


def test_nothing_is_imported_before_a_member_is_used() -> None:
    spelled = "reid_not_there.names:factory_of"
    plugins = plugins_of(
        one=lambda registry: registry.add_family("far", spelled, members=spelled, needs=["far"])
    )
    entry = registry.find("models", "far/thing", plugins)
    with pytest.raises(UserError, match=r'Run: pip install "one-dist\[far\]"'):
        entry.load()
    with pytest.raises(UserError, match=r'Run: pip install "one-dist\[far\]"'):
        registry.families("models", plugins)[0].names()


def test_a_member_that_is_not_there_is_told_by_the_family() -> None:
    entry = registry.find("models", "zoo/tiny", plugins_of(one=zoo))
    with pytest.raises(UnknownNameError, match="no such member: tiny"):
        entry.load()


def test_an_unknown_name_is_told_of_the_families() -> None:
    for name in ("big", "zoo/"):
        with pytest.raises(UnknownNameError, match="Or one of a family: zoo/<name>"):
            registry.find("models", name, plugins_of(one=zoo))


def test_two_plugins_with_one_prefix_need_the_qualified_spelling() -> None:
    plugins = plugins_of(one=zoo, zoo=zoo)
    with pytest.raises(PluginError, match="'one/zoo/big' or 'zoo/zoo/big'"):
        registry.find("models", "zoo/big", plugins)
    for plugin in ("one", "zoo"):
        assert registry.find("models", f"{plugin}/zoo/big", plugins).plugin == plugin


def test_a_component_goes_before_a_member_that_is_spelled_alike() -> None:
    plugins = plugins_of(zoo=lambda registry: (zoo(registry), registry.add("big", list)))
    assert registry.find("models", "zoo/big", plugins).target is list
    assert registry.find("models", "zoo/zoo/big", plugins).member == "big"
    assert registry.find("models", "zoo/bigger", plugins).member == "bigger"


@pytest.mark.parametrize(
    ("register", "message"),
    [
        (lambda registry: zoo(registry, "a/b"), "'a/b' is no name for a model"),
        (lambda registry: (zoo(registry), zoo(registry)), "model 'zoo' is registered twice"),
        (lambda registry: registry.add_family("a", "b", members="c:d"), "the target of 'a'"),
    ],
)
def test_a_family_that_makes_no_sense_is_the_plugins_mistake(register, message) -> None:
    plugins = plugins_of(one=register)
    assert registry.families("models", plugins) == []
    (broken,) = plugins.broken
    assert message in str(broken.error)


# -- reidcore ls -----------------------------------------------------------------------------------


@pytest.fixture
def ls(monkeypatch):
    plugins = plugins_of(one=lambda registry: (zoo(registry), registry.add("big_net", list)))
    monkeypatch.setattr(Session, "plugins", lambda self, **_: plugins)

    def run(*arguments):
        done = CliRunner().invoke(root, ["ls", "models", *arguments, "--json"])
        return done.exception or [row["name"] for row in json.loads(done.stdout)]

    return run


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ((), ["big_net", "zoo/<name>"]),
        (("big",), ["big_net"]),
        (("zoo",), ["zoo/<name>"]),
        (("zoo/",), ["zoo/big", "zoo/bigger", "zoo/small.v1"]),
        (("zoo/big",), ["zoo/big", "zoo/bigger"]),
        (("zoo/*.v?",), ["zoo/small.v1"]),
        (("b*",), ["big_net"]),
    ],
)
def test_ls_shows_a_family_in_one_line_and_its_names_when_asked(ls, text, names) -> None:
    assert ls(*text) == names


def test_ls_refuses_a_filter_that_nothing_fits(ls) -> None:
    assert "no model is named like 'zoo/x'. See: reidcore ls models" in str(ls("zoo/x"))
