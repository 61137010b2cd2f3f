"""Twins among texts: near-duplicates, shared openings, and overlap with listed prompts.

Texts are compared by their words (case, punctuation and layout do not count). What many
texts share, such as a prompt's frame or "which of the following is", is no evidence of
anything and is cut away first; what is left is a text's *core*. Then

- `near_duplicates`: MinHash over word 3-grams proposes pairs (datasketch), the edit
  similarity of the cores decides (rapidfuzz);
- `same_openings`: the question without its options begins alike. It finds MMLU's question
  in MMLU-Pro, where ten options in place of four hide it from whole-text similarity;
- `overlap`: share of a text's word n-grams that stand in a list of prompts (13 words, as
  lm-evaluation-harness counts contamination; the method goes back to GPT-3's appendix C).

Not covered: paraphrase and translation (that takes embeddings), texts without spaces between
words (only their exact copies are found), and pairs of less than half their 3-grams in
common, which MinHash may miss.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

__all__ = [
    "Pair",
    "clusters",
    "near_duplicates",
    "normalise",
    "overlap",
    "same_openings",
    "stem",
]

SHINGLE = 3  # words a MinHash shingle: one changed word in twenty leaves 0.7 of them
FRAME = 5  # words a frame piece: long enough that chance does not repeat it in many texts
FRAME_COUNT, FRAME_SHARE = 50, 0.002  # a piece in more texts than both is frame
BANDS, ROWS = 21, 3  # 0.94 of pairs at Jaccard 0.5 are proposed, 0.996 at 0.6
EXACT_BELOW = 30  # characters; in a shorter text one changed number is another question
OPENING, SHORTEST = 60, 20  # characters compared; shorter stems say too little

_NOT_WORD = re.compile(r"[\W_]+")
_OPTIONS = re.compile(r"\n\s*\(?A[.)]\s|\nChoices: ")


class Pair(NamedTuple):
    """Two texts alike: place in the first list, in the second, similarity 0..1."""

    i: int
    j: int
    similarity: float


def normalise(text: str) -> str:
    """Lower-case words parted by one blank; compatibility forms folded (NFKC)."""
    return _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()


def stem(text: str) -> str:
    """A multiple-choice question without its options; any other text as it is."""
    return _OPTIONS.split(text, maxsplit=1)[0]


def near_duplicates(
    texts_a: Sequence[str], texts_b: Sequence[str] | None = None, threshold: float = 0.9
) -> list[Pair]:
    """Pairs across two lists, or within one (then i < j), at least `threshold` alike.

    Of copies with one core, the first stands for all: within one list the others are paired
    with it alone, across two lists each text of the first is paired with the first copy in
    the second. So ten thousand copies are ten thousand pairs, not fifty million.
    """
    cores = _cores([*texts_a, *(texts_b or ())])
    left, right = cores[: len(texts_a)], cores[len(texts_a) :]
    first = _first_places(left)
    if texts_b is None:
        found = [Pair(first[c], k, 1.0) for k, c in enumerate(left) if c and first[c] != k]
        for a, b, similarity in _alike(list(first), None, threshold):
            found.append(Pair(first[a], first[b], similarity))
        return sorted(found)
    other = _first_places(right)
    twins: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for a, b, similarity in _alike(list(first), list(other), threshold):
        twins[a].append((other[b], similarity))
    return sorted(Pair(i, j, s) for i, core in enumerate(left) for j, s in twins[core])


def same_openings(
    texts_a: Sequence[str],
    texts_b: Sequence[str] | None = None,
    chars: int = OPENING,
    shortest: int = SHORTEST,
) -> list[Pair]:
    """Pairs whose stems begin alike: the first `chars` characters of the core, or all of it.

    Each text of the first list is paired once, with the first text of its opening (within
    one list: the first of the group); that is enough for counts and clusters. Similarity is
    that of the whole stems.
    """
    from rapidfuzz.fuzz import ratio

    # A stem that is nothing but frame ("which of these is true") opens like every other one.
    cores = _cores([stem(t) for t in (*texts_a, *(texts_b or ()))], whole=False)
    split = len(texts_a)
    first: dict[str, int] = {}
    indexed = range(split) if texts_b is None else range(split, len(cores))
    for j in indexed:
        if len(cores[j]) >= shortest:
            first.setdefault(cores[j][:chars], j)
    found = []
    for i in range(split):
        j = first.get(cores[i][:chars], i) if len(cores[i]) >= shortest else i
        if j == i:
            continue
        similarity = ratio(cores[i], cores[j]) / 100
        low, high = (min(i, j), max(i, j)) if texts_b is None else (i, j - split)
        found.append(Pair(low, high, similarity))
    return sorted(found)


def clusters(size: int, pairs: Iterable[Pair]) -> list[int]:
    """A cluster number for each of `size` texts: the smallest member of its component.

    Pairs must come from one list; twins of twins fall together.
    """
    parent = list(range(size))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for pair in pairs:
        a, b = root(pair.i), root(pair.j)
        parent[max(a, b)] = min(a, b)
    return [root(k) for k in range(size)]


def overlap(texts: Sequence[str], prompts: Iterable[str], words: int = 13) -> list[float]:
    """For each text, the share of its word n-grams that stand in any of the prompts.

    A text of fewer words than `words` counts as one gram, and matches only a prompt that
    is equal to it.
    """
    listed: set[tuple[str, ...]] = set()
    for prompt in prompts:
        listed.update(_grams(normalise(prompt).split(), words))
    shares = []
    for text in texts:
        grams = _grams(normalise(text).split(), words)
        shares.append(sum(g in listed for g in grams) / len(grams) if grams else 0.0)
    return shares


def _grams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    if not tokens:
        return []
    return [tuple(tokens[k : k + n]) for k in range(max(1, len(tokens) - n + 1))]


def _cores(texts: Sequence[str], whole: bool = True) -> list[str]:
    """Normalised texts without what many different ones share.

    `whole`: a text of which nothing would be left stays whole (its copies must be found).
    """
    plain = [normalise(t) for t in texts]
    seen: Counter[tuple[str, ...]] = Counter()
    for text in set(plain):  # copies of one text are twins, not a frame
        seen.update(set(_grams(text.split(), FRAME)))
    limit = max(FRAME_COUNT, FRAME_SHARE * len(plain))
    frame = {gram for gram, count in seen.items() if count > limit}
    if not frame:
        return plain
    return [_without(text, frame) or (text if whole else "") for text in plain]


def _without(text: str, frame: set[tuple[str, ...]]) -> str:
    tokens = text.split()
    keep = [False] * len(tokens)
    for k, gram in enumerate(_grams(tokens, FRAME)):
        if gram not in frame:
            keep[k : k + FRAME] = [True] * min(FRAME, len(tokens) - k)
    return " ".join(t for t, kept in zip(tokens, keep, strict=True) if kept)


def _first_places(cores: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for k, core in enumerate(cores):
        if core:
            places.setdefault(core, k)
    return places


def _alike(
    left: Sequence[str], right: Sequence[str] | None, threshold: float
) -> Iterator[tuple[str, str, float]]:
    """Different places of `left` x `right` (or of `left` alone, in order) that are alike."""
    from datasketch import MinHashLSH
    from rapidfuzz.fuzz import ratio

    index = MinHashLSH(params=(BANDS, ROWS), num_perm=BANDS * ROWS)
    target = left if right is None else right
    hashes = _hashes(target)
    for k, minhash in enumerate(hashes):
        index.insert(k, minhash)
    for i, minhash in enumerate(hashes if right is None else _hashes(left)):
        for j in sorted(index.query(minhash)):
            a, b = left[i], target[j]
            if (right is None and j <= i) or (a != b and min(len(a), len(b)) < EXACT_BELOW):
                continue
            # The cut-off only saves time; a hair lower, or rounding loses pairs at the threshold.
            similarity = ratio(a, b, score_cutoff=100 * threshold - 0.001) / 100
            if similarity > 0 and similarity >= threshold:
                yield a, b, similarity


def _hashes(cores: Sequence[str]) -> list[Any]:
    from zlib import crc32

    from datasketch import MinHash

    grams = ([" ".join(g).encode() for g in _grams(c.split(), SHINGLE)] for c in cores)
    hashes: list[Any] = MinHash.bulk(grams, num_perm=BANDS * ROWS, seed=1, hashfunc=crc32)
    return hashes
