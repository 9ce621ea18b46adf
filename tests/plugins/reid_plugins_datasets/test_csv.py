"""Tables of one's own: what is read, and what is told of faults."""

import csv
import io
import logging
import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reid_plugins_datasets.own import csv_rows
from reid_plugins_datasets.own.csv import csv as read_table
from reidcore.data import init_image_dataset
from reidcore.errors import DataError

TABLE = """\
path,pid,camid,split
a/1.jpg,7,0,train
a/2.jpg,9,1,train
b/3.jpg,7,2,query
b/4.jpg,7,3,gallery
"""


@pytest.fixture
def root(tmp_path):
    for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def read(root, text, name="labels.csv", **options):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return init_image_dataset("csv", root=root, file=name, **options)


def refused(root, text, **options):
    with pytest.raises(DataError) as caught:
        read(root, text, **options)
    return str(caught.value)


def test_rows_become_samples_of_their_split(root):
    found = read(root, TABLE)
    assert [tuple(s) for s in found.train] == [
        (str(root / "a/1.jpg"), 0, 0, 0),
        (str(root / "a/2.jpg"), 1, 1, 0),
    ]
    assert [tuple(s) for s in found.query] == [(str(root / "b/3.jpg"), 7, 2, 0)]
    assert [tuple(s) for s in found.gallery] == [(str(root / "b/4.jpg"), 7, 3, 0)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out_or_given(root, delimiter):
    text = TABLE.replace(",", delimiter)
    assert len(read(root, text).train) == 2
    assert len(read(root, text, delimiter=delimiter).train) == 2
    other = ":" if delimiter != ":" else ","
    assert "no column 'path'" in refused(root, text, delimiter=other)
    assert "more than one character" in refused(root, text, delimiter="::")


def test_marks_line_ends_and_spaces_of_spreadsheets_are_no_hindrance(root):
    text = (
        TABLE.replace("\n", "\r\n").replace("pid,camid", " pid , camid").replace("train", "train ")
    )
    found = read(root, b"\xef\xbb\xbf" + text.encode() + b"\r\n\r\n")
    assert len(found.train) == 2


def test_further_columns_are_kept_with_the_type_that_fits(root):
    rows = TABLE.splitlines()
    more = ["clothes,weight,colour", "3,0.5,red", "4,1,blue", "-1,2,", "0,7,green"]
    text = "\n".join(f"{row},{extra}" for row, extra in zip(rows, more, strict=True))
    found = read(root, text)
    assert found.train.columns["clothes"].tolist() == [3, 4]
    assert found.train.columns["clothes"].dtype == np.int64
    assert found.query.columns["clothes"].tolist() == [-1]
    assert found.train.columns["weight"].tolist() == [0.5, 1.0]
    assert found.train.columns["colour"].tolist() == ["red", "blue"]
    assert set(found.train.columns) == {"clothes", "weight", "colour"}


def test_a_column_has_one_type_in_all_splits(root):
    rows = TABLE.splitlines()
    text = "\n".join(f"{r},{e}" for r, e in zip(rows, ["shop", "1", "2", "3", "x"], strict=True))
    found = read(root, text)
    kinds = {table.columns["shop"].dtype.kind for table in (found.train, found.query)}
    assert kinds == {"U"}


def test_columns_may_have_other_names(root):
    text = TABLE.replace("path,pid,camid,split", "image,vehicle,view,part")
    found = read(root, text, path="image", pid="vehicle", camid="view", split="part")
    assert found.query.pids.tolist() == [7]
    assert found.query.camids.tolist() == [2]
    assert not found.query.columns


def test_without_cameras_nothing_is_left_out_and_that_is_told(root, caplog):
    text = "\n".join(",".join(row.split(",")[i] for i in (0, 1, 3)) for row in TABLE.splitlines())
    with caplog.at_level(logging.WARNING):
        found = read(root, text)
    assert "no column 'camid'" in caplog.text
    assert set(found.train.camids) == set(found.query.camids) == {0}
    assert set(found.gallery.camids) == {1}


def test_rows_of_nobody_are_left_out_and_counted(root, caplog):
    with caplog.at_level(logging.INFO):
        found = read(root, TABLE + "a/1.jpg,-1,0,gallery\n")
    assert len(found.gallery) == 1
    assert "1 rows of identity -1 left out" in caplog.text


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("1_2", "is no whole number"),
        ("-3", "is below -1, which marks junk"),
        ("--1", "is no whole"),
    ],
)
def test_an_identity_with_a_separator_is_a_fault(root, cell, told):
    said = refused(root, TABLE + f"a/1.jpg,{cell},0,train\n")
    assert f"line 6: column 'pid': '{cell}' {told}" in said


def test_a_further_column_with_separators_stays_text(root):
    rows = TABLE.splitlines()
    text = "\n".join(f"{r},{e}" for r, e in zip(rows, ["shop", "1_2", "12", "3", "4"], strict=True))
    assert read(root, text).train.columns["shop"].tolist() == ["1_2", "12"]


