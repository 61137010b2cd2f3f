"""The packaged encoder on onnxruntime: sentence-transformers' rows, light, side by side."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from router.errors import SetupError
from router.signals import Encoder
from router.signals.encoder import CACHED_BATCH
from router.signals.onnx_encoder import OnnxEncoder

TEXTS = [
    "What is the capital of Bhutan?",
    "",
    "   \n\t ",
    "word " * 255 + "cut",
    "a longer text about many things " * 200,
    "日本語のテキスト, naïve café, Ελληνικά, 😀👩‍👩‍👧, ﷽",
    "\x00\x01\x02 control \x1b[31m \u200b\u202e characters \x7f",
    "lone \ud800 surrogate",
    "x" * 1_000_000,
    "solve x + 12 = 20 " * 60_000,
    "[CLS] special [SEP] words [MASK] [PAD]",
    "No",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export for all tests here."""
    place = tmp_path_factory.mktemp("data")
    Encoder(data_dir=place, precision="fp32").load()
    return place


@pytest.fixture(scope="module")
def reference(data: Path) -> Encoder:
    return Encoder(data_dir=data, backend="torch")


@pytest.fixture
def encoder(data: Path) -> Encoder:
    return Encoder(data_dir=data, precision="fp32")


def test_rows_are_those_of_sentence_transformers(encoder: Encoder, reference: Encoder) -> None:
    got, expected = encoder.encode(TEXTS), reference.encode(TEXTS)
    assert (encoder.backend, reference.backend) == ("onnx", "torch")
    np.testing.assert_allclose(got, expected, atol=1e-5)
    assert (got * expected).sum(axis=1).min() >= 0.99999
    states, wanted = encoder.layers(TEXTS), reference.layers(TEXTS)
    assert states.shape == (len(TEXTS), 7, 384) and states.dtype == np.float32
    np.testing.assert_allclose(states, wanted, atol=1e-4)
    assert encoder.fingerprint == reference.fingerprint
    assert encoder.dim == reference.dim == 384
    assert encoder.count_pieces(TEXTS) == reference.count_pieces(TEXTS)


def test_encode_is_the_last_layer_normalised(encoder: Encoder) -> None:
    last = encoder.layers(TEXTS)[:, -1]
    last /= np.linalg.norm(last, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(TEXTS), last, atol=1e-6)
    assert encoder.encode([]).shape == (0, 384) and encoder.layers([]).shape == (0, 7, 384)


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_rows_keep_their_order(data: Path, threads: int | None) -> None:
    texts = [f"{i} " + "words and more " * (i * 7 % 11) for i in range(CACHED_BATCH + 30)]
    encoder = Encoder(data_dir=data, precision="fp32", threads=threads)
    expected = np.concatenate([encoder.encode([t]) for t in texts])
    np.testing.assert_allclose(encoder.encode(texts, batch_size=7), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(texts[:40]), expected[:40], atol=1e-5)
    np.testing.assert_allclose(encoder.layers(texts)[-1], encoder.layers(texts[-1:])[0], atol=1e-5)


class Counted:
    """A backend that counts the texts it is asked for."""

    name, mean_pooled, dim = "counted", True, 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def layers(self, texts: list[str], batch_size: int) -> np.ndarray:
        self.asked += texts
        return np.asarray([[[len(t), 1], [len(t), 2]] for t in texts], dtype=np.float32)

    def encode(self, texts: list[str], batch_size: int) -> np.ndarray:
        return self.layers(texts, batch_size)[:, -1]

    def count_pieces(self, texts: list[str]) -> list[int]:
        return [0 for _ in texts]


def counted(entries: int) -> tuple[Encoder, Counted]:
    encoder, backend = Encoder(cache_entries=entries), Counted()
    encoder._backend = backend
    return encoder, backend


def test_a_text_seen_lately_costs_nothing() -> None:
    encoder, backend = counted(10)
    first = encoder.encode(["a", "bb", "a"])
    assert backend.asked == ["a", "bb"]
    np.testing.assert_array_equal(first, encoder.encode(["a", "bb", "a"]))
    encoder.layers(["bb"])
    assert backend.asked == ["a", "bb"]


def test_callers_cannot_spoil_the_cache() -> None:
    encoder, _ = counted(10)
    for _ in range(2):
        states, rows = encoder.layers(["abc"]), encoder.encode(["abc"])
        assert states[0, 0, 0] == 3
        states[:], rows[:] = 7, 7


def test_the_cache_forgets_the_least_recent() -> None:
    encoder, backend = counted(2)
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.encode([text])
    assert backend.asked == ["a", "b", "c", "b"]
    assert len(encoder._states._kept) == 2


def test_bulk_work_leaves_the_cache_alone() -> None:
    encoder, backend = counted(1000)
    texts = [str(i) for i in range(CACHED_BATCH + 1)]
    encoder.encode(texts)
    encoder.layers(texts)
    assert len(backend.asked) == 2 * len(texts) and not encoder._states._kept
    off, backend = counted(0)
    assert [off.encode(["a"]).shape for _ in range(2)] == [(1, 2), (1, 2)]
    assert backend.asked == ["a", "a"]


def test_encoding_imports_nothing_heavy(data: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from router.signals import Encoder; "
        f"Encoder(data_dir=Path({str(data)!r}), precision='fp32').encode(['one', 'two words']); "
        "bad = {'torch', 'sentence_transformers', 'transformers', 'onnx'} & set(sys.modules); "
        "assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done.stderr


def test_encoding_calls_nobody_home(data: Path, tmp_path: Path) -> None:
    """onnxruntime keeps the usage events that it would send in the user's home."""
    code = "from router.signals.encoder import Encoder; Encoder().encode(['What is 12 * 7?'])"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "XDG_"))}
    home = {**env, "HOME": str(tmp_path), "OCKHAM_DATA_DIR": str(data)}
    subprocess.run([sys.executable, "-c", code], check=True, env=home)
    assert list(tmp_path.iterdir()) == []


def test_two_threads_encode_at_once(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["What is the capital of Peru?", "hello"]
    expected = [Encoder(data_dir=encoder._data_dir, precision="fp32").encode([t]) for t in texts]
    both, run = threading.Barrier(2), OnnxEncoder._run

    def meet(self: OnnxEncoder, pieces: Any) -> np.ndarray:
        both.wait(timeout=20)  # breaks, and so fails, where a lock lets only one in
        return run(self, pieces)

    monkeypatch.setattr(OnnxEncoder, "_run", meet)
    got: dict[int, np.ndarray] = {}

    def work(i: int) -> None:
        got[i] = encoder.encode([texts[i]])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, rows in enumerate(expected):
        np.testing.assert_allclose(got[i], rows, atol=1e-5)


def test_int8_is_near_and_another_encoder(data: Path, encoder: Encoder) -> None:
    rough = Encoder(data_dir=data, precision="int8")
    cosines = (rough.encode(TEXTS) * encoder.encode(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.99 and rough.fingerprint == f"{encoder.fingerprint}-int8"
    alone = np.concatenate([rough.encode([t]) for t in TEXTS[:3]])
    np.testing.assert_allclose(rough.encode(TEXTS)[:3], alone, atol=1e-5)
    exports = sorted(p.name for p in (data / "models").iterdir() if p.is_dir())
    assert exports == [
        "all-MiniLM-L6-v2",
        "all-MiniLM-L6-v2-onnx",
        "all-MiniLM-L6-v2-onnx-int8",
    ]


def test_onnx_cannot_be_had_for_a_hub_name(data: Path) -> None:
    with pytest.raises(SetupError, match="name on the hub"):
        Encoder("some/model", data, backend="onnx").load()
