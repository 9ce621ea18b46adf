import numpy as np
import pytest
from reid_plugins_standard.protocols.over_draws import draw_of_each
from reid_plugins_standard.protocols.sysu_mm01 import SysuMM01

from reidcore.errors import DataError, UserError
from reidcore.evaluation import Labels, MatrixDistances, evaluate
from tests.plugins.reid_plugins_standard.protocols.brute_force import expected
from tests.plugins.reid_plugins_standard.protocols.problems import small_problems

ALL = np.array([0, 1, 3, 4])
ROOMS = {0: 0, 1: 1, 2: 1, 3: 3, 4: 4, 5: 5}


def test_one_room_is_ignored_and_persons_are_counted_by_hand():
    """Of the third camera's query the second camera's items are ignored, those of others too.

    What is left of the first query: 1 at 3 (match), 2 at 1 and 2, 3 at 2. Persons: 2, 3, then 1.
    """
    labels = Labels([1, 1], [1, 3, 1, 2, 2, 3], [2, 5], [1, 1, 0, 0, 3, 4])
    distances = [[0.0, 0.0, 3.0, 1.0, 2.0, 2.0], [0.0, 9.0, 3.0, 1.0, 2.0, 2.0]]
    result = evaluate(distances, labels, SysuMM01(trials=1))
    assert result.first_rank.tolist() == [3, 1]
    assert result.ap.tolist() == pytest.approx([1 / 4, (1 + 2 / 5) / 2])
    assert result.cmc[:3].tolist() == [0.5, 0.5, 1]
    assert result.conditions["junk"] == "own room"
    assert result.conditions["gallery"] == "1 image of each person by each camera"


def test_indoor_search_leaves_the_outdoor_cameras_out():
    labels = Labels([1], [2, 1, 2], [5], [3, 0, 1])
    distances = [[0.0, 1.0, 2.0]]
    assert evaluate(distances, labels, SysuMM01()).first_rank.tolist() == [2]
    indoor = evaluate(distances, labels, SysuMM01("indoor"))
    assert indoor.first_rank.tolist() == [1]
    assert indoor.num_gallery == 2
    with pytest.raises(DataError, match="indoor search"):
        evaluate([[0.0]], Labels([1], [1], [5], [3]), SysuMM01("indoor"))


def test_an_infinite_distance_is_nearer_than_what_is_ignored():
    """The second camera's items are of the query's room; the match alone is left."""
    labels = Labels([1], [1, 2, 3], [2], [0, 1, 1])
    result = evaluate([[np.inf, 0.0, 0.0]], labels, SysuMM01(trials=1))
    assert (result.first_rank.tolist(), result.mAP) == ([1], 1)


def by_persons(row, query, labels, ties):
    """Return the place of the query's person when each person stands at its nearest image."""
    nearest = {}
    for item, distance in enumerate(row):
        if ROOMS[labels.g_camids[item]] != ROOMS[labels.q_camids[query]]:
            person = labels.g_pids[item]
            nearest[person] = min(nearest.get(person, np.inf), distance)
    mine = nearest.pop(labels.q_pids[query], None)
    if mine is None:
        return 0
    return 1 + sum(
        other < mine or (other == mine and ties == "pessimistic") for other in nearest.values()
    )


@pytest.mark.parametrize("ties", ["pessimistic", "optimistic"])
def test_it_agrees_with_the_definition(ties):
    """So many shots that nothing is drawn."""
    for problem in small_problems(100, seed=13, gallery=20, cameras=4):
        old = problem.labels
        labels = Labels(old.q_pids, old.g_pids, np.where(old.q_camids % 2, 2, 5), ALL[old.g_camids])

        def own_room(query, item, labels=labels):
            return ROOMS[labels.q_camids[query]] == ROOMS[labels.g_camids[item]]

        reference = expected(
            problem.distances,
            lambda query, item, labels=labels: labels.q_pids[query] == labels.g_pids[item],
            own_room,
            ties=ties,
        )
        persons = [
            by_persons(row, query, labels, ties) for query, row in enumerate(problem.distances)
        ]
        everything = SysuMM01(shots=99, trials=1)
        found = everything.evaluate(MatrixDistances(problem.distances), labels, ties=ties)
        np.testing.assert_allclose(found.ap, reference.ap, rtol=1e-12)
        assert found.first_rank.tolist() == persons
        valid = [rank for rank in persons if rank]
        for rank in (1, 2, 3, 20):
            share = sum(place <= rank for place in valid) / len(valid)
            assert found.cmc_at(rank) == pytest.approx(share)


@pytest.fixture(scope="module")
def seen_often():
    """Each of 6 persons three times by each visible camera, and twice by each infrared one."""
    rng = np.random.default_rng(0)
    g_pids, g_camids = (each.ravel() for each in np.meshgrid(range(1, 7), ALL.repeat(3)))
    q_pids, q_camids = (each.ravel() for each in np.meshgrid(range(1, 7), [2, 2, 5, 5]))
    labels = Labels(q_pids, g_pids, q_camids, g_camids)
    return MatrixDistances(rng.normal(size=labels.shape)), labels


