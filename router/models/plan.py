"""Which server to start for the small model on this machine, and why.

`make_plan` is a pure function of the machine's facts and the configuration. In this order:

1. A CUDA GPU with enough *free* memory, and weights (in the hub's cache, or a hub that
   answers): vLLM with VibeThinker-3B.
2. A VibeThinker-3B GGUF file of good quantisation: llama.cpp. Q8_0, then Q6_K; never Q4, which
   loops or never ends for several users.
3. The embedded SmolLM2: it proves the path, and is not a quality result.

The arithmetic of vLLM's memory (MiB; GPU of `total`, `free` now):
    utilization = min(0.95, (free - 512) / total), rounded down to a hundredth: vLLM's
                  --gpu-memory-utilization is a part of the *total*, and must be free at the start
    KV cache    = utilization * total - 5,914 (weights, 6.2 GB BF16) - 2,048 (activations, CUDA
                  graphs: an allowance; 1,388 were taken on an H100, whose KV cache came out 0.9 %
                  larger than planned)
    KV tokens   = KV cache / 36 KiB (2 * 36 layers * 2 heads * 128 * 2 bytes)
    max-model-len: the longest of 131,072 (the model's), 65,536 (its training window), 32,768,
                  16,384 of which the KV cache holds at least 4 at once
    max-num-seqs  = KV tokens / 16,384 (the median trace of 15,961 tokens and its prompt), 4 to 128
If not even four times 16,384 fit, the next branch is taken.
dtype: bfloat16, or float16 below compute capability 8.0, which has none.

Not here: quantised weights on the GPU (AWQ, FP8): nothing is published on what they cost in
quality; tensor parallelism: a 3B model wants one GPU, and a second one wants a second server.
The CUDA branch ran on an H100 (eval/recorded/serving-h100.json) with random weights of this shape
and vLLM 0.26: not with VibeThinker-3B's own weights, on no other GPU, and not on the vLLM that
`make setup-gpu` installs, against whose parser the command line is tested.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from router.errors import ConfigError
from router.models.gguf import GgufFile
from router.models.launcher import PARALLEL
from router.models.machine import HUB_ID, Gpu, Machine
from router.settings import ModelSettings

__all__ = ["Plan", "make_plan", "vllm_command"]

KV_BYTES = 36 * 1024
"""Of one token, in BF16 and in llama.cpp's F16."""
WEIGHTS_MIB, OVERHEAD_MIB, SPARE_MIB = 5914, 2048, 512
MOST_OF_A_GPU = 0.95
LENGTHS = (131_072, 65_536, 32_768, 16_384)
AT_ONCE = 4
TRACE_TOKENS = 16_384
MOST_SEQS = 128
BFLOAT16_FROM = (8, 0)
GOOD = ("Q8_0", "Q6_K", "BF16", "F16")
"""Best first: of the two that are recommended, Q8_0 is nearer to the original."""
LLAMA_LENGTHS = (65_536, 32_768, 16_384, 8_192)
LLAMA_SPARE = 1 << 30


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. `command` and `env` lack only the key, which is made at the start."""

    kind: Literal["vllm", "llama.cpp", "embedded"]
    model: str
    """The name that the server will answer to."""
    context_tokens: int
    parallel: int
    """Requests that it works on at once."""
    reasons: tuple[str, ...]
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    weights: Path | None = None
    fetch: tuple[str, str] | None = None
    """Hub repository and file of the weights, where they are not on disk yet."""
    kv_tokens: int | None = None
    missing: str | None = None
    """What has to be done before this plan can start, None where nothing."""


def make_plan(machine: Machine, name: str, settings: ModelSettings, port: int = 0) -> Plan:
    """The plan for `models.<name>`.

    Raises:
        ConfigError: `models.<name>.gguf` names a VibeThinker file that must not be served.
    """
    chosen = _chosen_file(machine, name, settings)
    reasons: list[str] = []
    if chosen is None:
        plan = _vllm(machine, settings, port, reasons)
        if plan is not None:
            return plan
    plan = _llama(machine, chosen, name, settings, reasons)
    plan = plan or _fetched(machine, name, settings, reasons)
    return plan or _embedded(settings, reasons)


def _chosen_file(machine: Machine, name: str, settings: ModelSettings) -> GgufFile | None:
    """The configured weight file, which goes before everything that is found."""
    if settings.gguf is None:
        return None
    file = next((f for f in machine.gguf if f.path == settings.gguf), None)
    if file is None:
        raise ConfigError(f"models.{name}.gguf: {settings.gguf} is not a GGUF weight file")
    if file.is_vibethinker_3b and file.quantisation not in GOOD:
        raise ConfigError(
            f"models.{name}.gguf: {file.path.name} is {file.quantisation}; this model loops or "
            "never ends below Q6_K: use a Q8_0 or Q6_K file"
        )
    return file


def _vllm(machine: Machine, settings: ModelSettings, port: int, reasons: list[str]) -> Plan | None:
    if not machine.gpus:
        reasons.append(f"no CUDA GPU: {machine.gpu_note}")
        return None
    gpu = max(machine.gpus, key=lambda g: g.free_mib)
    utilization, kv_tokens = gpu_room(gpu)
    length = next((n for n in LENGTHS if n * AT_ONCE <= kv_tokens), None)
    if length is None:
        need = WEIGHTS_MIB + OVERHEAD_MIB + SPARE_MIB + LENGTHS[-1] * AT_ONCE * KV_BYTES // 2**20
        reasons.append(
            f"{gpu.name} has {gpu.free_mib:,} of {gpu.total_mib:,} MiB free, VibeThinker-3B under "
            f"vLLM needs about {need:,}"
        )
        return None
    if not machine.weights_cached and machine.hub_down:
        reasons.append(
            f"{gpu.name} would do, but the weights of {HUB_ID} are not in the hub's cache "
            f"and cannot be fetched: {machine.hub_down}"
        )
        return None
    length = min(length, settings.context_tokens or length)
    seqs = max(AT_ONCE, min(MOST_SEQS, kv_tokens // TRACE_TOKENS))
    bfloat16 = gpu.capability >= BFLOAT16_FROM
    return Plan(
        kind="vllm",
        model=HUB_ID.split("/")[1].lower(),
        context_tokens=length,
        parallel=seqs,
        kv_tokens=kv_tokens,
        command=vllm_command(
            machine.vllm_python,
            HUB_ID,
            port=port,
            max_model_len=length,
            max_num_seqs=seqs,
            dtype="bfloat16" if bfloat16 else "float16",
            more=("--gpu-memory-utilization", f"{utilization:.2f}"),
        ),
        # By its UUID: CUDA numbers GPUs by speed, nvidia-smi by slot.
        env={"CUDA_VISIBLE_DEVICES": gpu.uuid, **_offline(machine)},
        reasons=_gpu_reasons(machine, gpu, kv_tokens, length),
        missing=None if machine.vllm_python.is_file() else
        f"no vLLM at {machine.vllm_python}: run `make setup-gpu`, or set OCKHAM_VLLM_PYTHON",
    )  # fmt: skip


def gpu_room(gpu: Gpu) -> tuple[float, int]:
    """(--gpu-memory-utilization, tokens of KV cache) by the arithmetic above."""
    part = min(MOST_OF_A_GPU, (gpu.free_mib - SPARE_MIB) / gpu.total_mib)
    part = max(0, int(part * 100)) / 100
    kv_mib = part * gpu.total_mib - WEIGHTS_MIB - OVERHEAD_MIB
    return part, max(0, int(kv_mib * 2**20 / KV_BYTES))


def vllm_command(
    python: Path,
    model: str,
    *,
    port: int,
    max_model_len: int,
    max_num_seqs: int,
    dtype: str,
    served: str | None = None,
    more: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """vLLM's command line, without the key: that goes through VLLM_API_KEY, not argv.

    By module, not `vllm serve`: the same parser, and the one face that vLLM's CPU
    distribution has too, so that what the tests run is what a GPU runs.
    """
    return (
        str(python), "-m", "vllm.entrypoints.openai.api_server",
        "--model", model,
        "--served-model-name", served or model.split("/")[-1].lower(),
        "--host", "127.0.0.1", "--port", str(port),
        "--dtype", dtype,
        "--max-model-len", str(max_model_len),
        "--max-num-seqs", str(max_num_seqs),
        "--enable-prefix-caching",
        *more,
    )  # fmt: skip


def _offline(machine: Machine) -> dict[str, str]:
    """Cached weights and no hub: without this vLLM waits for the network first."""
    return {"HF_HUB_OFFLINE": "1"} if machine.hub_down else {}


def _gpu_reasons(machine: Machine, gpu: Gpu, kv_tokens: int, length: int) -> tuple[str, ...]:
    others = len(machine.gpus) - 1
    reasons = [
        f"{gpu.name}: {gpu.free_mib:,} of {gpu.total_mib:,} MiB free; beside the weights about "
        f"{kv_tokens:,} tokens of KV cache, {kv_tokens / length:.1f} requests of {length:,}",
        "this branch ran on an H100 with random weights of this shape, never with the model's own",
    ]
    if gpu.capability < BFLOAT16_FROM:
        reasons.append(f"float16: compute capability {gpu.capability[0]}.{gpu.capability[1]}")
    if others:
        reasons.append(f"{others} more GPU(s) stay free: a 3B model wants one, the freest")
    if machine.gpu_note:
        reasons.append(machine.gpu_note)
    return tuple(reasons)


def _llama(
    machine: Machine,
    chosen: GgufFile | None,
    name: str,
    settings: ModelSettings,
    reasons: list[str],
) -> Plan | None:
    """The best file whose context fits into free memory; a configured one is taken as it is."""
    files = [chosen] if chosen else _good_files(machine, name, reasons)
    for file in files:
        room = (machine.ram_free_bytes - file.size - LLAMA_SPARE) // KV_BYTES
        length = next((n for n in LLAMA_LENGTHS if n * PARALLEL <= room), None)
        if length is None and chosen is None:
            reasons.append(
                f"{file.path.name} does not fit: {machine.ram_free_bytes / 2**30:.1f} GiB free"
            )
            continue
        context = settings.context_tokens or length or LLAMA_LENGTHS[-1]
        how = f"models.{name}.gguf names it" if chosen else "the best file found"
        reasons.append(f"{file.path.name} ({file.quantisation}): {how}")
        return Plan(
            kind="llama.cpp",
            model=file.path.stem.lower(),
            context_tokens=context,
            parallel=PARALLEL,
            kv_tokens=PARALLEL * context,
            command=LLAMA_COMMAND,
            weights=file.path,
            reasons=tuple(reasons),
        )
    return None


LLAMA_COMMAND = (sys.executable, "-m", "router.models.llama_server")


def _fetched(
    machine: Machine, name: str, settings: ModelSettings, reasons: list[str]
) -> Plan | None:
    """A file of `gguf_repo`: by its name, as its header is not here yet; checked once it is."""
    for word in GOOD[:2]:
        file = next((n for n in machine.hub_gguf if word.lower() in n.lower()), None)
        if file is not None and settings.gguf_repo is not None:
            reasons.append(f"{file} of {settings.gguf_repo}, which models.{name}.gguf_repo names")
            return Plan(
                kind="llama.cpp",
                model=Path(file).stem.lower(),
                context_tokens=settings.context_tokens or LLAMA_LENGTHS[-2],
                parallel=PARALLEL,
                command=LLAMA_COMMAND,
                fetch=(settings.gguf_repo, file),
                reasons=tuple(reasons),
            )
    return None


def _good_files(machine: Machine, name: str, reasons: list[str]) -> list[GgufFile]:
    good = [f for f in machine.gguf if f.quantisation in GOOD]
    refused = [f"{f.path.name} is {f.quantisation}" for f in machine.gguf if f not in good]
    if refused:
        reasons.append(f"refused, below Q6_K this model loops or never ends: {'; '.join(refused)}")
    elif not good:
        reasons.append(f"no VibeThinker-3B GGUF file on disk; {_from_a_hub(machine, name)}")
    return sorted(good, key=lambda f: GOOD.index(f.quantisation))


def _from_a_hub(machine: Machine, name: str) -> str:
    """The authors publish no GGUF: whose to trust is the owner's choice."""
    if machine.hub_down:
        return f"none can be fetched: {machine.hub_down}"
    if machine.hub_gguf:
        return f"models.{name}.gguf_repo is asked for one"
    return f"a hub answers, and models.{name}.gguf_repo names no repository with Q8_0 or Q6_K"


def _embedded(settings: ModelSettings, reasons: list[str]) -> Plan:
    told = "so the embedded SmolLM2-135M: it proves the path, its answers are no quality result"
    return Plan(
        kind="embedded",
        model="smollm2-135m-instruct.q4_1",
        context_tokens=settings.context_tokens or 2048,
        parallel=PARALLEL,
        command=LLAMA_COMMAND,
        reasons=(*reasons, told),
    )
