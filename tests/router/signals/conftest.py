"""One loaded featuriser for all tests of the signals: loading costs seconds."""

import pytest

from router.signals import Encoder, Featuriser


@pytest.fixture(scope="session")
def featuriser(tmp_path_factory: pytest.TempPathFactory) -> Featuriser:
    """The shipped head on the packaged encoder."""
    made = Featuriser(Encoder())
    made.load()
    return made
