"""Exports: made once, repaired, never half written, refused with the reason."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from router.errors import SetupError
from router.signals import Encoder, onnx_export
from router.signals.onnx_encoder import OnnxEncoder
from router.signals.onnx_export import Unsupported, ensure_export, read_export
from router.signals.onnx_graph import BertShape, tensor_shapes

SHAPE = BertShape(
    layers=2, heads=4, dim=64, inner=96, words=40, positions=20, types=2, epsilon=1e-6
)
WORDS = ("what", "is", "the", "capital", "of", "bhutan", "solve", "x", "one", "two", "three")


def put(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def change(path: Path, **changes: Any) -> None:
    put(path, {**json.loads(path.read_text()), **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny random BERT, other in every number than the packaged one."""
    root = tmp_path / "tiny [1]"
    root.mkdir()
    rng = np.random.default_rng(0)
    tensors = {
        f"bert.{name}": rng.normal(0, 0.3, size).astype(np.float32)
        for name, size in tensor_shapes(SHAPE).items()
    }
    save_file(tensors, root / "model.safetensors", metadata={"format": "pt"})
    put(
        root / "config.json",
        {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "hidden_act": "gelu",
            "num_hidden_layers": SHAPE.layers,
            "num_attention_heads": SHAPE.heads,
            "hidden_size": SHAPE.dim,
            "intermediate_size": SHAPE.inner,
            "vocab_size": SHAPE.words,
            "max_position_embeddings": SHAPE.positions,
            "type_vocab_size": SHAPE.types,
            "layer_norm_eps": SHAPE.epsilon,
            "pad_token_id": 0,
        },
    )
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling")]
    put(
        root / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, path) in enumerate(kinds)
        ],
    )
    put(root / "1_Pooling/config.json", {"embedding_dimension": 64, "pooling_mode": "mean"})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(root / "tokenizer.json"))
    names = {f"{n}_token": f"[{n.upper()}]" for n in ("pad", "cls", "sep", "unk")}
    kind = "PreTrainedTokenizerFast"
    put(root / "tokenizer_config.json", {"tokenizer_class": kind, "model_max_length": 12, **names})
    return root


def folders(place: Path) -> list[str]:
    return sorted(p.name for p in place.iterdir() if p.is_dir())


def test_another_bert_agrees_with_sentence_transformers(folder: Path, tmp_path: Path) -> None:
    fast = Encoder(str(folder), tmp_path / "data", backend="onnx")
    slow = Encoder(str(folder), tmp_path / "data", backend="torch")
    texts = ["what is the capital", "", "solve x " * 20, "two", "unknown words"]
    np.testing.assert_allclose(fast.encode(texts), slow.encode(texts), atol=1e-5)
    np.testing.assert_allclose(fast.layers(texts), slow.layers(texts), atol=1e-4)
    assert fast.layers(texts).shape == (5, 3, 64)
    assert (fast.backend, slow.backend) == ("onnx", "torch")
    assert fast.fingerprint == slow.fingerprint
    assert fast.count_pieces(texts) == slow.count_pieces(texts) == [6, 2, 42, 3, 4]


def test_another_pooling_stays_on_torch(folder: Path, tmp_path: Path) -> None:
    put(folder / "1_Pooling/config.json", {"embedding_dimension": 64, "pooling_mode": "cls"})
    encoder = Encoder(str(folder), tmp_path / "data")
    rows = encoder.encode(["one", "two", "one"])
    assert encoder.backend == "torch" and "pools by cls" in encoder.backend_reason
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(rows[0], rows[2])
    assert encoder.layers([]).shape == (0, 3, 64) and encoder.layers(["one"]).shape == (1, 3, 64)
    with pytest.raises(SetupError, match="pools by cls"):
        Encoder(str(folder), tmp_path / "data", backend="onnx").load()
    with pytest.raises(SetupError, match="pools by cls"):
        Encoder(str(folder), tmp_path / "data", precision="int8").load()


def test_is_made_once(folder: Path, tmp_path: Path) -> None:
    made = ensure_export(tmp_path / "out", lambda: folder, "a")
    before = made.graph.stat().st_ino
    again = ensure_export(tmp_path / "out", lambda: pytest.fail("not needed"), "a")
    assert again == made and made.graph.stat().st_ino == before
    assert (made.max_tokens, made.states, made.dim) == (12, 3, 64)


