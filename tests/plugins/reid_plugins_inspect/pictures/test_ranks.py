from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from reid_plugins_inspect.pictures import draw_ranked_results, ranks, visualize_ranked_results
from reid_plugins_inspect.pictures.drawing import MATCH, NEUTRAL, OTHER, Layout

from reidcore.data import LabelNames, SampleTable
from reidcore.errors import DataError, UserError
from reidcore.evaluation import FeatureDistances, MatrixDistances
from reidcore.testing import tiny_run

SIZE = (32, 64)


@pytest.fixture
def dataset(tmp_path):
    """Two queries and five gallery items; the first gallery item is in query 0's own camera."""

    def sample(name, pid, camid):
        path = tmp_path / "images" / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (16, 32), (20 * pid, 60, 90)).save(path)
        return str(path), pid, camid, 0

    query = [sample("q0.png", 1, 0), sample("q1.png", 2, 0)]
    gallery = [
        sample(f"g{index}.png", pid, camid)
        for index, (pid, camid) in enumerate([(1, 0), (1, 1), (2, 1), (3, 1), (1, 2)])
    ]
    return query, gallery


@pytest.fixture
def matrix():
    return np.array([[0.0, 2.0, 1.0, 3.0, 4.0], [9.0, 8.0, 7.0, 6.0, 5.0]])


def frames(path, columns):
    """Return the colours of the frames in a strip, the query's first."""
    layout = Layout(*SIZE, columns)
    names = {NEUTRAL: "query", MATCH: "match", OTHER: "other", (255, 255, 255): "none"}
    found = []
    with Image.open(path) as strip:
        assert strip.size == layout.size
        for column in range(columns + 1):
            x, y = layout.corner(column)
            pixel = np.array(strip.getpixel((x - 2, y + 40)))
            found.append(min(names, key=lambda colour: np.abs(pixel - colour).sum()))
    return [names[colour] for colour in found]


def test_strips_show_matches_and_others_without_the_querys_own_camera(tmp_path, dataset, matrix):
    folder = tmp_path / "log" / "visrank"
    written = draw_ranked_results(
        MatrixDistances(matrix), *dataset, folder, 3, width=SIZE[0], height=SIZE[1]
    )
    assert [path.name for path in written] == ["q0.jpg", "q1.jpg", "overview.jpg"]
    assert sorted(folder.glob("[!.]*")) == sorted(written)
    assert [path.name for path in folder.glob(".*")] == [".drawn"]  # no partial file is left
    assert frames(written[0], 3) == ["query", "other", "match", "other"]
    assert frames(written[1], 3) == ["query", "other", "other", "match"]


def test_torchreids_call_writes_the_same(tmp_path, dataset, matrix):
    visualize_ranked_results(matrix, dataset, "image", *SIZE, str(tmp_path / "out"), 10)
    found = frames(tmp_path / "out" / "q0.jpg", 5)  # no more than the gallery has
    assert found == ["query", "other", "match", "other", "match", "none"]


def test_features_are_ranked_without_their_matrix(tmp_path, dataset):
    query, gallery = dataset
    g_features = np.eye(5, dtype=np.float32)
    distances = FeatureDistances(g_features[[1, 2]], g_features)
    written = draw_ranked_results(
        distances, query, gallery, tmp_path / "out", 1, width=SIZE[0], height=SIZE[1]
    )
    assert frames(written[0], 1) == frames(written[1], 1) == ["query", "match"]


def test_of_a_tracklet_the_middle_frame_is_drawn(tmp_path, dataset, matrix):
    query, gallery = dataset
    tracklets = [
        [(("missing.png", path, "missing.png"), *rest) for path, *rest in side]
        for side in (query, gallery)
    ]
    visualize_ranked_results(matrix, tracklets, "video", *SIZE, tmp_path / "out", 2)
    assert (tmp_path / "out" / "q0.jpg").exists()


def test_queries_of_one_file_name_do_not_overwrite_each_other(tmp_path, dataset, matrix):
    query, gallery = dataset
    written = draw_ranked_results(
        MatrixDistances(matrix), [query[0]] * 2, gallery, tmp_path / "out", 2
    )
    assert [path.name for path in written] == ["q0.jpg", "q0_2.jpg", "overview.jpg"]


def test_an_unreadable_picture_costs_only_itself(tmp_path, dataset, matrix, caplog):
    query, gallery = dataset
    gallery[2] = (str(tmp_path / "absent.png"), *gallery[2][1:])
    written = draw_ranked_results(MatrixDistances(matrix), query, gallery, tmp_path / "out", 2)
    assert all(path.exists() for path in written)
    assert "absent.png" in caplog.text


def test_bad_arguments_are_told(tmp_path, dataset, matrix):
    with pytest.raises(UserError, match="Did you mean 'image'"):
        visualize_ranked_results(matrix, dataset, "imgae", save_dir=tmp_path)
    with pytest.raises(DataError, match="2 queries and 4 gallery items, labels for 2 and 5"):
        visualize_ranked_results(matrix[:, :4], dataset, "image", save_dir=tmp_path)
    with pytest.raises(UserError, match="topk"):
        visualize_ranked_results(matrix, dataset, "image", save_dir=tmp_path, topk=0)