@pytest.mark.parametrize("shots", [1, 2])
def test_trials_draw_so_many_of_each_person_by_each_camera(seen_often, shots):
    distances, labels = seen_often
    result = evaluate(distances, labels, SysuMM01(shots=shots, trials=4, seed=9))
    groups = np.stack([labels.g_camids, labels.g_pids], axis=1)
    alone = []
    for trial in range(4):
        rows = draw_of_each(groups, shots, 9, trial)
        assert len(rows) == 24 * shots
        everything = SysuMM01(shots=99, trials=1)
        alone.append(evaluate(distances.take(None, rows), labels.take(None, rows), everything))
    assert result.mAP == pytest.approx(np.mean([each.mAP for each in alone]))
    assert result.cmc_at(1) == pytest.approx(np.mean([each.cmc_at(1) for each in alone]))
    assert result.figures["mAP_std"] == pytest.approx(np.std([each.mAP for each in alone], ddof=1))
    assert (result.conditions["draws"], result.conditions["seed"]) == (4, 9)


@pytest.fixture
def permutations(tmp_path):
    """The authors' layout: cameras down, in each a person down; person 7 was seen by nobody."""
    io = pytest.importorskip("scipy.io")
    rng = np.random.default_rng(1)
    cells = np.empty((6, 1), dtype=object)
    for camera in range(6):
        people = np.empty((7, 1), dtype=object)
        for person in range(7):
            images = 3 if person < 6 else 0
            rows = [rng.permutation(images) + 1 for _ in range(2)]
            people[person, 0] = np.array(rows, dtype=np.uint8).reshape(2, images)
        cells[camera, 0] = people
    io.savemat(tmp_path / "rand_perm_cam.mat", {"rand_perm_cam": cells})
    return tmp_path / "rand_perm_cam.mat", cells


def test_given_permutations_are_followed(seen_often, permutations):
    distances, labels = seen_often
    path, cells = permutations
    result = evaluate(distances, labels, SysuMM01(trials=2, permutations=path))
    alone = []
    for trial in range(2):
        rows = []
        for camera in ALL:
            for person in range(1, 7):
                mine = (labels.g_camids == camera) & (labels.g_pids == person)
                place = cells[camera, 0][person - 1, 0][trial, 0] - 1
                rows.append(np.flatnonzero(mine)[place])
        rows = np.sort(rows)
        alone.append(
            evaluate(distances.take(None, rows), labels.take(None, rows), SysuMM01(trials=1))
        )
    assert result.mAP == pytest.approx(np.mean([each.mAP for each in alone]))
    assert result.conditions["trials"] == "given permutations"
    assert "seed" not in result.conditions


def test_permutations_count_images_by_the_number_in_their_names(seen_often, permutations):
    distances, labels = seen_often
    path, _ = permutations
    rng = np.random.default_rng(2)
    order = rng.permutation(labels.shape[1])
    number = np.arange(labels.shape[1])
    numbered = Labels(
        labels.q_pids,
        labels.g_pids,
        labels.q_camids,
        labels.g_camids,
        None,
        {"picture": number},
    )
    protocol = SysuMM01(trials=2, permutations=path)
    mixed = evaluate(distances.take(None, order), numbered.take(None, order), protocol)
    assert mixed.mAP == pytest.approx(evaluate(distances, labels, protocol).mAP)


def test_permutations_of_other_images_are_refused(seen_often, permutations, tmp_path):
    distances, labels = seen_often
    path, _ = permutations
    with pytest.raises(UserError, match="fixes 2 trials, 10 are wanted"):
        SysuMM01(permutations=path)
    fewer = np.arange(1, labels.shape[1])
    with pytest.raises(DataError, match=r"3 images of person 1 by camera 1, the gallery has 2"):
        evaluate(
            distances.take(None, fewer),
            labels.take(None, fewer),
            SysuMM01(trials=1, permutations=path),
        )
    (tmp_path / "other.mat").write_bytes(b"no MATLAB file")
    with pytest.raises(DataError, match=r"cannot read the permutations in .*other\.mat"):
        SysuMM01(permutations=tmp_path / "other.mat")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"search": "indor"}, "indoor"),
        ({"shots": 0}, "shots"),
        ({"trials": 0}, "trials"),
        ({"seed": -1}, "seed"),
    ],
)
def test_options_out_of_range_are_refused(options, told):
    with pytest.raises(UserError, match=told):
        SysuMM01(**options)


def test_cameras_counted_from_one_are_told():
    with pytest.raises(DataError, match="the query has images by the camera 3") as told:
        evaluate([[0.0]], Labels([1], [1], [3], [1]), SysuMM01())
    assert "less one" in str(told.value)
    with pytest.raises(DataError, match="the gallery has images by the camera 6"):
        SysuMM01().relations(Labels([1], [1], [2], [6]))
