"""What is chosen for some data and a machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_calibration.thresholds import Support
from reid_plugins_own_data.splitting.identities import Shares, wanted
from reid_plugins_start.choices import (
    REACHES,
    Machine,
    choose_batch,
    choose_epochs,
    choose_model,
    choose_rest,
    choose_shares,
    choose_size,
    further_reaches,
)
from reid_plugins_start.facts import Facts

from reidcore.errors import DataError

CPU, GPU = Machine("cpu", 2, {}), Machine("cuda", 16, {"osnet_x1_0": "ImageNet"})


def facts(images=300, ids=20, median=(96, 128), protocol="market1501"):
    counts = {"train": ids, "validation": 10, "test": 10}
    return Facts(counts, dict.fromkeys(counts, images), 3, median, protocol)


@given(st.integers(2, 5000))
def test_shares_leave_most_to_learn_from_and_enough_for_a_threshold(ids):
    shares = choose_shares(ids)
    validation, test = wanted(ids, Shares(shares.train, shares.validation))
    assert test >= 1
    assert ids - validation - test >= 0.4 * ids
    assert (validation >= 10) == (ids >= 30)
    assert (validation >= 25) == (ids >= 100)
    assert all(validation >= reach.validation for reach in REACHES if ids >= reach.ids)


def test_a_calibration_supports_what_so_many_identities_are_promised():
    for fmr, _, validation in REACHES:
        pairs = validation * (validation - 1) // 2
        support = Support(1, 1, 1, pairs)
        assert support.lacks_for(fmr) == ""


def test_what_more_identities_would_give_is_told():
    assert "(false matches of 1 % want 100)" in choose_shares(40).why
    assert "(false matches of 10 % want 30)" in choose_shares(20).why
    assert choose_shares(520).why.endswith("for the test")
    assert further_reaches(40) == ["1 % want 100", "0.1 % want 520"]
    assert further_reaches(520) == []


@given(st.integers(1, 4000), st.integers(1, 4000), st.sampled_from([CPU, GPU]))
def test_sizes_keep_the_shape_at_an_area_that_the_device_bears(height, width, machine):
    chosen = {each.key: each.value for each in choose_size(facts(median=(height, width)), machine)}
    high, wide = chosen["data.height"], chosen["data.width"]
    assert high % 16 == wide % 16 == 0
    assert min(high, wide) >= 32
    assert high * wide <= 1.6 * (128 * 64 if machine is CPU else 256 * 128)
    if min(height, width) > 64 and 0.3 < height / width < 3:
        assert high / wide == pytest.approx(height / width, rel=0.35)


@pytest.mark.parametrize(
    ("median", "size"), [((128, 64), (128, 64)), ((96, 128), (80, 112)), ((300, 300), (96, 96))]
)
def test_usual_shapes_get_usual_sizes(median, size):
    chosen = choose_size(facts(median=median), CPU)
    assert tuple(each.value for each in chosen) == size


def test_images_of_no_size_are_told():
    with pytest.raises(DataError, match="no image could be read"):
        choose_size(facts(median=(0, 0)), CPU)


def test_weights_are_taken_where_they_are_on_this_machine():
    assert [each.value for each in choose_model(facts(), CPU)] == ["osnet_x0_25", False]
    assert [each.value for each in choose_model(facts(), GPU)] == ["osnet_x1_0", True]
    assert "reidcore weights fetch osnet_x0_25" in choose_model(facts(), CPU)[1].why
    assert choose_model(facts(images=9000), CPU)[0].value == "osnet_x0_5"


@given(st.integers(2, 100_000), st.floats(0.001, 5))
def test_epochs_fit_into_the_minutes_that_are_given(images, step):
    data = facts(images=images)
    batch = choose_batch(data, CPU).value
    free = choose_epochs(data, batch, step, None).value
    assert 12 <= free <= 60
    limited = choose_epochs(data, batch, step, 2.0).value
    assert 1 <= limited <= free
    assert limited == 1 or limited * max(1, images // batch) * step <= 121


def test_few_images_make_small_batches_and_many_epochs():
    assert choose_batch(facts(images=60), CPU).value == 15
    assert choose_batch(facts(images=6), CPU).value == 8
    assert choose_epochs(facts(images=240), 32, 0.5, None).value == 58
    assert "58 times" in choose_epochs(facts(images=240), 32, 0.5, None).why


def test_the_test_is_as_the_split_says_and_chooses_nothing():
    rest = {each.key: each.value for each in choose_rest(facts(protocol="any_camera"), CPU)}
    assert (rest["test.protocol"], rest["test.select_on"]) == ("any_camera", "none")
