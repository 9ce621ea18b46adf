import pytest

from reidcore.errors import UserError
from reidcore.evaluation import kernel_in_use
from reidcore.evaluation.kernel import compiled, counting_with, thread_count


def test_the_kernel_in_use_is_told(counting):
    said = kernel_in_use()
    assert said.startswith("cython (")
    assert counting.kernels()[0] in said
    assert f"{thread_count()} thread" in said


def test_torch_counts_where_it_is_chosen():
    with counting_with("torch"):
        assert kernel_in_use() == "torch"
        assert compiled() is None
        assert thread_count() == 1


def test_an_unknown_kernel_is_refused():
    with pytest.raises(UserError, match="Did you mean 'cython'"), counting_with("cythn"):
        pass
