import pytest

from revoir.datasets.shop import shop


@pytest.fixture(scope="session")
def small_shop():
    """A shop to look at row by row."""
    return shop(seed=11, customers=400)


@pytest.fixture(scope="session")
def large_shop():
    """A shop large enough for its shares to lie near what is expected."""
    return shop(seed=12, customers=20_000)
