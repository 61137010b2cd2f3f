"""The picture of a soak: memory, and files, threads and tasks over time. Lengths are points."""

from eval.bench.soak import Soak
from eval.report.canvas import canvas, looks, png, title
from eval.report.style import FAINT, FREE

__all__ = ["picture"]

LEFT, WIDE, RIGHT, BOTTOM, HIGH, GAP, TOP = 48.0, 480.0, 14.0, 40.0, 150.0, 22.0, 46.0


def picture(soak: Soak) -> bytes:
    """The PNG's bytes."""
    minutes = [s.seconds / 60 for s in soak.samples]
    slope = soak.slope
    boxes = [(LEFT, BOTTOM + HIGH + GAP, WIDE, HIGH), (LEFT, BOTTOM, WIDE, HIGH)]
    with looks():
        figure, (memory, counts) = canvas(LEFT + WIDE + RIGHT, BOTTOM + 2 * HIGH + GAP + TOP, boxes)
        memory.plot(minutes, [s.rss_mib for s in soak.samples], linewidth=1, color=FREE[2])
        memory.axvspan(0, soak.warm_up_s / 60, color=FAINT, alpha=0.4, label="warm-up")
        memory.set_ylabel("MiB resident")
        memory.legend(frameon=False, loc="lower right")
        for colour, what in zip(FREE, ("files", "threads", "tasks"), strict=False):
            values = [getattr(s, what) for s in soak.samples]
            if any(v is not None for v in values):
                counts.plot(minutes, values, label=what, linewidth=1, color=colour)
        counts.set_ylabel("open")
        counts.set_xlabel("minutes")
        counts.legend(frameon=False, loc="lower right")
        for axes in (memory, counts):
            axes.set_ylim(bottom=0)
        title(
            figure,
            f"Memory after the warm-up: {slope.mib_h:+.1f} MiB an hour",
            f"95 % interval [{slope.low:+.1f}, {slope.high:+.1f}], {slope.n} samples",
        )
        return png(figure)
