"""Which server follows from which machine, with outputs of nvidia-smi (smi/): h100 is a real one,
the others are hand-made."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from router.config import load_settings
from router.errors import ConfigError
from router.models.gguf import GgufFile
from router.models.machine import Machine, read_gpus
from router.models.plan import KV_BYTES, OVERHEAD_MIB, WEIGHTS_MIB, make_plan

SMI = Path(__file__).parent / "smi"
RECORDED = Path(__file__).parents[3] / "eval" / "recorded"
GIB = 1 << 30


@pytest.fixture(autouse=True)
def _clean(clean_env):
    return clean_env


def machine_with(smi=None, **facts):
    gpus, note = read_gpus((SMI / f"{smi}.csv").read_text()) if smi else ((), "no nvidia-smi")
    python = Path(__file__)  # any file that exists
    known = {"ram_free_bytes": 18 * GIB, "gguf": (), "hub_down": None, "hub_gguf": (),
             "weights_cached": False, "vllm_python": python}  # fmt: skip
    return Machine(gpus=gpus, gpu_note=note, **{**known, **facts})


def plan_of(machine, **small):
    settings = load_settings(models={"small": {"serve": "auto", **small}})
    return make_plan(machine, "small", settings.models["small"], 8000)


def weights(quantisation, name="VibeThinker-3B.gguf", size=3_300_000_000):
    return GgufFile(Path("/models") / name, size, "VibeThinker-3B", quantisation)


def option(plan, name):
    return plan.command[plan.command.index(name) + 1]


@pytest.mark.parametrize(
    ("smi", "dtype", "length", "seqs", "utilization"),
    [
        ("gb16", "float16", 32_768, 10, "0.93"),
        ("gb24", "bfloat16", 65_536, 24, "0.91"),
        ("gb80", "bfloat16", 131_072, 121, "0.95"),
        ("h100", "bfloat16", 131_072, 120, "0.95"),
    ],
)
def test_cuda_is_vllm(smi, dtype, length, seqs, utilization):
    plan = plan_of(machine_with(smi))
    assert (plan.kind, plan.model) == ("vllm", "vibethinker-3b")
    assert option(plan, "--model") == "WeiboAI/VibeThinker-3B"
    assert option(plan, "--dtype") == dtype
    assert option(plan, "--max-model-len") == str(length) == str(plan.context_tokens)
    assert option(plan, "--max-num-seqs") == str(seqs) == str(plan.parallel)
    assert option(plan, "--gpu-memory-utilization") == utilization
    assert option(plan, "--host") == "127.0.0.1" and option(plan, "--port") == "8000"
    assert "--enable-prefix-caching" in plan.command
    assert "never with the model's own" in " ".join(plan.reasons)
    assert plan.missing is None


@pytest.mark.parametrize("smi", ["gb16", "gb24", "gb80", "h100"])
def test_vllms_part_was_free_and_holds_what_is_promised(smi):
    machine = machine_with(smi)
    plan, (gpu,) = plan_of(machine), machine.gpus
    taken = float(option(plan, "--gpu-memory-utilization")) * gpu.total_mib
    assert taken <= gpu.free_mib - 500
    kv_mib = plan.kv_tokens * KV_BYTES / 2**20
    assert WEIGHTS_MIB + OVERHEAD_MIB + kv_mib == pytest.approx(taken, abs=1)
    assert plan.kv_tokens >= 4 * plan.context_tokens
    assert f"CUDA_VISIBLE_DEVICES={gpu.uuid}" in [f"{k}={v}" for k, v in plan.env.items()]


def test_the_plan_is_held_against_what_vllm_said_on_that_gpu():
    found = json.loads((RECORDED / "serving-h100.json").read_text())["serve"]
    plan = plan_of(machine_with("h100"))
    assert list(plan.command[1:]) == found["command"].replace("PORT", "8000").split()[1:]
    assert plan.kv_tokens == found["kv_cache_tokens"]["planned"]
    assert 0.95 < plan.kv_tokens / found["kv_cache_tokens"]["vllm"] <= 1


@pytest.mark.parametrize(("smi", "free"), [("gb8", "7,601"), ("busy80", "6,144")])
def test_too_little_free_memory_is_the_next_branch(smi, free):
    plan = plan_of(machine_with(smi))
    assert plan.kind == "embedded"
    assert f"{free} of" in plan.reasons[0] and "needs about 10,778" in plan.reasons[0]
    assert plan_of(machine_with(smi, gguf=(weights("Q6_K"),))).kind == "llama.cpp"


def test_of_two_gpus_the_freest():
    plan = plan_of(machine_with("two"))
    assert plan.env["CUDA_VISIBLE_DEVICES"].startswith("GPU-2222")
    assert "1 more GPU(s) stay free" in " ".join(plan.reasons)


def test_a_shorter_context_can_be_asked_for():
    assert plan_of(machine_with("gb80"), context_tokens=20_000).context_tokens == 20_000


def test_no_weights_and_no_hub_is_the_next_branch():
    offline = machine_with("gb24", hub_down="HF_HUB_OFFLINE is set")
    plan = plan_of(offline)
    assert plan.kind == "embedded"
    assert "not in the hub's cache and cannot be fetched: HF_HUB_OFFLINE is set" in plan.reasons[0]
    cached = plan_of(replace(offline, weights_cached=True))
    assert cached.kind == "vllm" and cached.env["HF_HUB_OFFLINE"] == "1"


def test_vllm_that_is_not_installed_is_said():
    plan = plan_of(machine_with("gb24", vllm_python=Path("/nowhere/python")))
    assert plan.kind == "vllm"
    assert "run `make setup-gpu`" in plan.missing


def test_the_key_never_stands_in_the_command():
    plan = plan_of(machine_with("gb24"), api_key="a-secret-key")
    assert "a-secret-key" not in repr(plan) and "--api-key" not in plan.command


def test_no_gpu_takes_the_best_file():
    files = (weights("Q6_K", "b.gguf", 2_500_000_000), weights("Q8_0", "a.gguf"))
    plan = plan_of(machine_with(gguf=files))
    assert (plan.kind, plan.weights) == ("llama.cpp", Path("/models/a.gguf"))
    assert plan.context_tokens == 65_536
    small = machine_with(gguf=files, ram_free_bytes=5 * GIB)
    assert (plan_of(small).weights, plan_of(small).context_tokens) == (
        Path("/models/b.gguf"),
        8_192,
    )
    assert "a.gguf does not fit: 5.0 GiB free" in plan_of(small).reasons
    assert plan_of(machine_with(gguf=files, ram_free_bytes=2 * GIB)).kind == "embedded"


@pytest.mark.parametrize("quantisation", ["Q4_K_M", "Q4_0", "IQ4_XS", "Q5_K_M", "unknown"])
def test_never_below_q6(quantisation):
    plan = plan_of(machine_with(gguf=(weights(quantisation),)))
    assert plan.kind == "embedded"
    assert f"VibeThinker-3B.gguf is {quantisation}" in " ".join(plan.reasons)
    assert "loops or never ends" in " ".join(plan.reasons)


def test_a_configured_file_goes_first_and_is_refused_where_it_is_bad(tmp_path):
    own = tmp_path / "mine.gguf"
    own.touch()
    bad = GgufFile(own, 1, "VibeThinker-3B", "Q4_K_M")
    with pytest.raises(ConfigError, match=r"models.small.gguf: mine.gguf is Q4_K_M"):
        plan_of(machine_with("gb80", gguf=(bad,)), gguf=str(own))
    with pytest.raises(ConfigError, match=r"models.small.gguf: .* is not a GGUF weight file"):
        plan_of(machine_with("gb80"), gguf=str(own))
    other = GgufFile(own, 1, "Another model", "Q4_K_M")
    plan = plan_of(machine_with("gb80", gguf=(other,)), gguf=str(own))
    assert (plan.kind, plan.weights) == ("llama.cpp", own)


def test_a_repository_is_fetched_from_only_where_it_is_named():
    plan = plan_of(machine_with())
    assert plan.kind == "embedded"
    assert "models.small.gguf_repo names no repository" in " ".join(plan.reasons)
    names = ("v-Q4_K_M.gguf", "v-Q6_K.gguf", "v-q8_0.gguf")
    plan = plan_of(machine_with(hub_gguf=names), gguf_repo="somebody/v-gguf")
    assert (plan.kind, plan.fetch) == ("llama.cpp", ("somebody/v-gguf", "v-q8_0.gguf"))
    only_bad = machine_with(hub_gguf=names[:1])
    assert plan_of(only_bad, gguf_repo="somebody/v-gguf").kind == "embedded"


def test_nothing_at_all_is_the_embedded_model_saying_so():
    plan = plan_of(machine_with(hub_down="HF_HUB_OFFLINE is set"))
    assert plan.kind == "embedded" and plan.context_tokens == 2048
    assert "no quality result" in plan.reasons[-1]
