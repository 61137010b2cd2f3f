"""Hashed text: the same numbers on every machine, and any text whatsoever."""

import os
import subprocess
import sys

import numpy as np
import pytest

from router.signals.terms import BUCKETS, PADDING, WORDS_READ, terms


def test_words_then_pairs_of_words_as_known_numbers():
    # CRC-32 modulo 2**18 of b"one", b"two", b"one two"
    assert terms(["One two"]).tolist() == [[ONE, TWO, ONE_TWO]]


ONE, TWO, ONE_TWO = 0x7A6C86F1 % BUCKETS, 0x11CA8A66 % BUCKETS, 0xCD07892F % BUCKETS


def test_shorter_rows_are_padded_and_repeats_kept():
    made = terms(["one", "one two", "one one"])
    assert made.dtype == np.int32
    assert made[0].tolist() == [ONE, PADDING, PADDING]
    assert made[2, :2].tolist() == [ONE, ONE]
    assert made[2, 2] not in (PADDING, ONE)


@pytest.mark.parametrize("text", ["", "   ", "?!...", "\n"])
def test_a_text_without_words_is_one_column_of_padding(text):
    assert terms([text]).tolist() == [[PADDING]]


def test_no_texts_are_no_rows():
    assert terms([]).shape == (0, 1)


def test_case_and_punctuation_do_not_count_and_order_does():
    assert terms(["One, TWO!"]).tolist() == terms(["one two"]).tolist()
    assert terms(["two one"]).tolist() != terms(["one two"]).tolist()


def test_any_text_gives_buckets_in_range():
    texts = ["\ud800 lone \udfff", "\x00 nul", "ünïcödé 漢字 العربية", "🎲 dice", "a" * 1_000_000]
    made = terms(texts)
    used = made[made != PADDING]
    assert used.min() >= 0 and used.max() < BUCKETS


def test_a_megabyte_is_cut():
    made = terms(["word " * 200_000])
    assert made.shape == (1, 2 * WORDS_READ - 1)
    assert terms(["word " * 200_000 + "end"]).tolist() == made.tolist()


def test_a_row_is_the_same_alone_and_in_a_batch():
    texts = ["one", "one two three", "", "two two"]
    together = terms(texts)
    for text, row in zip(texts, together, strict=True):
        alone = terms([text])[0]
        assert alone[alone != PADDING].tolist() == row[row != PADDING].tolist()


def test_another_process_with_another_hash_seed_agrees():
    code = (
        "from router.signals.terms import terms; print(terms(['The cat sat on 3 mats']).tolist())"
    )
    prints = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert prints == [str(terms(["The cat sat on 3 mats"]).tolist())] * 2
