import numpy as np
import pytest
import torch

from reidcore.data.table import SampleTable
from reidcore.errors import DataError, UnknownNameError
from reidcore.evaluation import Labels


@pytest.mark.parametrize("make", [list, np.array, torch.tensor])
def test_lists_arrays_and_tensors_are_taken(make):
    labels = Labels(make([1, 2]), make([1, 2, 3]), make([0, 0]), make([1, 1, 1]))
    assert labels.shape == (2, 3)
    assert labels.g_pids.dtype == np.int64


def test_labels_are_read_off_samples():
    query = [("a.jpg", 4, 0, 0)]
    gallery = [("b.jpg", 4, 1, 0), ("c.jpg", 5, 2, 0)]
    labels = Labels.from_samples(query, gallery)
    assert labels.q_pids.tolist() == [4]
    assert labels.g_pids.tolist() == [4, 5]
    assert labels.g_camids.tolist() == [1, 2]


def test_a_tables_own_arrays_are_taken_with_its_further_columns():
    table = SampleTable.of([("a.jpg", 4, 0), ("b.jpg", 5, 1)], columns={"clothes": np.arange(2)})
    labels = Labels.from_samples(table, table.take(np.array([1])))
    assert labels.q_pids.tolist() == [4, 5]
    assert labels.g_camids.tolist() == [1]
    assert labels.q_columns["clothes"].tolist() == [0, 1]
    assert labels.g_columns["clothes"].tolist() == [1]


def test_files_are_checked_as_the_other_labels_are():
    labels = Labels([1], [1, 2], [0], [0, 0], q_files=[3], g_files=torch.tensor([3, 4]))
    assert labels.g_files.tolist() == [3, 4]
    with pytest.raises(DataError, match=r"the gallery has 2 pids but 1 file$"):
        Labels([1], [1, 2], [0], [0, 0], q_files=[3], g_files=[3])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300, 2.0**63])
def test_numbers_beyond_64_bits_are_no_labels(bad):
    with pytest.raises(DataError, match="query pids must be whole numbers"):
        Labels([bad], [1], [0], [0])


def test_tensors_that_learn_are_taken():
    assert Labels(torch.ones(1, requires_grad=True), [1], [0], [1]).q_pids.tolist() == [1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([1], [1, 2], [0], [1]), "gallery has 2 pids but 1 camid$"),
        (([1, 2], [1], [0], [1]), "query has 2 pids but 1 camid$"),
        (([1], [], [0], []), "the gallery is empty"),
        (([], [1], [], [0]), "the query is empty"),
        (([1.5], [1], [0], [0]), "query pids must be whole numbers"),
        ((["a"], [1], [0], [0]), "query pids must be whole numbers"),
        (([1], [1], [0], [[0]]), "gallery camids must be a list"),
    ],
)
def test_labels_that_cannot_be_used_are_named(arguments, said):
    with pytest.raises(DataError, match=said):
        Labels(*arguments)


@pytest.mark.parametrize("too_large", [[2**64], [-(2**70)], np.array([2**63], dtype=np.uint64)])
def test_identities_beyond_64_bits_are_told_as_such(too_large):
    with pytest.raises(DataError, match=r"query pids .*must fit into 64 bits"):
        Labels(too_large, [1], [0], [1])


def test_columns_are_checked_and_found_by_name():
    labels = Labels([1], [1, 2], [0], [1, 1], {"time": [5]}, {"time": torch.tensor([6, 7])})
    query, gallery = labels.column("time")
    assert (query.tolist(), gallery.tolist()) == ([5], [6, 7])
    with pytest.raises(UnknownNameError, match=r"query has no column 'tim'; it has time\. Did you"):
        labels.column("tim")
    with pytest.raises(UnknownNameError, match=r"no column 'clothes'; it has none beside pid"):
        Labels([1], [1], [0], [1]).column("clothes")
    with pytest.raises(DataError, match="the gallery has 2 pids, and 1 value in the column 'time'"):
        Labels([1], [1, 2], [0], [1, 1], {"time": [5]}, {"time": [6]})


def test_some_labels_are_taken_with_columns_and_files_in_the_order_asked_for():
    labels = Labels(
        [1, 2], [3, 4, 5], [0, 1], [2, 3, 4], {"c": [7, 8]}, {"c": [1, 2, 3]}, [1, 2], [3, 4, 5]
    )
    taken = labels.take(np.array([1]), np.array([2, 0, 0]))
    assert (taken.q_pids.tolist(), taken.g_camids.tolist()) == ([2], [4, 2, 2])
    assert [column.tolist() for column in taken.column("c")] == [[8], [3, 1, 1]]
    assert (taken.q_files.tolist(), taken.g_files.tolist()) == ([2], [5, 3, 3])
    assert labels.take(gallery_rows=np.array([1])).q_pids.tolist() == [1, 2]
