"""A sentence-transformers folder, exported once for onnxruntime.

The export is a folder of its own: the graph (`router.signals.onnx_graph`), the tokenizer and
a manifest with the source's fingerprint, `EXPORT_VERSION` and a checksum of each file.
`ensure_export` returns it when all of that holds; else it is made anew, under a file lock, in
a temporary folder that is renamed when complete. It takes a second and needs no torch.

What this does not do: approximate. Only BERT with learned positions, exact GELU, float32
safetensors and mean pooling is exported; anything else raises `Unsupported` with the reason,
and the caller stays on sentence-transformers. The numbers are compared with
sentence-transformers by the tests, not at each export.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.signals.onnx_graph import BLOCK, BertShape, Precision, bert_model, tensor_shapes
from router.signals.weights import install

__all__ = ["EXPORT_VERSION", "Export", "Unsupported", "ensure_export", "read_export"]

EXPORT_VERSION = 1
"""Raise it whenever the same folder would give another graph: old exports are made anew."""

_GRAPH, _TOKENIZER, _MANIFEST = "model.onnx", "tokenizer.json", "manifest.json"
_UNUSED = ("pooler.", "cls.", "embeddings.position_ids")


class Unsupported(Exception):
    """This model cannot be exported; the message says why. Never leaves the encoder."""


@dataclass(frozen=True)
class Export:
    """An intact export: texts are cut at `max_tokens`, rows are (states, dim)."""

    folder: Path
    max_tokens: int
    states: int
    dim: int

    @property
    def graph(self) -> Path:
        """The ONNX file."""
        return self.folder / _GRAPH

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's JSON."""
        return self.folder / _TOKENIZER


@dataclass(frozen=True)
class _Plan:
    """What is needed to export: all of it read from small files, before any lock."""

    root: Path
    shape: BertShape
    max_tokens: int


