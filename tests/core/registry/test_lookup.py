"""Names of components: whose they are, how they are found, and what a failure says."""

from __future__ import annotations

import logging
import sys
from types import ModuleType

import pytest

from reidcore import hookimpl, hookspec, registry
from reidcore.errors import PluginDefectError, PluginError, UnknownNameError, UserError
from reidcore.plugins import make_plugins
from reidcore.plugins.discovery import Candidate, object_candidate
from reidcore.registry.lookup import is_registered


def model_a(num_classes, *, width=1.0):
    return ("a", num_classes, width)


def model_b(num_classes):
    return ("b", num_classes)


def candidate(name: str, register, kind: str = "models") -> Candidate:
    """Return a plugin whose registration of a kind is a function."""

    def hook(registry):
        register(registry)

    hook.__name__ = f"reid_register_{kind}"
    plugin = ModuleType(name)
    setattr(plugin, hook.__name__, hookimpl(hook))
    return Candidate(name, lambda: plugin, f"{name}-dist", "1.0")


def plugins_of(*registrations):
    """Return plugins called one, two and three, each registering models by a function."""
    plugins = make_plugins(entry_points=False)
    for pair in zip(("one", "two", "three"), registrations, strict=False):
        plugins.add(candidate(*pair))
    return plugins


# -- listing ---------------------------------------------------------------------------------------


def test_each_component_is_known_with_its_plugin_and_distribution() -> None:
    plugins = plugins_of(
        lambda registry: registry.add("wide", model_a, summary="2 M", aliases=["broad"]),
        lambda registry: registry.add("slim", model_b, needs=["mat"], options={"w": "width"}),
    )
    slim, wide = registry.entries("models", plugins)
    assert (slim.name, slim.plugin, slim.distribution) == ("slim", "two", "two-dist")
    assert (wide.name, wide.plugin, wide.distribution) == ("wide", "one", "one-dist")
    assert (wide.summary, wide.aliases, slim.needs) == ("2 M", ("broad",), ("mat",))
    assert slim.options == {"w": "width"}
    assert (wide.qualified_name, wide.label) == ("one/wide", "model 'wide'")


def test_kinds_are_apart_and_sets_of_plugins_too() -> None:
    plugins = plugins_of(lambda registry: registry.add("wide", model_a))
    assert registry.entries("losses", plugins) == []
    assert registry.entries("models", make_plugins(entry_points=False)) == []


def test_the_current_plugins_are_asked_by_default() -> None:
    with plugins_of(lambda registry: registry.add("wide", model_a)):
        assert [entry.name for entry in registry.entries("models")] == ["wide"]
        assert registry.find("models", "wide").load() is model_a
    assert "wide" not in {entry.name for entry in registry.entries("models")}


def test_plugins_are_asked_once_until_told_to_forget() -> None:
    asked = []
    plugins = plugins_of(asked.append)
    for _ in range(2):
        registry.entries("models", plugins)
    assert len(asked) == 1
    registry.invalidate()
    registry.entries("models", plugins)
    assert len(asked) == 2


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'modles'.*Did you mean 'models'"):
        registry.entries("modles")
    with pytest.raises(UnknownNameError, match="The kinds are: models, poolings"):
        registry.entries("zzz")


@pytest.mark.parametrize(
    ("kind", "name"), [("models", "model"), ("losses", "loss"), ("configs", "recipe")]
)
def test_one_of_a_kind_has_a_name(kind, name) -> None:
    assert registry.singular(kind) == name


# -- finding ---------------------------------------------------------------------------------------


def test_a_component_is_found_by_name_qualified_name_and_alias() -> None:
    plugins = plugins_of(lambda registry: registry.add("wide", model_a, aliases=["broad"]))
    for name in ("wide", "one/wide", "broad"):
        assert registry.find("models", name, plugins).name == "wide"


@pytest.mark.parametrize(
    ("name", "known"), [("wide", True), ("one/wide", True), ("vast", True), ("vaast", False)]
)
def test_any_spelling_of_a_component_is_registered(name, known) -> None:
    plugins = plugins_of(lambda registry: registry.add("wide", model_a, aliases=("vast",)))
    assert is_registered("models", name, plugins) is known


def test_a_name_goes_before_anothers_alias() -> None:
    plugins = plugins_of(
        lambda registry: registry.add("wide", model_a, aliases=["slim"]),
        lambda registry: registry.add("slim", model_b),
    )
    assert registry.find("models", "slim", plugins).plugin == "two"


def test_a_name_of_two_plugins_is_an_error_only_when_asked_for() -> None:
    plugins = plugins_of(
        lambda registry: registry.add("same", model_a),
        lambda registry: (registry.add("same", model_b), registry.add("other", model_b)),
    )
    assert len(registry.entries("models", plugins)) == 3
    assert registry.find("models", "other", plugins).plugin == "two"
    with pytest.raises(PluginError) as caught:
        registry.find("models", "same", plugins)
    assert str(caught.value) == (
        "model 'same' is provided by several plugins: one, two. Write 'one/same' or 'two/same'."
    )
    assert registry.find("models", "two/same", plugins).load() is model_b


