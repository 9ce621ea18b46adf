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
from reidcore.data import LabelNames, init_image_dataset
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
    assert "1 row of identity -1 left out" in caplog.text


def test_an_identity_below_junk_is_a_fault(root):
    said = refused(root, TABLE + "a/1.jpg,-3,0,train\n")
    assert "line 6: column 'pid': '-3' is below -1, which marks junk" in said


class TestLabels:
    """Identities and cameras as tables write them."""

    def test_whole_floats_are_whole_numbers(self, root):
        found = read(root, TABLE.replace(",7,", ",7.0,").replace(",0,train", ",0.,train"))
        assert found.query.pids.tolist() == [7]
        assert found.query.names == found.gallery.names == LabelNames()
        assert found.train.camids.tolist() == [0, 1]

    @pytest.mark.parametrize("cell", ["1.5", "1e3", ".5"])
    def test_other_floats_are_refused_with_their_line(self, root, cell):
        said = refused(root, TABLE + f"a/1.jpg,{cell},0,train\n")
        assert f"line 6: column 'pid': '{cell}' is no whole number" in said

    @pytest.mark.parametrize("column", ["pid", "camid"])
    @pytest.mark.parametrize(
        ("cell", "why"), [("", "is empty"), ("nan", "no value"), ("<NA>", "no value")]
    )
    def test_cells_without_a_value_are_refused_with_their_line(self, root, column, cell, why):
        row = {"pid": "7", "camid": "0", column: cell}
        said = refused(root, TABLE + f"a/1.jpg,{row['pid']},{row['camid']},train\n")
        assert f"line 6: column '{column}': '{cell}'" in said
        assert why in said

    def test_a_float_that_lost_digits_is_refused(self, root):
        assert "lost digits" in refused(root, TABLE + "a/1.jpg,12345678901234567890.0,0,train\n")

    def test_names_are_kept_and_numbered_over_all_splits(self, root):
        text = TABLE.replace(",7,", ", anna ,").replace(",9,", ",Émile,")
        text = text.replace(",2,query", ",gate,query").replace(",3,gallery", ",hall,gallery")
        found = read(root, text + "a/1.jpg,-1,hall,gallery\n")
        query, gallery = found.query, found.gallery
        assert query.pids.tolist() == gallery.pids.tolist()
        assert query.names.pid(query.pids[0]) == "anna"
        assert query.names.camid(query.camids[0]) == "gate"
        assert gallery.names.camid(gallery.camids[0]) == "hall"
        # Training identities are numbered from 0, and keep their names.
        assert [found.train.names.pid(pid) for pid in found.train.pids] == ["anna", "Émile"]

    def test_among_names_numbers_are_names_and_that_is_told(self, root, caplog):
        found = read(root, TABLE.replace("2.jpg,9,", "2.jpg,007,") + "a/1.jpg,x,0,train\n")
        assert {found.train.names.pid(pid) for pid in found.train.pids} == {"7", "007", "x"}
        assert found.query.names.pid(found.query.pids[0]) == "7"
        assert "line 6, column 'pid': 'x' is no number" in caplog.text

    def test_leading_zeros_of_numbers_do_not_count(self, root):
        assert read(root, TABLE.replace("1.jpg,7,", "1.jpg,007,")).num_train_pids == 2
        assert read(root, TABLE.replace("1.jpg,7,", "1.jpg,009,")).num_train_pids == 1

    def test_numbers_of_more_than_64_bits_are_names(self, root):
        text = TABLE.replace(",7,", f",{10**20},").replace(",9,", f",{'9' * 5000},")
        found = read(root, text)
        assert found.query.names.pid(found.query.pids[0]) == str(10**20)
        assert found.num_train_pids == 2


