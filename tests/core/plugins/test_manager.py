"""Sets of plugins: loading, isolation, order, attribution and being current."""

from __future__ import annotations

import contextvars
import gc
import logging
import sys
import threading
import weakref
from dataclasses import dataclass
from types import ModuleType

import pytest

from reidcore import hookimpl
from reidcore.errors import PluginError
from reidcore.plugins import CORE, HOOK_NAMES, current_plugins, describe, make_plugins
from reidcore.plugins.advice import BY_COMMAND, leaving_out
from reidcore.plugins.discovery import object_candidate

STEP_END = """
    from reidcore import hookimpl

    @hookimpl
    def reid_step_end(engine, outcome):
        engine.append(__name__)
"""
UNKNOWN_HOOK = """
    from reidcore import hookimpl

    @hookimpl
    def reid_step_ended(engine, outcome):
        pass
"""
WRONG_ARGUMENT = """
    from reidcore import hookimpl

    @hookimpl
    def reid_step_end(engine, result):
        pass
"""
UNMARKED = """
    def reid_step_end(engine, outcome):
        pass
"""
CLASS = """
    from reidcore import hookimpl

    class Plugin:
        @hookimpl
        def reid_step_end(self, engine, outcome):
            pass
"""
BROKEN = [
    ("import a_package_that_is_not_there\n", "ModuleNotFoundError: No module named 'a_package"),
    ("def broken(:\n", "SyntaxError"),
    ("raise RuntimeError('several\\nlines')\n", "RuntimeError: several lines"),
    ("import sys\nsys.exit(3)\n", "ImportError: importing it ended the program (SystemExit: 3)"),
    (UNKNOWN_HOOK, "no hook 'reid_step_ended'. Did you mean 'reid_step_end'"),
    (WRONG_ARGUMENT, "result"),
    (UNMARKED, "reid_step_end lacks its mark: write @hookimpl above it"),
]


class Recorder:
    """A plugin whose end of a step leaves a name behind."""

    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def reid_step_end(self, engine):
        engine.append(self.name)


def module(name: str, implementation) -> ModuleType:
    """Return a module with one implementation."""
    made = ModuleType(name)
    setattr(made, implementation.__name__, implementation)
    return made


def calls(plugins) -> list[str]:
    """Return who answered the end of a step, in order."""
    seen: list[str] = []
    plugins.hook.reid_step_end(engine=seen, outcome=None)
    return seen


def states(plugins) -> dict[str, str]:
    return {plugin.name: plugin.state for plugin in plugins}


def lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.fixture(autouse=True)
def _listen(caplog):
    caplog.set_level(logging.INFO, logger="reidcore")


# -- what is loaded, and in which order ------------------------------------------------------------


def test_the_core_is_there_without_any_installed_plugin() -> None:
    plugins = make_plugins(entry_points=False)
    assert states(plugins) == {CORE: "active"}
    assert "reid_forward_backward" in plugins.get(CORE).hooks


def test_later_plugins_are_called_first(site, tmp_path) -> None:
    site.install_module("zeta-plugin", STEP_END)
    site.install_module("alpha-plugin", STEP_END)
    file = tmp_path / "by_hand.py"
    file.write_text("\n".join(line[4:] for line in STEP_END.splitlines()))
    plugins = make_plugins(extra=[str(file), Recorder("object")])
    assert calls(plugins) == ["object", "reidcore_plugin_by_hand", "zeta_plugin", "alpha_plugin"]
    order = [plugin.name for plugin in plugins]
    assert order[0] == CORE
    assert order.index("standard") < order.index("alpha_plugin") < order.index("zeta_plugin")
    assert order[-2:] == ["by_hand", "Recorder"]


def test_implementations_are_listed_in_call_order_wrappers_first() -> None:
    def wrapping(name):
        @hookimpl(wrapper=True)
        def reid_forward_backward(engine, batch):
            return (yield)

        return module(name, reid_forward_backward)

    @hookimpl
    def reid_forward_backward(engine, batch):
        return None

    extra = [wrapping("inner"), module("plain", reid_forward_backward), wrapping("outer")]
    plugins = make_plugins(entry_points=False, extra=extra)
    listed = plugins.implementations("reid_forward_backward")
    assert [plugin.obj.__name__ for plugin, _ in listed] == [
        "outer",
        "inner",
        "plain",
        "reidcore.plugins.defaults",
    ]
    assert [implementation.wrapper for _, implementation in listed] == [True, True, False, False]