def test_an_alias_of_two_plugins_is_ambiguous_too() -> None:
    plugins = plugins_of(
        lambda registry: registry.add("wide", model_a, aliases=["x"]),
        lambda registry: registry.add("slim", model_b, aliases=["x"]),
    )
    with pytest.raises(PluginError, match=r"'one/wide'|'two/slim'"):
        registry.find("models", "x", plugins)


def test_an_unknown_name_is_refused_with_the_nearest_names_and_aliases() -> None:
    plugins = plugins_of(lambda registry: registry.add("osnet_x1_0", model_a, aliases=["osn"]))
    with pytest.raises(UnknownNameError) as caught:
        registry.find("models", "osnet_x10", plugins)
    assert str(caught.value) == (
        "no model is named 'osnet_x10'. Did you mean 'osnet_x1_0'? See: reidcore ls models"
    )
    with pytest.raises(UnknownNameError, match="Did you mean 'osn'"):
        registry.find("models", "osm", plugins)


def test_an_empty_installation_says_what_to_install() -> None:
    with pytest.raises(UnknownNameError) as caught:
        registry.find("models", "osnet_x1_0", make_plugins(entry_points=False))
    assert "No models are installed at all: run 'pip install reidcore' again" in str(caught.value)


def test_what_was_left_out_is_mentioned(site) -> None:
    with pytest.raises(UnknownNameError, match=r"Left out of this run: 'osnet' \(reidcore\)"):
        registry.find("models", "osnet_x1_0", make_plugins(disabled=["osnet"]))


# -- targets ---------------------------------------------------------------------------------------


def test_a_spelled_target_is_imported_when_it_is_used(site) -> None:
    site.write("far.away", "def build(num_classes, *, depth=3):\n    return depth\n")
    plugins = plugins_of(lambda registry: registry.add("far", "far.away:build"))
    entry = registry.find("models", "far", plugins)
    assert "far" not in sys.modules
    assert list(entry.parameters()) == ["num_classes", "depth"]
    assert entry.load()(10) == 3


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    plugins = plugins_of(
        lambda registry: registry.add("cuhk", "package_not_there:cuhk", needs=["mat", "fast"]),
    )
    with pytest.raises(UserError) as caught:
        registry.find("models", "cuhk", plugins).load()
    assert "model 'cuhk' needs a package that is not installed" in str(caught.value)
    assert "'package_not_there'" in str(caught.value)
    assert str(caught.value).endswith('Run: pip install "one-dist[mat,fast]"')


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import package_not_there\n", "No module named 'package_not_there'"),
        ("def other(): pass\n", "no attribute 'build'"),
        ("def broken(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("build = 'a string'\n", "a str cannot be called"),
    ],
)
def test_a_target_that_cannot_be_loaded_is_its_plugins_mistake(site, source, cause) -> None:
    site.write("bad_target", source)
    plugins = plugins_of(lambda registry: registry.add("bad", "bad_target:build"))
    with pytest.raises(PluginDefectError) as caught:
        registry.find("models", "bad", plugins).load()
    told = "model 'bad' of plugin 'one' (one-dist) cannot be loaded from 'bad_target:build'"
    assert told in str(caught.value)
    assert cause in str(caught.value)


