"""``reidcore data make-synthetic`` as users run it."""

from __future__ import annotations

import re


def test_people_are_drawn_once(reidcore, tmp_path) -> None:
    words = ["data", "make-synthetic", tmp_path / "people", "--train-ids", "2", "--test-ids", "2"]
    first, second = reidcore(*words), reidcore(*words)
    pattern = r"people: (\d+) training, (\d+) query and (\d+) gallery pictures \((.*)\)\n$"
    counts = re.search(pattern, first.stdout)
    assert counts is not None, first.stderr
    *pictures, state = counts.groups()
    folders = ("bounding_box_train", "query", "bounding_box_test")
    there = [len(list((tmp_path / "people" / name).glob("*.jpg"))) for name in folders]
    assert list(map(int, pictures)) == there
    assert state == "written"
    assert second.stdout.endswith("(there already)\n")
