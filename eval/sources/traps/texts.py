"""Texts that stand twice, stand elsewhere, were trained on, or may not stand here at all."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from eval.contamination import (
    Pair,
    clusters,
    near_duplicates,
    normalise,
    overlap,
    same_openings,
)
from eval.sources.labels import UnknownBenchmark, label_of
from eval.sources.traps.finding import Finding, listed, some
from policies.outcome import OutcomeSet

__all__ = ["contaminated_queries", "duplicate_texts", "overlaps", "private_texts", "twins"]

CONTAMINATED = "|contaminated"  # how a source marks it, in the subject
ALIKE = 0.6  # of two stems with one opening; below, the opening is a frame
LISTED = 0.5  # share of 13-grams in the list from which a query counts as contaminated
PRIVATE = ("gpqa",)  # benchmarks whose authors ask that no text be published


def _with_texts(data: OutcomeSet) -> pl.DataFrame:
    return data.queries.filter(pl.col("query").str.strip_chars().str.len_chars() > 0)


def _rows(data: OutcomeSet, queries: pl.DataFrame) -> int:
    return data.outcomes.join(queries, on=["benchmark", "query_id"], how="semi").height


def private_texts(data: OutcomeSet) -> Iterator[Finding]:
    """GPQA questions in plain text."""
    label = pl.concat_str(["source", "benchmark", "query_id"], separator=" ").str.to_lowercase()
    bad = _with_texts(data).filter(label.str.contains_any(list(PRIVATE)))
    if len(bad):
        yield Finding(
            code="private_text",
            severity="error",
            message=f"{len(bad)} GPQA questions stand here in plain text",
            rows=_rows(data, bad),
            queries=len(bad),
            examples=some(bad["query_id"].to_list()),
            advice="keep query_hash and set query and gold to null: the authors ask that the "
            "questions not be published",
        )


def duplicate_texts(data: OutcomeSet) -> Iterator[Finding]:
    """The same text under several ids that cluster_id does not join, by benchmark."""
    queries = _with_texts(data)
    groups: dict[str, list[int]] = {}
    for k, text in enumerate(queries["query"]):
        groups.setdefault(normalise(text), []).append(k)
    cluster = queries["cluster_id"].to_list()
    many = [places for places in groups.values() if len({cluster[k] for k in places}) > 1]
    if many:
        bad = queries[sorted(k for places in many for k in places)]
        names = bad["benchmark"].value_counts(sort=True)
        by = listed(f"{b} {n}" for b, n in names.iter_rows())
        yield Finding(
            code="duplicate_texts",
            severity="warning",
            message=f"{len(many)} texts stand under {len(bad)} different ids ({by})",
            rows=_rows(data, bad),
            queries=len(bad),
            examples=some(bad["query_id"].to_list()),
            advice="give the copies one cluster_id, or an interval and a hold-out count them "
            "as independent",
        )


def twins(data: OutcomeSet) -> Iterator[Finding]:
    """Near-duplicates within the table that have different clusters, and across families."""
    queries = _with_texts(data)
    pairs = near_duplicates(queries["query"].to_list())
    own = queries["cluster_id"].to_list()
    apart = [p for p in pairs if own[p.i] != own[p.j]]
    if not apart:
        return
    groups = Counter(clusters(len(queries), apart))
    bad = queries[_places(apart)]
    yield Finding(
        code="near_duplicates",
        severity="warning",
        message=f"{len(bad)} queries are near-duplicates of another one, in "
        f"{sum(n > 1 for n in groups.values())} clusters that cluster_id does not join",
        rows=_rows(data, bad),
        queries=len(bad),
        examples=tuple(f"{a} ~ {b}" for a, b in _ids(queries, apart)),
        advice="join them in cluster_id before folds and bootstraps "
        "(eval.contamination.clusters gives the numbers)",
    )
    families = [_family(b, s) for b, s in queries.select("benchmark", "subject").iter_rows()]
    across = [p for p in apart if families[p.i] != families[p.j]]
    if across:
        names = sorted({" and ".join(sorted((families[p.i], families[p.j]))) for p in across})
        bad = queries[_places(across)]
        yield Finding(
            code="family_overlap",
            severity="warning",
            message=f"{len(bad)} queries have a twin in another family ({listed(names)})",
            rows=_rows(data, bad),
            queries=len(bad),
            examples=tuple(f"{a} ~ {b}" for a, b in _ids(queries, across)),
            advice="a held-out family then has twins in training: take them out first",
        )


def overlaps(data: OutcomeSet, others: Mapping[str, OutcomeSet]) -> Iterator[Finding]:
    """Queries with a twin in another set: one opening, or near-duplicate texts.

    One finding a pair of benchmarks. Found by text alone: ids need not agree.
    """
    ours = _with_texts(data)
    for name, other in others.items():
        theirs = _with_texts(other)
        a, b = ours["query"].to_list(), theirs["query"].to_list()
        opened = [p for p in same_openings(a, b) if p.similarity >= ALIKE]
        here, there = ours["benchmark"].to_list(), theirs["benchmark"].to_list()
        met: dict[tuple[str, str], dict[int, Pair]] = {}
        for pair in (*opened, *near_duplicates(a, b)):
            met.setdefault((here[pair.i], there[pair.j]), {}).setdefault(pair.i, pair)
        for (mine, its), found in sorted(met.items(), key=lambda item: -len(item[1])):
            bad = ours[sorted(found)]
            total = here.count(mine)
            yield Finding(
                code="set_overlap",
                severity="warning",
                message=f"{len(bad)} of {total} queries of {mine} have a twin in {name}'s {its}",
                rows=_rows(data, bad),
                queries=len(bad),
                examples=some(
                    [f"{ours['query_id'][p.i]} ~ {theirs['query_id'][p.j]}" for p in found.values()]
                ),
                advice=f"take them out of one side before anything is fitted on {name} and "
                "scored here, or the reverse",
            )


def contaminated_queries(data: OutcomeSet, prompts: Sequence[str]) -> Iterator[Finding]:
    """Queries marked as contaminated in their subject, and queries that a given list holds."""
    marked = data.queries.filter(pl.col("subject").str.contains(CONTAMINATED, literal=True))
    if len(marked):
        by = marked["benchmark"].value_counts(sort=True)
        yield Finding(
            code="contaminated_marked",
            severity="warning",
            message=f"{len(marked)} queries are marked as contaminated in their subject: "
            f"{listed(f'{b} {n}' for b, n in by.iter_rows())}",
            rows=_rows(data, marked),
            queries=len(marked),
            examples=some(marked["query_id"].to_list()),
            advice="the source's own figures drop them: drop them too, and say so",
        )
    if not prompts:
        return
    queries = _with_texts(data)
    whole = {normalise(p) for p in prompts}
    shares = overlap(queries["query"].to_list(), prompts)
    same = [normalise(text) in whole for text in queries["query"]]
    hit = [a or share >= LISTED for a, share in zip(same, shares, strict=True)]
    bad = queries.filter(pl.Series(hit, dtype=pl.Boolean))
    if len(bad):
        yield Finding(
            code="contaminated_listed",
            severity="warning",
            message=f"{sum(same)} queries are among the {len(whole)} prompts listed as "
            f"contaminated, {len(bad) - sum(same)} more share half of their 13-grams with them",
            rows=_rows(data, bad),
            queries=len(bad),
            examples=some(bad["query_id"].to_list()),
            advice="drop them from every comparison, and say so",
        )


def _places(pairs: Sequence[Pair]) -> list[int]:
    return sorted({k for p in pairs for k in (p.i, p.j)})


def _ids(queries: pl.DataFrame, pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    ids = queries["query_id"].to_list()
    return [(ids[p.i], ids[p.j]) for p in pairs[:5]]


def _family(benchmark: str, subject: str | None) -> str:
    try:
        return label_of(benchmark, subject).family
    except UnknownBenchmark:
        return benchmark  # a user's own table: each benchmark is a family of its own