@pytest.mark.parametrize(
    "damage", ["truncated", "flipped", "gone", "tokenizer", "manifest", "old", "foreign", "int8"]
)
def test_a_wrong_export_is_made_anew(
    folder: Path, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out/export"
    if damage == "old":
        monkeypatch.setattr(onnx_export, "EXPORT_VERSION", 0)
    source, precision = "b" if damage == "foreign" else "a", "fp32"
    made = ensure_export(target, lambda: folder, source, "int8" if damage == "int8" else precision)
    monkeypatch.undo()
    body = made.graph.read_bytes()
    if damage == "truncated":
        made.graph.write_bytes(body[:-100])
    elif damage == "flipped":
        made.graph.write_bytes(body[:5000] + bytes([body[5000] ^ 1]) + body[5001:])
    elif damage == "gone":
        made.graph.unlink()
    elif damage == "tokenizer":
        made.tokenizer.write_text("{}")
    elif damage == "manifest":
        (target / "manifest.json").write_text("[")
    assert read_export(target, "a") is None
    OnnxEncoder(ensure_export(target, lambda: folder, "a")).encode(["one"])
    assert read_export(target, "a") is not None
    assert folders(target.parent) == ["export"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk full")])
def test_an_interrupted_export_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def half(model: object, path: str) -> None:
        Path(path).write_bytes(b"half")
        raise error

    monkeypatch.setattr("onnx.save", half)
    expected = SetupError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        ensure_export(tmp_path / "out/export", lambda: folder, "a")
    assert folders(tmp_path / "out") == []


def test_what_a_killed_process_left_is_removed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out/.export~killed/new").mkdir(parents=True)
    ensure_export(tmp_path / "out/export", lambda: folder, "a")
    assert folders(tmp_path / "out") == ["export"]


def test_several_at_once_make_it_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    write = onnx_export._write

    def counted(plan: Any, work: Path, *rest: Any) -> None:
        written.append(work)
        write(plan, work, *rest)

    monkeypatch.setattr(onnx_export, "_write", counted)
    threads = [
        threading.Thread(target=ensure_export, args=(tmp_path / "out", lambda: folder, "a"))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1 and read_export(tmp_path / "out", "a") is not None


@pytest.mark.parametrize(
    ("file", "changes", "reason"),
    [
        ("config.json", {"model_type": "mpnet"}, "mpnet"),
        ("config.json", {"hidden_act": "gelu_new"}, "GELU"),
        ("config.json", {"position_embedding_type": "relative_key"}, "relative_key"),
        ("config.json", {"is_decoder": True}, "decoder"),
        ("config.json", {"hidden_size": None}, "incomplete"),
        ("config.json", {"vocab_size": 41}, "another shape"),
        ("config.json", {"num_hidden_layers": 3}, "no encoder.layer.2"),
        ("config.json", {"num_hidden_layers": 1}, "parts that BERT has not"),
        ("config_sentence_transformers.json", {"default_prompt_name": "q"}, "prompt"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "lower-cases"),
        ("1_Pooling/config.json", {"pooling_mode": ["mean", "max"]}, "pools by"),
    ],
)
def test_what_cannot_be_exported_says_why(
    folder: Path, tmp_path: Path, file: str, changes: dict[str, Any], reason: str
) -> None:
    if not (folder / file).exists():
        put(folder / file, {})
    change(folder / file, **changes)
    with pytest.raises(Unsupported, match=reason):
        ensure_export(tmp_path / "out", lambda: folder, "a")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["modules.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_says_which(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(Unsupported, match=name):
        ensure_export(tmp_path / "out", lambda: folder, "a")


def test_half_precision_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    sizes = tensor_shapes(SHAPE).items()
    save_file({n: np.zeros(s, np.float16) for n, s in sizes}, folder / "model.safetensors")
    with pytest.raises(Unsupported, match="not float32"):
        ensure_export(tmp_path / "out", lambda: folder, "a")


def test_a_place_that_cannot_be_written_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    with pytest.raises(SetupError, match="OCKHAM_DATA_DIR"):
        ensure_export(tmp_path / "out/export", lambda: folder, "a")


def test_an_export_that_will_not_open_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    made = ensure_export(tmp_path / "out", lambda: folder, "a")
    made.graph.write_bytes(b"no graph")
    with pytest.raises(SetupError, match="make setup"):
        OnnxEncoder(made)
