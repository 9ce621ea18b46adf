import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_inspect.pictures.nearest import nearest


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 12), st.data())
def test_the_nearest_are_the_first_of_a_stable_sort(distances, count, data):
    row = np.array(distances, dtype=np.float32)
    ignored = data.draw(st.sets(st.integers(0, len(row) - 1)))
    expected = [index for index in np.argsort(row, kind="stable") if index not in ignored]
    found = nearest(row, count, np.array(sorted(ignored), dtype=np.int64))
    assert found.tolist() == expected[:count]