def test_each_plugin_says_where_it_comes_from_and_what_it_hooks(site) -> None:
    site.install_module("fine-plugin", STEP_END)
    plugin = make_plugins().get("fine_plugin")
    assert (plugin.distribution, plugin.version, plugin.state) == ("fine-plugin", "1.0", "active")
    assert plugin.origin == "'fine_plugin' (fine-plugin)"
    assert plugin.hooks == ("reid_step_end",)
    assert plugin.module_name == "fine_plugin"


def test_modules_names_of_modules_and_objects_are_added(site) -> None:
    site.write("loose_module", STEP_END)
    module = ModuleType("made_by_hand")
    plugins = make_plugins(
        entry_points=False, extra=[module, "loose_module", Recorder("one"), Recorder("two")]
    )
    assert calls(plugins) == ["two", "one", "loose_module"]
    assert plugins.get("made_by_hand").obj is module
    assert plugins.get("Recorder").origin == "'Recorder'"


def test_a_plugin_named_twice_is_loaded_once(site, tmp_path) -> None:
    site.install_module("fine-plugin", STEP_END)
    file = site.write("again", STEP_END)
    thing = Recorder("object")
    plugins = make_plugins(extra=[file, thing, str(file), thing, "fine_plugin"])
    assert calls(plugins) == ["object", "reidcore_plugin_again", "fine_plugin"]


def test_two_names_for_one_module_are_told_and_the_first_goes_on(site, caplog) -> None:
    site.install_module("fine-plugin", STEP_END)
    site.install("old-name", {"old": "fine_plugin"})
    plugins = make_plugins()
    assert calls(plugins) == ["fine_plugin"]
    assert (states(plugins)["fine_plugin"], states(plugins)["old"]) == ("active", "disabled")
    assert lines(caplog) == [
        "! plugin 'old' (old-name) is plugin 'fine_plugin' again and is loaded once"
    ]


def test_subset_hooks_call_those_alone(site) -> None:
    plugins = make_plugins(entry_points=False, extra=[Recorder("one"), Recorder("two")])
    second = [plugin for plugin in plugins if plugin.obj.__class__ is Recorder][1]
    seen: list[str] = []
    plugins.subset_hook("reid_step_end", [second])(engine=seen, outcome=None)
    assert seen == ["two"]
    assert calls(plugins) == ["two", "one"]


def test_plugins_that_have_a_hook_are_called_one_by_one(site) -> None:
    plugins = make_plugins(entry_points=False, extra=[Recorder("one"), Recorder("two")])
    heard: list[list[str]] = []
    for plugin, hook in plugins.one_by_one("reid_step_end"):
        assert "reid_step_end" in plugin.hooks
        heard.append([])
        hook(engine=heard[-1], outcome=None)
    assert heard == [["one"], ["two"]]


# -- isolation -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "cause"), BROKEN)
def test_a_broken_plugin_costs_one_line_and_nothing_else(site, caplog, source, cause) -> None:
    site.install_module("before-it", STEP_END)
    site.install_module("broken-one", source)
    site.install_module("later-one", STEP_END)
    plugins = make_plugins()
    assert calls(plugins) == ["later_one", "before_it"]
    (broken,) = plugins.broken
    assert (broken.name, broken.distribution, broken.hooks) == ("broken_one", "broken-one", ())
    assert cause in describe(broken.error)
    (line,) = lines(caplog)
    assert line.startswith("! plugin 'broken_one' (broken-one) is left out: ")
    assert cause in line
    assert "\n" not in line


def test_a_class_in_place_of_an_instance_is_told(site, caplog) -> None:
    site.write("classy", CLASS)
    site.install("classy", {"classy": "classy:Plugin"})
    assert states(make_plugins())["classy"] == "broken"
    assert "it is the class Plugin; give an instance: Plugin()" in lines(caplog)[0]


