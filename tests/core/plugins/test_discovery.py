from __future__ import annotations

import pickle
import sys
from types import ModuleType

import pytest

from reidcore.errors import PluginError
from reidcore.plugins.discovery import (
    Candidate,
    extra_candidates,
    installed_candidates,
    looks_like_path,
    object_candidate,
    without_disabled,
)

FOREIGN = Candidate("fine", lambda: None, "fine-grained", "2.0", "fine.plugin")
OTHER = Candidate("other", lambda: None, "other-dist", "1.0", "other")


def names(candidates) -> list[str]:
    return [candidate.name for candidate in candidates]


# -- installed distributions -----------------------------------------------------------------------


def test_installed_plugins_are_found_with_their_distribution_and_not_imported(site) -> None:
    site.install("fine-grained", {"fine": "module_that_is_not_there"}, version="2.0")
    (found,) = [each for each in installed_candidates() if each.name == "fine"]
    assert (found.distribution, found.version) == ("fine-grained", "2.0")
    assert found.location == "module_that_is_not_there"
    with pytest.raises(ModuleNotFoundError):
        found.load()


def test_bundled_come_first_then_by_distribution_and_name(site) -> None:
    site.install("zeta", {"a": "zeta"})
    site.install("alpha", {"z": "alpha", "b": "alpha.b"})
    found = [(each.distribution, each.name) for each in installed_candidates()]
    bundled = [pair for pair in found if pair[0] == "reidcore"]
    assert found[: len(bundled)] == sorted(bundled)
    assert len(bundled) >= 4
    assert found[len(bundled) :][-3:] == [("alpha", "b"), ("alpha", "z"), ("zeta", "a")]


def test_another_groups_entry_points_are_none_of_ours(site) -> None:
    site.install("alpha", {"a": "alpha"}, group="reidcore.commands")
    assert "a" not in names(installed_candidates())
    assert names(installed_candidates("reidcore.commands"))[-1] == "a"


def test_an_installation_without_metadata_costs_the_others_nothing(site) -> None:
    site.install("damaged", {"d": "damaged"})
    (site.folder / "damaged-1.0.dist-info" / "METADATA").unlink()
    site.install("whole", {"w": "whole"})
    found = {each.name: each for each in installed_candidates()}
    assert {"w", "d", "standard"} <= found.keys()
    assert (found["d"].distribution, found["d"].version) == ("", "")


# -- leaving out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fine", "fine-grained"])
def test_a_plugin_is_left_out_by_its_name_or_its_distributions(name) -> None:
    kept, left_out = without_disabled([FOREIGN, OTHER], [name], None)
    assert (kept, left_out) == ([OTHER], [FOREIGN])


def test_all_leaves_out_everything() -> None:
    assert without_disabled([FOREIGN, OTHER], ["all"], None) == ([], [FOREIGN, OTHER])


@pytest.mark.parametrize("value", ["fine", " fine , nonsense,", "fine-grained,"])
def test_the_environment_leaves_out_too(monkeypatch, value) -> None:
    monkeypatch.setenv("REIDCORE_DISABLE_PLUGINS", value)
    assert without_disabled([FOREIGN, OTHER], [], None) == ([OTHER], [FOREIGN])


def test_only_restricts_and_leaving_out_wins() -> None:
    assert without_disabled([FOREIGN, OTHER], [], ["fine-grained"]) == ([FOREIGN], [OTHER])
    assert without_disabled([FOREIGN, OTHER], ["fine"], ["fine", "other"]) == ([OTHER], [FOREIGN])


def test_only_does_not_restrict_bundled_plugins() -> None:
    bundled = Candidate("osnet", lambda: None, "reidcore", "1.0", "reid_plugins_osnet")
    assert without_disabled([bundled, FOREIGN], [], ["other"]) == ([bundled], [FOREIGN])
    assert without_disabled([bundled, FOREIGN], ["osnet"], ["fine"]) == ([FOREIGN], [bundled])


def test_an_empty_distribution_is_no_name() -> None:
    nameless = Candidate("loose", lambda: None)
    assert without_disabled([nameless], [""], None) == ([nameless], [])


# -- what is added by hand -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "expected"),
    [("step.py", True), ("./step", True), ("a/b.txt", True), ("my_package.step", False)],
)
def test_a_file_is_told_from_a_module_by_its_spelling(item, expected) -> None:
    assert looks_like_path(item) is expected


def test_a_file_is_named_by_its_stem_and_its_classes_pickle(tmp_path) -> None:
    path = tmp_path / "my_step.py"
    path.write_text("class State:\n    pass\n")
    candidate = object_candidate(path)
    assert (candidate.name, candidate.distribution) == ("my_step", "")
    module = candidate.load()
    assert isinstance(pickle.loads(pickle.dumps(module.State())), module.State)
    assert object_candidate(str(path)).load().__name__ == module.__name__


def test_two_files_of_one_name_are_two_modules(tmp_path) -> None:
    modules = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "step.py"
        path.write_text(f"where = {folder!r}\n")
        modules.append(object_candidate(path).load())
    assert [module.where for module in modules] == ["a", "b"]
    assert all(sys.modules[module.__name__] is module for module in modules)


def test_a_file_that_fails_leaves_no_half_a_module(tmp_path) -> None:
    path = tmp_path / "half_a_plugin.py"
    path.write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        object_candidate(path).load()
    assert not [name for name in sys.modules if "half_a_plugin" in name]


@pytest.mark.parametrize("name", ["missing.py", "folder/missing"])
def test_a_missing_file_is_named(tmp_path, name) -> None:
    with pytest.raises(PluginError, match=rf"no plugin file .*{name}"):
        object_candidate(str(tmp_path / name)).load()


def test_a_file_of_another_kind_is_refused(tmp_path) -> None:
    path = tmp_path / "step.txt"
    path.write_text("")
    with pytest.raises(PluginError, match="is no Python file"):
        object_candidate(path).load()


def test_modules_objects_and_names_of_modules() -> None:
    module = ModuleType("by_hand")
    assert object_candidate(module).load() is module
    assert object_candidate(module).name == "by_hand"
    assert object_candidate("json.decoder").load().__name__ == "json.decoder"
    assert object_candidate(FOREIGN) is FOREIGN
    thing = object()
    assert (object_candidate(thing).name, object_candidate(thing).load()) == ("object", thing)
    assert object_candidate(thing, name="mine").name == "mine"


def test_what_is_named_twice_is_added_once(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    thing, twin = object(), object()
    items = ["step.py", tmp_path / "step.py", "./step.py", "json", "json", thing, twin, thing]
    assert names(extra_candidates(items)) == ["step", "json", "object", "object"]