def test_a_folder_that_cannot_be_made_is_named(tmp_path, dataset, matrix):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match="taken"):
        draw_ranked_results(MatrixDistances(matrix), *dataset, tmp_path / "taken")


def test_captions_call_labels_by_their_names(tmp_path, dataset, matrix, monkeypatch):
    captions = []
    draw_strip = ranks.draw_strip

    def keeping(query, found, layout):
        captions.append([entry.caption for entry in (query, *found)])
        return draw_strip(query, found, layout)

    monkeypatch.setattr(ranks, "draw_strip", keeping)
    names = LabelNames({1: "anna", 2: "ben"}, {0: "gate", 1: "hall"})
    tables = [replace(SampleTable.of(side), names=names) for side in dataset]
    draw_ranked_results(MatrixDistances(matrix), *tables, tmp_path, 2, width=32, height=64)
    assert captions[0] == ["id anna · cam gate", "id ben · cam hall", "id anna · cam hall"]


@pytest.fixture
def ten(tmp_path):
    """Ten queries of an identity each; query n finds its match at rank n + 1, the last has none."""
    pids = list(range(10))
    path = tmp_path / "image.png"
    Image.new("RGB", (8, 16)).save(path)
    query = [(str(tmp_path / f"q{pid}.png"), pid, 0, 0) for pid in pids]
    for sample in query:
        path.with_name(sample[0].rpartition("/")[2]).write_bytes(path.read_bytes())
    gallery = [(str(path), pid if pid < 9 else 99, 1, 0) for pid in pids]
    matrix = np.zeros((10, 10))
    for row in pids:  # its match is farther than that many others
        matrix[row, np.arange(10) != row] = np.arange(9)
        matrix[row, row] = row - 0.5
    return MatrixDistances(matrix), query, gallery


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("worst", ["1_q8.jpg", "2_q7.jpg", "3_q6.jpg"]),
        ("best", ["1_q0.jpg", "2_q1.jpg", "3_q2.jpg"]),
        ("first", ["q0.jpg", "q1.jpg", "q2.jpg"]),
    ],
)
def test_queries_are_chosen_by_their_precision(tmp_path, ten, order, names):
    written = draw_ranked_results(*ten, tmp_path / "out", 2, queries=3, order=order)
    assert [path.name for path in written] == [*names, "overview.jpg"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.jpg")) == sorted(
        [*names, "overview.jpg"]
    )


def test_a_query_without_a_match_is_neither_best_nor_worst(tmp_path, ten):
    for order in ("worst", "best"):
        written = draw_ranked_results(*ten, tmp_path / order, 2, order=order)
        assert written[-2].name == "10_q9.jpg"


def test_random_queries_are_the_same_again(tmp_path, ten):
    first, again = (
        draw_ranked_results(*ten, tmp_path / name, 2, queries=3, order="random") for name in "ab"
    )
    assert len(first) == 4
    assert [path.name for path in first] == [path.name for path in again]
    assert [path.name for path in first] != ["q0.jpg", "q1.jpg", "q2.jpg", "overview.jpg"]


def test_strips_and_overview_say_what_they_show(tmp_path, ten, monkeypatch):
    notes, titles = [], []
    draw_strip, draw_sheet = ranks.draw_strip, ranks.draw_sheet
    monkeypatch.setattr(
        ranks,
        "draw_strip",
        lambda query, *more: (notes.append(query.note), draw_strip(query, *more))[1],
    )
    monkeypatch.setattr(
        ranks,
        "draw_sheet",
        lambda strips, *said: (titles.append(said), draw_sheet(strips, *said))[1],
    )
    draw_ranked_results(*ten, tmp_path, 2, order="worst", target="mall")
    assert "AP 11.1% · first match at rank 9" in notes
    assert "AP 100.0% · first match at rank 1" in notes
    assert "no match in the gallery" in notes
    assert titles == [("mall: mAP 31.4%, rank-1 11.1%", "Top 2 for 10 of 10 queries, worst first")]


def test_an_order_that_is_none_names_the_nearest(tmp_path, ten):
    with pytest.raises(UserError, match="Did you mean 'worst'"):
        draw_ranked_results(*ten, tmp_path, order="wurst")


def test_a_run_draws_as_many_queries_as_asked_and_removes_those_of_another(tmp_path):
    for number in (3, 2):
        drawn = ["test.visrank=true", f"test.visrank_queries={number}", "test.visrank_order=worst"]
        tiny_run(save_dir=tmp_path, overrides=drawn)
        folder = tmp_path / "visrank_tiny"
        assert len(list(folder.glob("[1-9]_*.jpg"))) == number
        assert len(list(folder.glob("*.jpg"))) == number + 1
