"""Animals: six ways to split them, the generator, and tables that are not as they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_plugins_datasets.wildlife import splits
from reid_plugins_datasets.wildlife.splits import Lcg
from reidcore.data import init_image_dataset
from reidcore.errors import DataError
from tests.plugins.reid_plugins_datasets.small_trees import WILDLIFE, plant

herds = st.lists(st.integers(0, 6), min_size=2, max_size=40).map(np.array)
shares = st.sampled_from([0.2, 0.5, 0.8])


def names(table):
    return [Path(path).stem for path in table.paths]


def read(root, **options):
    return init_image_dataset("wildlife", root=root, **options)


class TestGenerator:
    def test_it_is_that_of_c(self):
        # By hand: 1103515245 + 12345 = 1103527590, and (1103527590 * 1103515245 + 12345) mod 2^31.
        generator = Lcg(1)
        assert [generator.draw() for _ in range(3)] == [1103527590, 377401575, 662824084]

    def test_a_permutation_puts_numbers_in_the_order_of_draws(self):
        assert Lcg(1).permutation(3).tolist() == [1, 2, 0]

    def test_a_permutation_is_the_same_for_ever(self):
        # These figures are a promise: results of other years compare with them.
        assert Lcg(666).permutation(8).tolist() == [6, 4, 3, 7, 0, 1, 5, 2]


class TestSplits:
    def test_a_single_picture_is_learnt_from_and_of_several_one_is_not(self):
        parts = splits.closed_set(np.array([0, 1, 1, 2, 2, 2]), 0.9, 666)
        learnt = np.bincount(np.array([0, 1, 1, 2, 2, 2])[parts.train]).tolist()
        assert learnt == [1, 1, 2]

    @given(herds, shares, st.integers(0, 99))
    @settings(max_examples=60, deadline=None)
    def test_closed_tests_know_every_animal(self, pids, share, seed):
        parts = splits.closed_set(pids, share, seed)
        assert np.array_equal(parts.train, ~parts.test)
        assert set(pids[parts.test]) <= set(pids[parts.train])

    @given(herds, shares, st.integers(0, 99))
    @settings(max_examples=60, deadline=None)
    def test_open_tests_have_the_animals_of_disjoint_ones(self, pids, new, seed):
        apart = splits.disjoint_set(pids, new, seed)
        assert not set(pids[apart.test]) & set(pids[apart.train])
        assert apart.test.sum() >= round(new * len(pids))
        opened = splits.open_set(pids, 0.8, new, seed)
        assert set(pids[opened.test]) - set(pids[opened.train]) == set(pids[apart.test])

    @given(herds, st.data(), shares)
    @settings(max_examples=60, deadline=None)
    def test_what_is_searched_for_was_seen_later(self, pids, data, share):
        days = np.array(
            data.draw(st.lists(st.integers(0, 5), min_size=len(pids), max_size=len(pids)))
        )
        parts = splits.time_proportion(pids, days, share)
        for animal in set(pids.tolist()):
            before, after = (days[mask & (pids == animal)] for mask in parts)
            known = len(set(days[pids == animal]))
            assert (len(after) > 0) == (known > 1)
            assert len(set(before)) == (min(round(share * known), known - 1) if known > 1 else 1)
            assert not len(before) or not len(after) or before.max() < after.min()

    def test_half_of_the_days_are_learnt_from(self):
        days = np.array([3, 1, 1, 2, 7, 7])
        parts = splits.time_proportion(np.array([4, 4, 4, 4, 5, 5]), days, 0.5)
        # Animal 4 has the days 1, 2, 3, of which round(1.5) = 2 are learnt from; 5 has one.
        assert parts.train.tolist() == [False, True, True, True, True, True]

    def test_later_years_are_in_neither_part(self):
        parts = splits.time_cutoff(np.array([2014, 2015, 2016, 2017]), 2016)
        assert parts.train.tolist() == [True, True, False, False]
        assert parts.test.tolist() == [False, False, True, False]


class TestTable:
    def test_closed_searches_in_what_was_learnt_from(self, tmp_path):
        dataset = read(plant(tmp_path, "wildlife"))
        learnt, asked = names(dataset.train), names(dataset.query)
        assert names(dataset.gallery) == learnt
        assert sorted(learnt + asked) == ["a1", "a2", "a3", "a4", "b1", "b2", "c1", "d1", "d2"]
        assert len([name for name in learnt if name[0] == "a"]) == 3
        assert {"c1"} < set(learnt)
        assert set(dataset.query.camids) == {0}
        assert set(dataset.gallery.camids) == {1}
        assert [dataset.gallery.names.pid(pid) for pid in sorted(set(dataset.gallery.pids))] == [
            "Anna",
            "Bert",
            "Cleo",
            "Dora",
        ]

    def test_unknown_animals_are_left_out_and_told(self, tmp_path):
        table = WILDLIFE.replace("3,Anna", "3,")
        dataset = read(plant(tmp_path, "wildlife", {"metadata.csv": table}))
        (left,) = dataset.left_out
        assert (left.why, left.count) == ("of animals that nobody knows", 2)
        assert left.expected
        assert not {"a3", "u1"} & {*names(dataset.train), *names(dataset.query)}

    def test_numbers_stay_numbers_beside_the_unknown(self, tmp_path):
        numbers = {"Anna": "10", "Bert": "9", "Cleo": "1", "Dora": "2"}
        table = WILDLIFE
        for name, number in numbers.items():
            table = table.replace(name, number)
        query = read(plant(tmp_path, "wildlife", {"metadata.csv": table})).query
        assert set(query.pids) <= {1, 2, 9, 10}

    def test_all_other_columns_are_kept(self, tmp_path):
        query = read(plant(tmp_path, "wildlife"), split="time_cutoff", year=2017).query
        assert {name: column.tolist() for name, column in query.columns.items()} == {
            "image_id": [4],
            "date": ["2017-07-01"],
            "species": ["turtle"],
            "orientation": ["left"],
        }

    def test_disjoint_searches_among_the_other_test_pictures(self, tmp_path):
        dataset = read(plant(tmp_path, "wildlife"), split="disjoint", new=0.3)
        assert names(dataset.query) == names(dataset.gallery)
        assert not {name[0] for name in names(dataset.train)} & {
            name[0] for name in names(dataset.query)
        }

    def test_the_first_days_of_each_animal(self, tmp_path):
        dataset = read(plant(tmp_path, "wildlife"), split="time_proportion")
        # Anna's days are 2015-06-30, 2016-07-01 and 2017-07-01: two are learnt from.
        assert names(dataset.train) == ["a1", "a2", "a3", "b1", "c1", "d2"]
        assert names(dataset.query) == ["a4", "b2"]
        assert {left.what: left.count for left in dataset.left_out}["images without a date"] == 1

    def test_the_years_before_one(self, tmp_path):
        dataset = read(plant(tmp_path, "wildlife"), split="time_cutoff", year=2016)
        assert names(dataset.train) == ["a1", "a2", "d2"]
        assert names(dataset.query) == ["a3", "b1", "b2", "c1"]
        assert {left.why: left.count for left in dataset.left_out}["later than 2016"] == 1

    def test_a_column_may_say_what_is_learnt_from(self, tmp_path):
        table = WILDLIFE.replace("orientation", "part").replace("left", "database")
        table = table.replace("right", "Query")
        plant(tmp_path, "wildlife", {"metadata.csv": table})
        dataset = read(tmp_path, split="given", part="part")
        assert names(dataset.query) == ["a2"]
        assert len(dataset.train) == len(dataset.gallery) == 8
        with pytest.raises(DataError, match=r"no column 'split'.*wildlife\.part=NAME"):
            read(tmp_path, split="given")
        with pytest.raises(
            DataError, match=r"'species' says 'turtle'.*train, database, test, query"
        ):
            read(tmp_path, split="given", part="species")

    def test_other_names_of_columns_and_folders(self, tmp_path):
        table = WILDLIFE.replace("identity,path", "Name,File").replace("images/", "")
        plant(tmp_path, "wildlife", {"tables/all.csv": table})
        dataset = read(
            tmp_path, file="tables/all.csv", images="images", identity="name", path="file"
        )
        assert names(dataset.train) == names(read(tmp_path).train)

    def test_another_seed_draws_others(self, tmp_path):
        plant(tmp_path, "wildlife")
        assert len({tuple(names(read(tmp_path, seed=seed).query)) for seed in range(6)}) > 1


class TestBadInput:
    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ("identity,path", "no column 'identity'.*wildlife.identity=NAME"),
            ("path,date", "no column 'path'.*wildlife.path=NAME"),
        ],
    )
    def test_a_missing_column_is_told(self, changed, told, tmp_path):
        table = WILDLIFE.replace(changed, f"other_{changed}", 1)
        with pytest.raises(DataError, match=rf"(?s){told}"):
            read(plant(tmp_path, "wildlife", {"metadata.csv": table}))

    def test_faults_are_counted_and_told_by_line(self, tmp_path):
        table = WILDLIFE.replace("2016-07-02", "summer").replace("3,Anna", "3,nan")
        with pytest.raises(DataError) as caught:
            read(plant(tmp_path, "wildlife", {"metadata.csv": table}))
        assert "2 faults" in str(caught.value)
        assert "line 4: the identity 'nan' says that there is no value" in str(caught.value)
        assert "line 6: the date 'summer' does not begin as 2015-06-30" in str(caught.value)

    @pytest.mark.parametrize("options", [{"share": 0.0}, {"new": 1.0}])
    def test_a_share_outside_of_0_to_1_is_told(self, options, tmp_path):
        with pytest.raises(DataError, match="Give a share between 0 and 1"):
            read(plant(tmp_path, "wildlife"), **options)

    @pytest.mark.parametrize("year", [0, 2014, 2018])
    def test_a_year_that_cuts_nothing_is_told_with_those_that_do(self, year, tmp_path):
        with pytest.raises(DataError, match="It has pictures of 2014, 2015, 2016, 2017"):
            read(plant(tmp_path, "wildlife"), split="time_cutoff", year=year)

    def test_a_table_without_dates_is_told(self, tmp_path):
        plant(tmp_path, "wildlife")
        with pytest.raises(DataError, match="no date in the column 'day'"):
            read(tmp_path, split="time_proportion", date="day")

    def test_a_split_that_leaves_nothing_is_told(self, tmp_path):
        table = "path,identity\nimages/a1.jpg,Anna\nimages/b1.jpg,Bert\n"
        with pytest.raises(DataError, match=r"leaves no picture of .* to search for"):
            read(plant(tmp_path, "wildlife", {"metadata.csv": table}))

    def test_a_table_of_a_header_alone_is_told(self, tmp_path):
        with pytest.raises(DataError, match="has no rows"):
            read(plant(tmp_path, "wildlife", {"metadata.csv": "path,identity\n"}))
