"""Two processes test, count, stop and fail as one."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def cases() -> ModuleType:
    """The module of the cases, to have one process carry them out as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        import cases_testing
    return cases_testing


def assert_same(found: dict[str, Any], alone: dict[str, Any]) -> None:
    for name, value in alone.items():
        if name not in ("calls", "batches"):
            np.testing.assert_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("name", ["uneven", "fewer_batches_than_processes", "reranked"])
def test_a_test_has_the_figures_of_one_process_in_all_of_them(
    launched: Any, cases: Any, name: str, tmp_path: Path
) -> None:
    first, second = (each[name] for each in launched("tested"))
    alone = cases.test_model(name, tmp_path)
    assert_same(first, alone)
    assert alone["num_skipped"] == 1
    # What the others skipped is known to the process that writes the record.
    assert_same(second | {"skipped": first["skipped"]}, alone)
    assert first["calls"] == alone["calls"] == ["evaluate", "target_tested", "report"]
    assert second["calls"] == ["evaluate"]
    # Each image once, in the batches of one process: whole ones, in stretches that follow.
    assert sorted(first["batches"] + second["batches"]) == sorted(alone["batches"])
    assert sum(first["batches"] + second["batches"]) == len(alone["query"] + alone["gallery"])


def test_the_gallery_is_counted_in_parts_by_all_processes(launched: Any, cases: Any) -> None:
    main, other = launched("shared")
    alone = cases.shared_figures()
    assert alone
    for name, (ap, cmc) in alone.items():
        for found in (main, other):
            np.testing.assert_array_equal(found["figures"][name][0], ap, err_msg=name)
            np.testing.assert_array_equal(found["figures"][name][1], cmc, err_msg=name)
    assert main["calls"] == other["calls"] > 0


def test_the_others_wait_for_no_requests_where_ranking_failed(launched: Any) -> None:
    main, other = (each["failed"] for each in launched("shared"))
    assert main["before"][0] == main["during"][0] == "ZeroDivisionError"
    assert main["after"] == ("DataError", "after the features were shared")
    assert {kind for kind, _ in other.values()} == {"ToldElsewhereError"}


@pytest.mark.parametrize("kind", ["own", "foreign"])
def test_a_test_by_hand_is_shared_too(launched: Any, kind: str) -> None:
    one, other = (each[kind] for each in launched("tested_by_hand"))
    uneven = launched("tested")[0]["uneven"]
    for found in (one, other):
        told = uneven["num_skipped"] if kind == "own" else 0  # a foreign loader does not say
        assert found["num_skipped"] == told
        assert_same(found | {name: uneven[name] for name in ("skipped", "num_skipped")}, uneven)
    batches = one["batches"] + other["batches"]
    assert len(one["batches"]) > 0 < len(other["batches"])
    assert sum(batches) == len(one["query"] + one["gallery"])


def test_test_loaders_that_are_shared_already_are_refused(launched: Any) -> None:
    for each in launched("tested_by_hand"):
        kind, told = each["sampled"]
        assert kind == "UserError"
        assert "the query of tiny has a DistributedSampler" in told


def test_what_fails_on_the_main_process_ends_all_and_is_told_once(launched: Any) -> None:
    main, other = launched("test_fails_on_main")
    assert main["target_tested"] == ("DataError", "no place for pictures")
    assert main["report"] == ("DataError", "no place for a report")
    assert {kind for kind, _ in other.values()} == {"ToldElsewhereError"}


def test_figures_are_the_means_of_all_processes(launched: Any) -> None:
    first, second = launched("figures")
    assert first["history"] == second["history"]
    entry = first["history"][0]
    batches = len(first["steps"])
    assert entry["rank"] == 0.5
    assert entry["of_main"] == 7.0
    assert entry["loss"] == 0.5 + (batches - 1) / 2
    told = [line.partition("loss")[2] for line in first["steps"] + second["steps"]]
    assert told[:batches] == told[batches:]
    assert f"loss {batches - 0.5:.4f} ({entry['loss']:.4f})" in first["steps"][-1]


def test_the_main_process_decides_that_no_further_epoch_is_worth_it(launched: Any) -> None:
    for each in launched("figures"):
        assert each["stopped"]
        assert len(each["history"]) == 2


def test_images_that_any_process_left_out_are_in_the_record(launched: Any) -> None:
    first, second = launched("figures")
    assert first["history"][-1]["skipped_images"] == 1
    assert len(first["skipped"]) == 2  # with that of the gallery
    assert len(second["skipped"]) >= 1


def test_the_main_process_alone_writes(launched: Any) -> None:
    first, second = launched("figures")
    for name in ("model.pth.tar-2", "results.json", "metrics.jsonl", "train.log"):
        assert name in first["written"]
    assert second["written"] == []


@pytest.mark.parametrize("where", ["step", "test"])
def test_all_stop_where_one_was_asked_to_and_go_on(launched: Any, where: str) -> None:
    first, second = (each[where] for each in launched("stopped"))
    assert first["kind"]
    assert second["kind"]
    assert first["batches"] == second["batches"]
    assert first["left"] == second["left"]
    assert any("interrupted" in name for name in first["left"])
    assert first["mAP"] == second["mAP"] > 0


def test_processes_agree(launched: Any) -> None:
    main, other = launched("agreement")
    assert main["main"] == other["main"] == "of 0"
    assert [part.tolist() for part in main["gathered"]] == [[0, 0, 0], [1, 1]]
    assert other["gathered"] == []
    assert main["failed"][0] == "ZeroDivisionError"
    assert other["failed"][0] == "ToldElsewhereError"
    assert main["now"] == other["now"] == [0, 1, 5]
    assert main["late"] == other["late"] == [0, 0, 1, 0]


def test_a_failure_is_told_once_by_the_process_that_failed(launched: Any) -> None:
    first, second = (each["one_fails"] for each in launched("endings"))
    assert first[0] == "ToldElsewhereError"
    assert second == ("DataError", "a damaged image")


def test_what_is_wrong_in_all_processes_is_told_by_the_first(launched: Any) -> None:
    first, second = (each["both_fail"] for each in launched("endings"))
    assert first == ("DataError", "a damaged image")
    assert second[0] == "ToldElsewhereError"


@pytest.mark.parametrize("case", ["one_is_killed", "terminated"])
def test_a_process_that_was_killed_is_named(launched: Any, case: str) -> None:
    first, second = (each[case] for each in launched("endings"))
    assert first[0] == "UserError"
    assert first[1].startswith("process 1 of 2 (counted from 0) ended without a word")
    assert "--resume auto" in first[1]
    assert second == ("", "")
    assert [each["none"] for each in launched("endings")] == [("", "")] * 2


def test_a_folder_that_holds_another_run_is_refused_once(launched: Any) -> None:
    (first, told), (second, silent) = launched("refused")
    assert first == second == 2
    assert "holds another run (model.pth.tar-1)" in told
    assert silent == ""


def test_one_process_needs_no_others(cases: Any) -> None:
    assert cases.on_main_process(lambda: 3) == 3
    assert cases.gather_to_main("x") == ["x"]
    assert cases.Ballot().largest(2) == 2
    with pytest.raises(RuntimeError, match="by peer"), cases.ending_together():
        cases.broken()
    assert torch.distributed.is_available()
