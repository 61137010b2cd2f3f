"""When a model is left out, and for how long."""

import time

from router.models.breaker import FIRST_S, RECENT, RETRY_S, Breaker


def now():
    return time.perf_counter()


def test_so_many_in_a_row():
    one = Breaker(3)
    assert [one.failed(now()) for _ in range(3)] == [False, False, True]


def test_a_success_starts_the_count_again():
    one = Breaker(2)
    assert not one.failed(now())
    one.succeeded(now())
    assert not one.failed(now())


def test_most_of_the_recent_calls():
    one, out = Breaker(3), []
    for i in range(2 * RECENT):
        if i % 3 == 0:
            one.succeeded(now())
        else:
            out.append(one.failed(now()))
    assert any(out) and not any(out[: RECENT // 2])


def test_half_of_them_is_not_most():
    one = Breaker(3)
    for _ in range(RECENT):
        one.succeeded(now())
        assert not one.failed(now())


def test_the_pause_grows_and_a_success_resets_it():
    one = Breaker(1)
    pauses = [one.open() for _ in range(6)]
    assert pauses[0] == FIRST_S and pauses[-1] == RETRY_S and pauses == sorted(pauses)
    one.close(probed=True)
    one.succeeded(now())
    assert one.open() == FIRST_S


def test_a_call_from_before_the_pause_says_nothing_of_what_came_after():
    one, began = Breaker(1), now()
    one.open()
    one.close(probed=False)
    assert not one.failed(began, gone=True)
    one.succeeded(began)
    assert one.failed(now()), "still on trial"


def test_a_probe_is_the_trial():
    one = Breaker(3)
    one.open()
    one.close(probed=True)
    assert not one.failed(now())