# -- registering badly -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("register", "cause"),
    [
        (lambda registry: registry.add("", model_a), "'' is no name for a model"),
        (lambda registry: registry.add(None, model_a), "None is no name for a model"),
        (lambda registry: registry.add("a/b", model_a), "'a/b' is no name"),
        (lambda registry: registry.add("wide", 3), "neither callable nor 'module:attribute'"),
        (lambda registry: registry.add("wide", "module.attribute"), "nor 'module:attribute'"),
        (lambda registry: [registry.add("wide", model_a)] * registry.add("wide", model_a), "twice"),
        (lambda registry: 1 / 0, "division by zero"),
    ],
)
def test_a_plugin_that_registers_badly_is_left_out_alone(caplog, register, cause) -> None:
    caplog.set_level(logging.WARNING, logger="reidcore")
    plugins = plugins_of(
        lambda registry: registry.add("before", model_a),
        register,
        lambda registry: registry.add("later", model_b),
    )
    assert [entry.name for entry in registry.entries("models", plugins)] == ["before", "later"]
    assert [plugin.name for plugin in plugins.broken] == ["two"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("! plugin 'two' (two-dist) is left out: ")
    assert cause in line


def test_a_plugin_that_fails_is_left_out_of_what_was_listed_before() -> None:
    class Mixed:
        @hookimpl
        def reid_register_models(self, registry):
            registry.add("wide", model_a)

        @hookimpl
        def reid_register_losses(self, registry):
            raise RuntimeError("no losses today")

    plugins = make_plugins(entry_points=False)
    plugins.add(object_candidate(Mixed()))
    assert [entry.name for entry in registry.entries("models", plugins)] == ["wide"]
    assert registry.entries("losses", plugins) == []
    assert registry.entries("models", plugins) == []


def test_an_unknown_name_mentions_the_broken_plugin_that_might_have_it(site) -> None:
    site.install_module("broken-one", "raise RuntimeError('no luck')")
    with pytest.raises(
        UnknownNameError,
        match=r"Plugin 'broken_one' \(broken-one\) might provide it.*RuntimeError: no luck",
    ):
        registry.find("models", "marvel", make_plugins())


# -- settings --------------------------------------------------------------------------------------


def test_a_requested_plugin_that_registers_badly_is_an_error() -> None:
    def register(registry):
        raise RuntimeError("no models today")

    plugins = make_plugins(entry_points=False, extra=[candidate("one", register)])
    with pytest.raises(PluginError, match=r"'one' \(one-dist\) is broken.*no models today"):
        registry.entries("models", plugins)


def test_settings_schemas_are_known_by_plugin_and_may_be_spelled(site) -> None:
    site.write("shop_settings", "class Settings:\n    pass\n")

    class Here:
        pass

    plugins = make_plugins(
        entry_points=False,
        extra=[
            candidate("one", lambda registry: registry.settings(Here), "configs"),
            candidate(
                "two", lambda registry: registry.settings("shop_settings:Settings"), "configs"
            ),
            candidate("three", lambda registry: None, "configs"),
        ],
    )
    schemas = registry.settings_schemas(plugins)
    assert list(schemas) == ["one", "two"]
    assert schemas["one"] is Here
    assert schemas["two"].__module__ == "shop_settings"


def test_only_configs_take_settings(caplog) -> None:
    plugins = plugins_of(lambda registry: registry.settings(object))
    assert registry.entries("models", plugins) == []
    assert "settings" in str(plugins.broken[0].error)


def test_a_recipe_is_spelled_by_its_file() -> None:
    plugins = make_plugins(
        entry_points=False,
        extra=[
            candidate("one", lambda registry: registry.add("mine", "shop/mine.yaml"), "configs")
        ],
    )
    assert registry.find("configs", "mine", plugins).target == "shop/mine.yaml"


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_bundled_component_can_be_loaded(kind) -> None:
    listed = registry.entries(kind)
    assert listed
    if kind != "configs":
        assert [entry.name for entry in listed if not callable(entry.load())] == []
    assert [entry.name for entry in listed if not entry.summary] == []


# -- what plugins publish --------------------------------------------------------------------------


class PriceHooks:
    @hookspec
    def reid_register_prices(self, registry):
        """Register ways to price a picture."""


class Prices:
    """Publishes a hook by which others register prices."""

    @hookimpl
    def reid_add_hookspecs(self, plugins):
        plugins.add_hookspecs(PriceHooks)


def shop(*registrations):
    """Return plugins one, two and three that register prices by a function each."""
    plugins = make_plugins(entry_points=False, extra=[Prices()])
    for name, register in zip(("one", "two", "three"), registrations, strict=False):
        plugins.add(candidate(name, register, "prices"))
    return plugins


def published(plugins):
    return registry.published("prices", "reid_register_prices", plugins)


def test_what_is_registered_by_a_published_hook_is_known_with_its_plugin() -> None:
    plugins = shop(
        lambda registry: registry.add("flat", model_a, summary="5", aliases=["even"]),
        lambda registry: registry.add("by_size", model_b, needs=["mat"], options={"w": "width"}),
    )
    flat, by_size = published(plugins)
    assert (flat.label, flat.plugin, flat.distribution) == ("price 'flat'", "one", "one-dist")
    assert (by_size.plugin, by_size.needs, by_size.options) == ("two", ("mat",), {"w": "width"})
    with plugins:
        assert registry.published("prices", "reid_register_prices") == [flat, by_size]
    for name in ("flat", "one/flat", "even"):
        assert registry.select("prices", name, [flat, by_size]) is flat


def test_a_plugin_that_fails_in_a_published_hook_is_left_out_and_told(caplog) -> None:
    def fail(registry):
        registry.add("half", model_a)
        raise ValueError("no")

    plugins = shop(fail, lambda registry: registry.add("flat", model_a))
    assert [entry.name for entry in published(plugins)] == ["flat"]
    assert "plugin 'one' (one-dist) is left out: ValueError: no" in caplog.text


def test_a_family_is_not_dropped_in_silence_where_none_is_listed(caplog) -> None:
    plugins = shop(lambda registry: registry.add_family("lib", model_a, members=list))
    assert published(plugins) == []
    assert "there are no families of prices; add each of 'lib'" in caplog.text


def test_one_published_component_is_selected_or_told_about() -> None:
    plugins = shop(
        lambda registry: (registry.add("flat", model_a), registry.add("by_size", model_b)),
        lambda registry: registry.add("flat", model_a),
    )
    listed = published(plugins)
    assert registry.select("prices", "two/flat", listed).plugin == "two"
    with pytest.raises(
        PluginError, match=r"price 'flat' is provided by .*: one, two\. Write 'one/f"
    ):
        registry.select("prices", "flat", listed)
    told = r"no price is named 'flatt'\. Did you mean 'flat'\? There are by_size, flat\."
    with pytest.raises(UnknownNameError, match=told):
        registry.select("prices", "flatt", listed)
    with pytest.raises(UnknownNameError, match="There are none, their plugin is left out"):
        registry.select("prices", "flat", [])