class TestPlaces:
    def test_relative_paths_start_from_the_tables_folder(self, root):
        text = TABLE.replace("a/", "../a/").replace("b/", "../b/")
        found = read(root, text, "tables/labels.csv")
        assert found.train.paths[0] == f"{root}/tables/../a/1.jpg"

    def test_or_from_the_root(self, root):
        found = read(root, TABLE, "tables/labels.csv")
        assert found.train.paths[0] == str(root / "a/1.jpg")

    def test_or_from_a_folder_that_is_named(self, root):
        found = read(root, TABLE.replace("a/", "").replace("b/", ""), images="a")
        assert found.train.paths[0] == str(root / "a/1.jpg")

    def test_absolute_paths_stay(self, root):
        found = read(root, TABLE.replace("a/", "/elsewhere/"))
        assert found.train.paths[0] == "/elsewhere/1.jpg"
        assert found.query.paths[0] == str(root / "b/3.jpg")

    def test_the_folder_is_sought_once_a_path_is_relative(self, root, monkeypatch):
        monkeypatch.setattr(csv_rows, "_PIECE", 1)
        found = read(root, TABLE.replace("a/", "/elsewhere/"), "tables/labels.csv")
        assert found.train.paths[1] == "/elsewhere/2.jpg"
        assert found.gallery.paths[0] == str(root / "b/4.jpg")

    def test_images_that_are_nowhere_are_told(self, root):
        told = refused(root, TABLE.replace("a/", "c/").replace("b/", "c/"))
        assert "'c/1.jpg'" in told
        assert str(root) in told

    def test_the_table_may_lie_in_the_working_directory(self, root, tmp_path_factory, monkeypatch):
        monkeypatch.chdir(tmp_path_factory.mktemp("work"))
        with open("mine.csv", "w") as file:
            file.write(TABLE)
        found = init_image_dataset("csv", root=root, file="mine.csv")
        assert len(found.train) == 2

    @pytest.mark.parametrize(("file", "told"), [("", "csv.file="), ("no.csv", "no.csv")])
    def test_a_missing_table_is_told(self, root, file, told):
        with pytest.raises(DataError, match=told):
            init_image_dataset("csv", root=root, file=file)


class TestFaults:
    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ("a/1.jpg,x,0,train", "line 6: column 'pid': 'x' is no whole number"),
            ("a/1.jpg,1.5,0,train", "column 'pid': '1.5'"),
            ("a/1.jpg,,0,train", "column 'pid': ''"),
            ("a/1.jpg,1,left,train", "column 'camid': 'left'"),
            (f"a/1.jpg,{10**20},0,train", "does not fit into 64 bits"),
            ("a/1.jpg,1,0,valid", "column 'split': 'valid' is none of train, query, gallery"),
            (",1,0,train", "column 'path': '' is empty"),
            ("a/1.jpg,1,0", "line 6: 3 fields, and the header has 4"),
        ],
    )
    def test_a_fault_is_told_by_line_and_column(self, root, row, told):
        message = refused(root, TABLE + row + "\n")
        assert "1 fault in" in message
        assert told in message

    def test_many_faults_are_counted_and_the_first_three_told(self, root):
        told = refused(root, TABLE + "".join(f"a/1.jpg,x{n},0,train\n" for n in range(20_000)))
        assert "20000 faults" in told
        assert "the first three: line 6: column 'pid': 'x0'" in told
        assert "line 8: column 'pid': 'x2'" in told
        assert "'x3'" not in told

    def test_faults_of_several_columns_are_told_in_the_order_of_lines(self, root):
        rows = ("a/1.jpg,1,0,valid", ",1,0,train", "a/1.jpg,1,left,train", "a/1.jpg")
        told = refused(root, TABLE + "".join(f"{row}\n" for row in rows))
        assert "4 faults" in told
        places = [told.index(f"line {line}: ") for line in (6, 7, 8)]
        assert places == sorted(places)
        assert "line 9: " not in told

    def test_lines_are_counted_over_quoted_ones_and_empty_ones(self, root):
        text = TABLE.replace("split\n", "split,note\n").replace("train\n", 'train,"two\nlines"\n')
        text = text.replace("query\n", "query,\n").replace("gallery\n", "gallery,\n")
        assert "line 9: column 'pid'" in refused(root, text + "\na/1.jpg,x,0,train,\n")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "is empty"),
            ("path,pid,camid,split\n", "no rows"),
            ("path,id,camid,split\n", "no column 'pid'"),
            ("path,pid,pid,split\n", "several columns 'pid'"),
            (TABLE.replace("gallery", "query"), "none of gallery"),
            (b"path,pid,camid,split\n\xff\xfe,1,1,train\n", "UTF-8"),
        ],
    )
    def test_a_table_of_another_form_is_told(self, root, text, told):
        assert told in refused(root, text)

    def test_a_misspelt_column_name_gets_the_nearest(self, root):
        assert "Did you mean 'pidd'?" in refused(root, TABLE.replace("pid", "pidd"))


NAMES = st.text(string.ascii_letters + string.digits + " ,;\"'\n_é漢", min_size=1, max_size=12)
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.integers(0, 2**63 - 1),
        st.integers(-5, 2**40),
        st.sampled_from(["train", "query", "gallery"]),
    ),
    min_size=1,
    max_size=20,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, piece=st.integers(1, 5), delimiter=st.sampled_from(",;\t|"))
def test_whatever_a_csv_writer_writes_is_read(rows, piece, delimiter, root, monkeypatch):
    monkeypatch.setattr(csv_rows, "_PIECE", piece)
    splits = {row[3] for row in rows}
    if ("query" in splits) != ("gallery" in splits):
        rows = [(path, pid, camid, "train") for path, pid, camid, _ in rows]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["path", "pid", "camid", "split"])
    writer.writerows([(f"/{path}", *labels) for path, *labels in rows])
    (root / "labels.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    found = read_table(root, file="labels.csv")
    for split in ("train", "query", "gallery"):
        expected = [(f"/{path}", pid, camid, 0) for path, pid, camid, own in rows if own == split]
        assert [tuple(sample) for sample in getattr(found, split)] == expected
