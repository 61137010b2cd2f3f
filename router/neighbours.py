"""The tables of neighbours that kNN presets leave outside: arrays in the data directory.

    DATA/neighbours/CHECKSUM.npz     row_key (N,), vectors (N, d), score (N, arms)

A preset names its rows and their checksum; `ockham policy rebuild PRESET` makes the file from the
stored outcome set, here it is only read and written.
"""

import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from policies import KnnGain, PolicyError
from router.errors import SetupError
from router.paths import data_dir

__all__ = ["neighbours_path", "with_stored_neighbours", "write_neighbours"]


def neighbours_path(policy: KnnGain) -> Path:
    """Where the arrays of this policy stand."""
    return data_dir() / "neighbours" / f"{policy.checksum}.npz"


def with_stored_neighbours(policy: KnnGain) -> KnnGain:
    """The policy with its arrays. Raises `PolicyError` naming the command that makes them."""
    path = neighbours_path(policy)
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = found["row_key"], found["vectors"], found["score"]
    except FileNotFoundError:
        raise PolicyError(
            f"its neighbours ({len(policy.queries):,} questions of {policy.source}) are not in "
            f"{path.parent}: run `ockham policy rebuild` on this preset"
        ) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise PolicyError(
            f"{path} cannot be read ({error}): run `ockham policy rebuild` on this preset"
        ) from None
    return policy.with_neighbours(*arrays)


def write_neighbours(
    policy: KnnGain,
    row_key: NDArray[np.uint64],
    vectors: NDArray[np.float32],
    score: NDArray[np.floating],
) -> Path:
    """Write them whole or not at all. Raises `PolicyError` where they are not the policy's."""
    policy.with_neighbours(row_key, vectors, score)
    path = neighbours_path(policy)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, row_key=row_key, vectors=vectors, score=score)
        Path(name).replace(path)
    except OSError as error:
        raise SetupError(f"{path}: cannot be written: {error.strerror}") from None
    return path
