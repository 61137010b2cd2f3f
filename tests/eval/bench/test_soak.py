"""A soak's verdict: noise is flat, a leak is found, and the first third does not count."""

import numpy as np

from eval.bench.soak import Sample, Slope, Soak, slope_of
from eval.bench.soak_plot import picture

HOUR = 3600.0


def samples(leak_mib_h=0.0, files=lambda i: 40, n=300):
    noise = np.convolve(np.random.default_rng(0).normal(0, 1, n), [0.5, 0.3, 0.2], mode="same")
    at = np.linspace(0, HOUR, n)
    warm = np.minimum(at / (HOUR / 3), 1) * 80
    return [
        Sample(float(t), float(400 + w + e + leak_mib_h * t / HOUR), files(i), 10, None)
        for i, (t, w, e) in enumerate(zip(at, warm, noise, strict=True))
    ]


def soak(made, **outcomes):
    return Soak(made, HOUR / 3, slope_of(made, HOUR / 3), outcomes or {"answered": 9})


def test_a_warm_up_and_noise_are_flat():
    assert soak(samples()).faults == []


def test_a_leak_is_found_and_its_size_is_right():
    came = soak(samples(leak_mib_h=60))
    assert came.slope.low < 60 < came.slope.high and came.slope.low > 50
    assert len(came.faults) == 1 and "memory grows" in came.faults[0]


def test_files_that_are_never_closed_are_found():
    assert soak(samples(files=lambda i: 40 + i)).faults == [
        "files grow: 239 before, 320 at the end"
    ]


def test_a_bad_reply_is_a_fault():
    assert soak(samples(), **{"BAD x": 2}).faults == ["2 x BAD x"]


def test_the_picture():
    made = picture(Soak(samples(), 1200.0, Slope(0, -1, 1, 9), {}))
    assert made.startswith(b"\x89PNG")