def read_export(target: Path, source: str, precision: Precision = "fp32") -> Export | None:
    """The export in `target`, or None where it is absent, damaged, old or of another source."""
    try:
        manifest = json.loads((target / _MANIFEST).read_text(encoding="utf-8"))
        stamp = _stamp(source, precision)
        if any(manifest[key] != value for key, value in stamp.items()):
            return None
        if any(manifest["files"][n] != _digest(target / n) for n in (_GRAPH, _TOKENIZER)):
            return None
        return Export(target, *(int(manifest[n]) for n in ("max_tokens", "states", "dim")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ensure_export(
    target: Path, folder: Callable[[], Path], source: str, precision: Precision = "fp32"
) -> Export:
    """The intact export of the model whose fingerprint is `source`, made in `target` if need be.

    `folder` is asked for the model's folder only then. Raises `Unsupported`, or SetupError
    where `target` cannot be written.
    """
    found = read_export(target, source, precision)
    if found is not None:
        return found
    plan = _plan(folder(), precision)

    def fill(work: Path) -> None:
        _write(plan, work, source, precision)

    install(target, lambda: read_export(target, source, precision) is not None, fill)
    return Export(target, plan.max_tokens, plan.shape.layers + 1, plan.shape.dim)


def _stamp(source: str, precision: Precision) -> dict[str, Any]:
    return {"version": EXPORT_VERSION, "source": source, "precision": precision}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(plan: _Plan, work: Path, source: str, precision: Precision) -> None:
    import onnx

    tensors = _tensors(plan.root, plan.shape)
    work.mkdir(parents=True)
    onnx.save(bert_model(plan.shape, tensors, precision), str(work / _GRAPH))
    (work / _TOKENIZER).write_bytes((plan.root / _TOKENIZER).read_bytes())
    facts = {
        **_stamp(source, precision),
        "files": {name: _digest(work / name) for name in (_GRAPH, _TOKENIZER)},
        "max_tokens": plan.max_tokens,
        "states": plan.shape.layers + 1,
        "dim": plan.shape.dim,
    }
    (work / _MANIFEST).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _plan(folder: Path, precision: Precision) -> _Plan:
    """All refusals that need no weights; of the weights only the names and shapes."""
    root = _modules(folder)
    config, sentence = _json(root, "config.json"), _json(root, "sentence_bert_config.json", {})
    _refuse(config.get("model_type") != "bert", f"it is a {config.get('model_type')}, not bert")
    _refuse(config.get("hidden_act", "gelu") != "gelu", "its activation is not the exact GELU")
    places = config.get("position_embedding_type", "absolute")
    _refuse(places != "absolute", f"its positions are {places}, not absolute")
    _refuse(bool(config.get("is_decoder")), "it is a decoder")
    _refuse(bool(sentence.get("do_lower_case")), "it lower-cases outside the tokenizer")
    _refuse(not (root / _TOKENIZER).is_file(), f"it has no {_TOKENIZER}")
    prompts = _json(folder, "config_sentence_transformers.json", {})
    _refuse(bool(prompts.get("default_prompt_name")), "it puts a prompt before each text")
    shape = _shape(config)
    widths = (shape.dim, shape.inner)
    _refuse(
        precision == "int8" and any(w % BLOCK for w in widths),
        f"its widths {widths} are no multiples of {BLOCK}, as int8 needs",
    )
    _check_tensors(root, shape)
    limit = sentence.get("max_seq_length") or _json(root, "tokenizer_config.json", {}).get(
        "model_max_length", shape.positions
    )
    return _Plan(root, shape, min(int(limit), shape.positions))


def _shape(config: dict[str, Any]) -> BertShape:
    try:
        return BertShape(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            dim=int(config["hidden_size"]),
            inner=int(config["intermediate_size"]),
            words=int(config["vocab_size"]),
            positions=int(config["max_position_embeddings"]),
            types=int(config["type_vocab_size"]),
            epsilon=float(config["layer_norm_eps"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unsupported(f"its config.json is incomplete: {error!r}") from error


def _modules(folder: Path) -> Path:
    """The transformer's folder, of a model that is transformer, mean pooling, maybe a norm."""
    modules = _json(folder, "modules.json")
    kinds = [str(m.get("type", "")).rsplit(".", 1)[-1] for m in modules]
    _refuse(
        kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]),
        f"its modules are {kinds}, not Transformer, Pooling and maybe Normalize",
    )
    pooling = _json(folder / str(modules[1].get("path", "")), "config.json")
    old = [k for k, v in pooling.items() if k.startswith("pooling_mode_") and v is True]
    mode = pooling.get("pooling_mode", old)
    _refuse(mode not in ("mean", ["mean"], ["pooling_mode_mean_tokens"]), f"it pools by {mode}")
    return folder / str(modules[0].get("path", ""))


def _refuse(wrong: bool, reason: str) -> None:
    if wrong:
        raise Unsupported(reason)


def _json(folder: Path, name: str, default: Any = None) -> Any:
    path = folder / name
    if default is not None and not path.is_file():
        return default
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unsupported(f"its {name} cannot be read: {error}") from error


def _check_tensors(root: Path, shape: BertShape) -> None:
    """Exactly the tensors of this architecture, float32; heads that are not used may remain."""
    with _weights(root) as file:
        found = {name.removeprefix("bert."): file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        for name, size in tensor_shapes(shape).items():
            _refuse(name not in found, f"its weights have no {name}")
            tensor = found.pop(name)
            _refuse(tuple(tensor.get_shape()) != size, f"its {name} has another shape")
            _refuse(tensor.get_dtype() != "F32", "its weights are not float32")
    left = [name for name in found if not name.startswith(_UNUSED)]
    _refuse(bool(left), f"its weights have parts that BERT has not: {left[:3]}")


def _tensors(root: Path, shape: BertShape) -> dict[str, Any]:
    wanted = tensor_shapes(shape)
    with _weights(root) as file:
        names = {name.removeprefix("bert."): name for name in file.keys()}  # noqa: SIM118
        return {name: file.get_tensor(names[name]) for name in wanted}


def _weights(root: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(root / "model.safetensors", framework="np")
    except (OSError, SafetensorError) as error:
        raise Unsupported(f"its model.safetensors cannot be read: {error}") from error
