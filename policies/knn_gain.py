"""The k nearest recorded questions: their mean scores, shrunk, and guarded.

    w_i = exp((cos(x, x_i) - 1) / T)            over the k rows nearest in the embedding
    q_m = (sum w_i s_im + m * mean_m) / (sum w_i + m)
    g   = q_large - q_small,   se = sqrt(sum w_i^2 (g_i - g)^2) / (sum w_i + m)
    large iff  g - z * se >= lambda * dc

A row that is near to nothing falls back to the mean quality of every arm (m neighbours with the
same text would weigh as much as that mean). The guard takes z standard errors of the gain over the
first small arm from every large arm: what is not known is not bought. Rule: kNN routing, arXiv
2505.12601; `exp((cos - 1) / T)` is their exp(cos / T) in a unit in which m can be read.

The neighbours are recorded questions and scores, so they are no part of the state: it holds their
ids and a checksum, `ockham policy rebuild` makes the arrays again from the stored outcome set, and
`with_neighbours` refuses other ones. Vectors are projected (see `eval/fit/knn_gain.py`), because a
search through 10,000 whole ones takes longer than a decision may.
"""

import hashlib
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, model_validator

from policies.case import CaseBatch, PolicyError
from policies.policy import Needs, register
from policies.utility import UtilityPolicy

__all__ = ["KnnGain", "neighbours_checksum", "project"]

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
Keys = NDArray[np.uint64]

BLOCK = 1024
"""Rows asked at once: a block's cosines to 10,000 neighbours are 40 MB."""


def project(embedding: NDArray[np.floating], projection: Vectors) -> Vectors:
    """(n, d) unit vectors of the projected rows; a row of zeros stays one."""
    made = np.asarray(embedding, dtype=np.float32) @ projection
    norm = np.sqrt((made**2).sum(axis=1, keepdims=True))
    return np.asarray(made / np.where(norm > 0, norm, 1), dtype=np.float32)


def neighbours_checksum(fingerprint: str, row_key: Keys, score: NDArray[np.floating]) -> str:
    """16 hex digits over featuriser, texts (by their hashes) and scores, in order.

    Not over the vectors: they follow from these, up to the last bit of another machine's sums.
    """
    digest = hashlib.sha256(fingerprint.encode())
    digest.update(np.ascontiguousarray(row_key, dtype="<u8").tobytes())
    digest.update(np.ascontiguousarray(score, dtype="<f4").tobytes())
    return digest.hexdigest()[:16]


@register
class KnnGain(UtilityPolicy):
    """A fitted rule; it decides only once its neighbours have been given to it."""

    name: ClassVar[str] = "knn-gain"
    needs: ClassVar[Needs] = Needs(features=frozenset({"embedding"}))

    fingerprint: str = Field(min_length=1)
    k: int = Field(ge=1)
    temperature: float = Field(gt=0)
    shrink: float = Field(gt=0)
    guard: float = Field(ge=0)
    """z: standard errors that are taken off the gain."""
    mean: tuple[float, ...]
    """Quality of every arm over all neighbours."""
    projection: tuple[tuple[float, ...], ...]
    source: str
    """Outcome set of the neighbours."""
    queries: tuple[tuple[str, str], ...] = Field(min_length=1)
    """Benchmark and id of every neighbour, in order."""
    checksum: str
    _neighbours: tuple[Keys, Vectors, NDArray[np.float32]] | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _fits(self) -> "KnnGain":
        if len(self.mean) != len(self.arms):
            raise ValueError(f"mean has {len(self.mean)} entries, expected {len(self.arms)}")
        return self

    @property
    def neighbours(self) -> tuple[Keys, Vectors, NDArray[np.float32]] | None:
        """What `with_neighbours` was given; None where nothing was."""
        return self._neighbours

    def with_neighbours(
        self, row_key: Keys, vectors: Vectors, score: NDArray[np.floating]
    ) -> "KnnGain":
        """The same with its table: keys (N,), projected unit vectors (N, d), scores (N, arms).

        Raises:
            PolicyError: they are not the rows that the rule was fitted on.
        """
        shapes = (len(self.queries), len(self.projection[0])), (len(self.queries), len(self.arms))
        found = neighbours_checksum(self.fingerprint, row_key, score)
        if (vectors.shape, score.shape) != shapes or found != self.checksum:
            raise PolicyError(
                f"knn-gain: these neighbours have checksum {found}, the fitted ones "
                f"{self.checksum}: run `ockham policy rebuild` on the preset"
            )
        made = self.model_copy()
        made._neighbours = (
            np.asarray(row_key, dtype=np.uint64),
            np.ascontiguousarray(vectors, dtype=np.float32),
            np.ascontiguousarray(score, dtype=np.float32),
        )
        return made

    @cached_property
    def directions(self) -> Vectors:
        """(embedding's width, d) the projection as an array."""
        return np.array(self.projection, dtype=np.float32)

    def predict(self, cases: CaseBatch) -> Floats:
        if self._neighbours is None:
            raise PolicyError(
                "knn-gain: its table of neighbours is not loaded; run `ockham policy rebuild "
                "PRESET`, which makes it from the stored outcomes"
            )
        asked = project(cases.block("embedding"), self.directions)
        parts = [self._part(asked[i : i + BLOCK]) for i in range(0, max(len(asked), 1), BLOCK)]
        return np.concatenate(parts)

    def _part(self, asked: Vectors) -> Floats:
        assert self._neighbours is not None
        _, vectors, score = self._neighbours
        cosine = asked @ vectors.T
        k = min(self.k, len(vectors))
        place = np.argpartition(cosine, len(vectors) - k, axis=1)[:, len(vectors) - k :]
        near = np.take_along_axis(cosine, place, axis=1).astype(np.float64)
        weight = np.exp((near - 1.0) / self.temperature)
        own = score[place].astype(np.float64)
        total = weight.sum(axis=1, keepdims=True) + self.shrink
        quality = (np.einsum("nk,nka->na", weight, own) + self.shrink * np.array(self.mean)) / total
        return self._guarded(quality, own, weight, total) if self.guard else quality

    def _guarded(self, quality: Floats, own: Floats, weight: Floats, total: Floats) -> Floats:
        tiers = [arm.tier for arm in self.arms]
        small = tiers.index("small") if "small" in tiers else 0
        gain = own - own[:, :, [small]]
        off = gain - (quality - quality[:, [small]])[:, None, :]
        error = np.sqrt(np.einsum("nk,nka->na", weight**2, off**2)) / total
        large = np.array([tier == "large" for tier in tiers])
        return np.asarray(quality - self.guard * error * large)