class TestSpreadsheets:
    """What Excel and others make of a table."""

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
    def test_a_table_with_a_mark_of_its_encoding(self, root, encoding):
        text = TABLE.replace(",", "\t").replace("7", "Zoë").replace("\n", "\r\n")
        found = read(root, text.encode(encoding))
        assert found.query.names.pid(found.query.pids[0]) == "Zoë"

    def test_a_line_that_names_the_separator(self, root):
        text = "sep=;\r\n" + TABLE.replace(",", ";")
        assert len(read(root, text).train) == 2
        assert "line 7: column 'pid': '1.5'" in refused(root, text + "a/1.jpg;1.5;0;train\n")

    def test_empty_rows_and_columns_without_a_name_are_left_out_and_told(self, root, caplog):
        text = "\n".join(f"{row},," for row in TABLE.splitlines()) + "\n,,,,,\n , ,\n\n"
        with caplog.at_level(logging.INFO):
            assert len(read(root, text).train) == 2
        assert "2 empty rows left out: 'line 6', 'line 7'" in caplog.text
        assert "2 columns without a name left out: 'column 5', 'column 6'" in caplog.text

    def test_backslashes_separate_folders(self, root):
        found = read(root, TABLE.replace("/", "\\"))
        assert found.train.paths[0] == str(root / "a/1.jpg")
        assert found.gallery.paths[0] == str(root / "b/4.jpg")

    def test_a_backslash_in_the_name_of_a_file_stays(self, root):
        (root / "a\\1.jpg").touch()
        found = read(root, TABLE.replace("a/1", "a\\1"))
        assert found.train.paths[0] == str(root / "a\\1.jpg")

    def test_a_path_of_another_machine_is_told(self, root):
        text = TABLE.replace("a/", "C:\\x\\").replace("b/", "C:\\x\\")
        assert "runs Windows" in refused(root, text)

    @pytest.mark.parametrize("head", [b"PK\x03\x04\x14", b"\xd0\xcf\x11\xe0\xa1"])
    def test_a_workbook_is_told(self, root, head):
        assert "Save the sheet as CSV" in refused(root, head)

    def test_a_quoted_name_does_not_choose_the_separator(self, root):
        text = "\n".join(f"{row};x" for row in TABLE.replace(",", ";").splitlines())
        assert len(read(root, text.replace("split;x", 'split;"a,b,c,d,e,f"')).train) == 2


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
            ("a/1.jpg,1.5,0,train", "line 6: column 'pid': '1.5' is no whole number"),
            ("a/1.jpg,,0,train", "column 'pid': ''"),
            ("a/1.jpg,1,2.5,train", "column 'camid': '2.5'"),
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
        told = refused(root, TABLE + "".join(f"a/1.jpg,{n}.5,0,train\n" for n in range(20_000)))
        assert "20,000 faults" in told
        assert "the first three: line 6: column 'pid': '0.5'" in told
        assert "line 8: column 'pid': '2.5'" in told
        assert "'3.5'" not in told

    def test_faults_of_several_columns_are_told_in_the_order_of_lines(self, root):
        rows = ("a/1.jpg,1,0,valid", ",1,0,train", "a/1.jpg,1,2.5,train", "a/1.jpg")
        told = refused(root, TABLE + "".join(f"{row}\n" for row in rows))
        assert "4 faults" in told
        places = [told.index(f"line {line}: ") for line in (6, 7, 8)]
        assert places == sorted(places)
        assert "line 9: " not in told

    def test_lines_are_counted_over_quoted_ones_and_empty_ones(self, root):
        text = TABLE.replace("split\n", "split,note\n").replace("train\n", 'train,"two\nlines"\n')
        text = text.replace("query\n", "query,\n").replace("gallery\n", "gallery,\n")
        assert "line 9: column 'pid'" in refused(root, text + "\na/1.jpg,1.5,0,train,\n")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "is empty"),
            ("path,pid,camid,split\n", "no rows"),
            ("path,id,camid,split\n", "no column 'pid'"),
            ("path,pid,pid,split\n", "several columns 'pid' (2 and 3)"),
            (TABLE.replace("gallery", "query"), "none of gallery"),
            (b"path,pid,camid,split\n\xff\xfe,1,1,train\n", "UTF-8"),
        ],
    )
    def test_a_table_of_another_form_is_told(self, root, text, told):
        assert told in refused(root, text)

    @pytest.mark.parametrize(
        ("header", "options", "told"),
        [
            ("path,pidd,camid,split", {}, "set csv.pid=pidd"),
            ("Image,pid,camid,split", {}, "set csv.path=Image"),
            ("path,Vehicle_ID,camid,split", {}, "set csv.pid=Vehicle_ID"),
            ("path,pid,camid,Set", {}, "set csv.split=Set"),
            ("path,vehicle,camid,split", {"pid": "vehicel"}, "set csv.pid=vehicle"),
            ("path,pid,kamera,split", {"camid": "camera"}, "set csv.camid=kamera"),
            ("file,id,camid,plate", {}, "set csv.path=file csv.pid=id csv.split=NAME"),
            (
                "file,identity,camera,set",
                {},
                "set csv.path=file csv.pid=identity csv.camid=camera csv.split=set",
            ),
            ("file,pid,Cam,split", {}, "set csv.path=file csv.camid=Cam"),
        ],
    )
    def test_a_missing_column_gets_the_one_that_may_be_it(self, root, header, options, told):
        text = TABLE.replace("path,pid,camid,split", header)
        assert told in refused(root, text, **options)

    def test_columns_are_known_in_capital_letters_too(self, root, caplog):
        plain = read(root, TABLE)
        capital = read(root, TABLE.replace("path,pid,camid,split", "Path,PID,CamID,SPLIT"))
        for split in ("train", "query", "gallery"):
            assert [*map(tuple, getattr(capital, split))] == [*map(tuple, getattr(plain, split))]
        assert not caplog.text

    def test_of_two_columns_that_differ_in_capital_letters_none_is_taken(self, root):
        text = TABLE.replace("path,pid,camid,split", "path,Pid,PID,split")
        assert "no column 'pid'" in refused(root, text)

    def test_a_word_that_is_merely_alike_is_not_offered(self, root):
        told = refused(root, TABLE.replace("path,pid,camid,split", "path,pid,camid,plate"))
        assert "no column 'split' (train, query or gallery)" in told
        assert "csv.split=NAME" in told
        assert "csv.split=plate" not in told

    def test_a_column_that_may_be_of_cameras_is_named(self, root, caplog):
        read(root, TABLE.replace("camid", "cam"))
        assert "if 'cam' says them, set csv.camid=cam" in caplog.text


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


