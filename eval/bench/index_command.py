"""`ockham bench index`."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.bench.index import Measured

__all__ = ["index"]


def index(
    size: Annotated[int, typer.Option(min=1, help="Passages in the index.")] = 100_000,
    real: Annotated[
        int, typer.Option(min=1, help="Real passages; a larger index is resampled from them.")
    ] = 100_000,
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
    queries: Annotated[int, typer.Option(min=2, help="Questions a run.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Opening and searching an index: time, memory and recall, beside faiss and bm25s alone."""
    from eval.bench.clock import load_average
    from eval.bench.index import bench_index
    from eval.bench.index_build import built
    from router.paths import data_dir
    from router.signals.encoder import Encoder

    path, seconds = built(data_dir() / "bench", size, real, Encoder())
    before = load_average()
    found = bench_index(path, runs, queries)
    after = load_average()
    rows = "real" if size <= real else f"resampled from {real:,} real ones"
    if as_json:
        body = {
            "runs": runs, "queries": queries, "rows": rows, "load": [before, after],
            "search_files_s": seconds, **json.loads(found.as_json()),
        }  # fmt: skip
        sys.stdout.write(json.dumps(body) + "\n")
        return
    title = (
        f"{found.size:,} passages, {rows}; {runs} runs of {queries} questions; load {before} "
        f"before, {after} after"
    )
    sys.stdout.write("\n".join([title, *_lines(found, seconds)]) + "\n")


def _lines(found: "Measured", seconds: float) -> list[str]:
    timed = [
        f"{t.name:16} p50 {t.p50:7.2f} ms   p95 {t.p95:7.2f} ms   processor p50 {t.cpu_p50:7.2f} ms"
        for t in found.timed
    ]
    return [
        f"open             {found.open_s:.3f} s, then the first search {found.first_ms:.0f} ms "
        f"(the encoder loads in {found.encoder_s:.2f} s)",
        *timed,
        f"dense search ({found.kind}) recall@5 against exact search {found.recall:.4f}; BM25 "
        f"scores equal to bm25s's for {found.same_words:.1%} of the questions",
        f"memory           {found.rss_mib:.0f} MiB resident, {found.grown_mib:.0f} of them the "
        f"index's own; {found.disk_mib:.0f} MiB on disk, mapped",
        f"search files     made in {seconds:.0f} s, embedding apart",
    ]
