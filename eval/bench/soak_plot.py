"""The picture of a soak: memory, files, threads and tasks over time."""

from pathlib import Path

from eval.bench.soak import Soak

__all__ = ["plot"]


def plot(soak: Soak, path: Path) -> None:
    """Write a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    minutes = [s.seconds / 60 for s in soak.samples]
    figure, (memory, counts) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 6))
    memory.plot(minutes, [s.rss_mib for s in soak.samples], linewidth=1)
    memory.axvspan(0, soak.warm_up_s / 60, color="0.9", label="warm-up")
    slope = soak.slope
    memory.set_title(
        f"resident memory: {slope.mib_h:+.1f} MiB an hour [{slope.low:+.1f}, {slope.high:+.1f}] "
        "after the warm-up"
    )
    memory.set_ylabel("MiB")
    memory.set_ylim(bottom=0)
    memory.legend()
    for what in ("files", "threads", "tasks"):
        values = [getattr(s, what) for s in soak.samples]
        if any(v is not None for v in values):
            counts.plot(minutes, values, label=what, linewidth=1)
    counts.set_ylim(bottom=0)
    counts.set_xlabel("minutes")
    counts.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
