"""Outfits as a column: those of the reference readers up to their numbers, unique in a dataset."""

from pathlib import Path

import pytest

from reidcore.data import SampleTable, init_image_dataset


def outfits_of(table, root):
    names = (Path(path).relative_to(root).as_posix() for path in table.paths)
    return dict(zip(names, table.columns["clothes"].tolist(), strict=True))


def assert_renamed(ours, recorded):
    """Check that the same pictures are grouped as recorded; a row is [path, pid, camid, outfit]."""
    theirs = {row[0]: row[3] for row in recorded}
    assert ours.keys() == theirs.keys()
    pairs = {(ours[path], theirs[path]) for path in ours}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize(
    ("key", "options", "query"),
    [
        ("ltcc", {}, "query"),
        ("prcc", {}, "query_diff"),
        ("prcc", {"query": "same"}, "query_same"),
    ],
)
def test_outfits_are_the_recorded_ones(key, options, query, planted, recorded):
    root = planted(key).root
    (case,) = recorded(key)["cases"]
    found = init_image_dataset(key, root=root, **options)
    train = outfits_of(found.train, root)
    assert train == {row[0]: row[3] for row in case["train"]}
    test = outfits_of(SampleTable.joined([found.query, found.gallery]), root)
    assert_renamed(test, [*case[query], *case["gallery"]])
    assert min(test.values()) == max(train.values()) + 1


def test_outfits_of_last_are_known_in_training_alone(planted, recorded):
    root = planted("last").root
    (case,) = recorded("last")["cases"]
    found = init_image_dataset("last", root=root)
    assert outfits_of(found.train, root) == {row[0]: row[3] for row in case["train"]}
    assert not found.query.columns
    assert not found.gallery.columns


def test_the_other_half_of_last_is_read_as_recorded(planted, recorded):
    root = planted("last").root
    (case,) = recorded("last")["cases"]
    found = init_image_dataset("last", root=root, part="val")
    for split in ("query", "gallery"):
        rows = [
            [Path(s.path).relative_to(root).as_posix(), s.pid, s.camid]
            for s in getattr(found, split)
        ]
        assert rows == [row[:3] for row in case[f"val_{split}"]]


def test_outfits_stay_apart_when_test_pictures_are_learnt_from(planted):
    found = init_image_dataset("ltcc", root=planted("ltcc").root, combineall=True)
    people = set(zip(found.train.columns["clothes"], found.train.pids, strict=True))
    assert len(people) == len({outfit for outfit, _ in people})


def test_single_shot_galleries_of_prcc_are_the_published_draws(planted, recorded):
    root = planted("prcc").root
    (case,) = recorded("prcc")["cases"]
    for number, rows in case["gallery_idx"].items():
        found = init_image_dataset("prcc", root=root, single_shot=True, split_id=int(number))
        names = [Path(path).relative_to(root).as_posix() for path in found.gallery.paths]
        assert names == [case["gallery"][row][0] for row in rows]