VALIDATION = """\
path,pid,camid,split
a/1.jpg,7,0,train
a/2.jpg,9,1,val_query
b/3.jpg,9,2,val_gallery
b/4.jpg,8,3,unused
"""


def test_rows_for_validation_are_the_targets_where_they_are_asked_for(root, caplog):
    caplog.set_level(logging.INFO, "reidcore")
    tested = VALIDATION.replace("b/4.jpg,8,3,unused", "b/4.jpg,8,3,query\nb/3.jpg,8,1,gallery")
    found = read(root, tested)
    assert [sample.pid for sample in (*found.query, *found.gallery)] == [8, 8]
    assert "1 row of the split val_query left out" in caplog.text
    found = read(root, tested, validation=True)
    assert [sample.pid for sample in (*found.query, *found.gallery)] == [9, 9]
    assert len(found.train) == 1
    assert "1 row of the split gallery left out" in caplog.text


def test_unused_rows_and_those_for_validation_leave_a_dataset_to_learn_from(root):
    found = read(root, VALIDATION)
    assert [len(split) for split in (found.train, found.query, found.gallery)] == [1, 0, 0]


def test_validation_asked_for_where_there_is_none_is_told_with_the_command(root):
    told = refused(root, TABLE, validation=True)
    assert "no rows of the splits val_query and val_gallery" in told
    assert "reidcore data split" in told


def test_unknown_cameras_of_validation_are_as_those_of_the_test(root):
    without = "\n".join(
        ",".join(row.split(",")[:2] + row.split(",")[3:]) for row in VALIDATION.split("\n") if row
    )
    found = read(root, without, validation=True)
    assert [found.query[0].camid, found.gallery[0].camid] == [0, 1]


OF_CLASSES = """\
path,pid,camid,split,class
a/1.jpg,7,0,train,car
a/2.jpg,9,1,train, van
b/3.jpg,7,2,query,car
b/4.jpg,7,3,gallery,car
"""


def test_rows_of_one_class_are_read_and_the_others_counted(root, caplog):
    caplog.set_level("INFO")
    found = read(root, OF_CLASSES, where="class=car")
    assert [len(found.train), len(found.query), len(found.gallery)] == [1, 1, 1]
    assert found.train[0].path == str(root / "a/1.jpg")
    assert "1 row left out (class is not car): 'line 3'" in caplog.text
    assert len(read(root, OF_CLASSES, where="class = van, car").train) == 2


def test_conditions_that_no_row_meets_are_told_with_what_there_is(root):
    told = {
        "class": "is no condition on rows",
        "class=": "is no condition on rows",
        "clas=car": "no column 'clas', which csv.where names. Did you mean 'class'?",
        "class=car,vann": "has 'vann' in the column 'class'. Did you mean 'van'?",
        "class=bus": "There are car, van",
    }
    for condition, words in told.items():
        assert words in refused(root, OF_CLASSES, where=condition)