def test_an_object_that_cannot_be_hashed_is_refused_and_costs_the_others_nothing() -> None:
    @dataclass
    class Settings:
        @hookimpl
        def reid_step_end(self, engine):
            engine.append("settings")

    with pytest.raises(PluginError, match=r"has no hash; a dataclass needs @dataclass\(eq=False\)"):
        make_plugins(entry_points=False, extra=[Settings()])
    plugins = make_plugins(entry_points=False, extra=[Recorder("one")])
    with pytest.raises(PluginError):
        plugins.add(object_candidate(Settings()), requested=True)
    seen: list[str] = []
    plugins.subset_hook("reid_step_end", plugins.active)(engine=seen, outcome=None)
    assert seen == ["one"]


def test_ctrl_c_during_an_import_is_no_fault_of_the_plugin(site) -> None:
    site.install_module("slow-plugin", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        make_plugins()


def test_a_broken_plugin_is_taken_out_whole(site) -> None:
    site.install_module("half-good", STEP_END + UNKNOWN_HOOK)
    plugins = make_plugins()
    assert calls(plugins) == []
    listed = [plugin.name for plugin, _ in plugins.implementations("reid_step_end")]
    assert "half_good" not in listed


def test_a_plugin_may_fail_later_and_is_then_left_out(caplog) -> None:
    plugins = make_plugins(entry_points=False)
    plugins.add(object_candidate(Recorder("one")))
    plugins.fail(plugins.get("Recorder"), ValueError("too late"))
    assert calls(plugins) == []
    assert states(plugins)["Recorder"] == "broken"
    assert lines(caplog) == ["! plugin 'Recorder' is left out: ValueError: too late"]


def test_two_distributions_with_one_name_are_both_loaded_and_reported(site, caplog) -> None:
    for distribution in ("alpha-dist", "zeta-dist"):
        module = distribution.replace("-", "_")
        site.write(module, STEP_END)
        site.install(distribution, {"same": module})
    plugins = make_plugins()
    assert calls(plugins) == ["zeta_dist", "alpha_dist"]
    assert plugins.get("same").distribution == "alpha-dist"
    assert plugins.get("zeta-dist/same").distribution == "zeta-dist"
    assert lines(caplog) == [
        "! two plugins are named 'same': the one of alpha-dist keeps the name, "
        "the other is 'zeta-dist/same'"
    ]


def test_any_number_of_plugins_may_share_a_name(tmp_path) -> None:
    plugins = make_plugins(entry_points=False, extra=[Recorder(str(n)) for n in range(4)])
    assert len(calls(plugins)) == 4


# -- asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "cause"), BROKEN)
def test_a_broken_file_that_was_asked_for_is_an_error_with_its_cause(site, source, cause) -> None:
    file = site.write("asked_for", source)
    with pytest.raises(PluginError) as caught:
        make_plugins(entry_points=False, extra=[file])
    assert str(caught.value).startswith("plugin 'asked_for' is broken: ")
    assert cause in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_broken_plugin_that_a_run_is_restricted_to_is_an_error_with_its_cause(site) -> None:
    site.install_module("broken-one", "raise RuntimeError('no luck')")
    for name in ("broken_one", "broken-one"):
        with pytest.raises(PluginError, match=r"'broken_one' \(broken-one\) is broken.*no luck"):
            make_plugins(only=[name])


def test_getting_a_broken_disabled_or_unknown_plugin_says_which(site) -> None:
    site.install_module("broken-one", "raise RuntimeError('no luck')")
    plugins = make_plugins(disabled=["osnet"])
    with pytest.raises(PluginError, match=r"broken.*no luck"):
        plugins.get("broken_one")
    with pytest.raises(PluginError, match=r"'osnet' \(reidcore\) is disabled"):
        plugins.get("osnet")
    with pytest.raises(PluginError, match=r"no plugin is named 'osnets'. Did you mean 'osnet'"):
        plugins.get("osnets")


def test_a_misspelt_hook_has_its_nearest_names_those_that_plugins_publish_among_them(site) -> None:
    def hooking(name: str) -> object:
        return type("Hooks", (), {name: hookimpl(lambda self: None)})()

    near = {
        "reid_epoch_strat": "Did you mean 'reid_epoch_start'",
        "reid_register_model": "Did you mean 'reid_register_models'",
        "reid_check_dtaa": "Did you mean 'reid_check_data'",  # of the inspect plugin
        "reid_shelves_of_books": "takes optionalhook=True",
    }
    for name, hint in near.items():
        with pytest.raises(PluginError, match=rf"there is no hook '{name}'\. .*{hint}"):
            make_plugins(extra=[hooking(name)])


def test_advice_fits_the_road_by_which_the_program_came() -> None:
    def remedy(**how) -> str:
        with pytest.raises(PluginError) as told:
            make_plugins(**how).get("osnet")
        return told.value.hint

    assert remedy(disabled=["osnet"]).startswith("Drop it from make_plugins(disabled=...) or REID")
    assert leaving_out("shop") == "REIDCORE_DISABLE_PLUGINS=shop or make_plugins(disabled=['shop'])"
    token = BY_COMMAND.set(True)
    assert remedy(disabled=["reidcore"]).startswith("Drop it from --no-plugin or REIDCORE_DISABLE")
    assert leaving_out("shop") == "--no-plugin shop"
    BY_COMMAND.reset(token)


# -- leaving out and restricting -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["noisy_plugin", "noisy-plugin"])
def test_a_disabled_plugin_is_not_even_imported(site, caplog, name) -> None:
    site.install_module("noisy-plugin", "raise RuntimeError")
    plugins = make_plugins(disabled=[name])
    assert states(plugins)["noisy_plugin"] == "disabled"
    assert "noisy_plugin" not in sys.modules
    assert lines(caplog) == []


def test_all_leaves_the_core_and_what_was_added_by_hand(monkeypatch) -> None:
    monkeypatch.setenv("REIDCORE_DISABLE_PLUGINS", "all")
    active = [plugin.name for plugin in make_plugins(extra=[Recorder("one")]).active]
    assert active == [CORE, "this process", "Recorder"]


def test_the_environment_may_name_what_is_not_installed(monkeypatch) -> None:
    monkeypatch.setenv("REIDCORE_DISABLE_PLUGINS", "osnet,nonsense")
    assert states(make_plugins())["osnet"] == "disabled"


def test_leaving_out_what_is_not_installed_is_a_mistake() -> None:
    with pytest.raises(PluginError, match=r"'osnt' cannot be left out.*Did you mean 'osnet'"):
        make_plugins(disabled=["osnt"])


def test_the_core_cannot_be_left_out(monkeypatch) -> None:
    with pytest.raises(PluginError, match="core's own defaults cannot be left out"):
        make_plugins(disabled=["core"])
    monkeypatch.setenv("REIDCORE_DISABLE_PLUGINS", "core,all")
    assert make_plugins().get(CORE).state == "active"


def test_only_restricts_what_others_bring_to_names_and_distributions(site) -> None:
    site.install_module("fine-plugin", STEP_END)
    site.install_module("other-plugin", STEP_END)
    for chosen in ("fine-plugin", "fine_plugin"):
        plugins = make_plugins(only=[chosen, "osnet"])
        assert states(plugins)["fine_plugin"] == "active"
        assert states(plugins)["other_plugin"] == "disabled"
        assert states(plugins)["standard"] == "active"
    assert states(make_plugins(only=["fine-plugin"], disabled=["osnet"]))["osnet"] == "disabled"
    bundled = {plugin.name for plugin in make_plugins(only=["reidcore"]).active}
    assert "standard" in bundled
    assert "fine_plugin" not in bundled


def test_only_refuses_what_is_not_installed() -> None:
    with pytest.raises(PluginError, match=r"'ostnet' is not installed. Did you mean 'osnet'"):
        make_plugins(only=["ostnet"])
    with pytest.raises(PluginError, match="Install the package that brings it"):
        make_plugins(only=["zzzzzz"])


# -- being current ---------------------------------------------------------------------------------


def test_the_default_is_made_once_and_a_set_is_current_inside_its_block() -> None:
    default = current_plugins()
    assert current_plugins() is default
    outer, inner = make_plugins(entry_points=False), make_plugins(entry_points=False)
    with outer:
        assert current_plugins() is outer
        with inner as entered:
            assert entered is inner
            assert current_plugins() is inner
            with outer:
                assert current_plugins() is outer
            assert current_plugins() is inner
        assert current_plugins() is outer
    assert current_plugins() is default


def test_an_error_ends_being_current_too() -> None:
    default, plugins = current_plugins(), make_plugins(entry_points=False)
    with pytest.raises(ValueError, match="inside"), plugins:
        raise ValueError("inside")
    assert current_plugins() is default


def test_being_current_does_not_leak_into_other_threads_and_contexts() -> None:
    default = current_plugins()
    seen = []
    fresh = contextvars.copy_context()
    with make_plugins(entry_points=False):
        thread = threading.Thread(
            target=contextvars.Context().run, args=(lambda: seen.append(current_plugins()),)
        )
        thread.start()
        thread.join()
        seen.append(fresh.run(current_plugins))
    assert seen == [default, default]


def test_sets_of_plugins_share_nothing() -> None:
    one = make_plugins(entry_points=False, extra=[Recorder("one")])
    two = make_plugins(entry_points=False, extra=[Recorder("two")])
    assert (calls(one), calls(two)) == (["one"], ["two"])


def test_a_set_is_freed_when_nobody_needs_it() -> None:
    from reidcore import registry

    plugins = make_plugins(entry_points=False, extra=[Recorder("one")])
    registry.entries("models", plugins)
    alive = weakref.ref(plugins)
    del plugins
    gc.collect()
    assert alive() is None


# -- parts that a plugin brings --------------------------------------------------------------------


def test_a_plugin_brings_parts_for_a_run_in_place_of_those_of_the_run_before() -> None:
    owner = Recorder("owner")
    plugins = make_plugins(entry_points=False, extra=[owner])
    plugins.bring(owner, {"first": Recorder("first"), "second": Recorder("second")})
    assert calls(plugins) == ["second", "first", "owner"]
    assert [each.name for each in plugins][1:] == ["Recorder", "Recorder.first", "Recorder.second"]
    plugins.bring(owner, {"second": Recorder("again")})
    assert calls(plugins) == ["again", "owner"]
    plugins.bring(owner, {})
    assert calls(plugins) == ["owner"]


def test_a_part_that_is_broken_is_an_error_and_leaves_the_others(site) -> None:
    owner = Recorder("owner")
    plugins = make_plugins(entry_points=False, extra=[owner])
    with pytest.raises(PluginError, match=r"plugin 'Recorder.part' is broken: TypeError"):
        plugins.bring(owner, {"part": Recorder})
    assert calls(plugins) == ["owner"]


# -- blame -----------------------------------------------------------------------------------------


def test_a_plain_bug_is_its_plugins(site) -> None:
    site.write("shop.deep", "def fail():\n    raise ValueError('a bug')\n")
    site.write(
        "shop.hooks",
        """
        from reidcore import hookimpl
        from shop.deep import fail

        @hookimpl
        def reid_step_end(engine):
            fail()
        """,
    )
    site.install("the-shop", {"shop": "shop.hooks"})
    plugins = make_plugins(extra=[Recorder("innocent")])
    with pytest.raises(ValueError, match="a bug") as caught:
        calls(plugins)
    assert plugins.blame(caught.value).origin == "'shop' (the-shop)"


def test_the_cores_bugs_are_not_put_on_a_plugin(monkeypatch) -> None:
    plugins = make_plugins()
    monkeypatch.setattr(
        "reidcore.plugins.manager.pluggy.PluginManager.get_plugins", lambda self: 1 / 0
    )
    with pytest.raises(ZeroDivisionError) as caught:
        plugins.subset_hook("reid_step_end", [])
    assert plugins.blame(caught.value) is None


# -- descriptions ----------------------------------------------------------------------------------


def test_an_error_is_described_in_one_line() -> None:
    assert describe(ValueError("two\n  lines")) == "ValueError: two lines"
    assert describe(KeyError()) == "KeyError"


def test_every_specified_hook_is_known_by_name() -> None:
    assert "reid_register_models" in HOOK_NAMES
    assert set(HOOK_NAMES) <= set(dir(make_plugins(entry_points=False).hook))
