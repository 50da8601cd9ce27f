"""Property tests draw the same cases every time; here batteries can run in this process."""

from concurrent.futures import Future

import pytest
from hypothesis import settings

from sumabm.battery.engine import Engine

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")


class Here(Engine):
    """No other process: what a worker does is done at once. Counts what it is given."""

    workers, tries, deaths = 1, 1, ()
    ran = 0

    def submit(self, call, item):
        self.ran += 1
        future = Future()
        try:
            future.set_result(call(item))
        except Exception as error:
            future.set_exception(error)
        return future

    def check(self):
        pass

    def cancel(self):
        pass

    def close(self):
        pass


@pytest.fixture(scope="session")
def here():
    """Return an engine that all tests share."""
    return Here()


@pytest.fixture
def own_engine():
    """Return an engine of the test's own."""
    return Here()
