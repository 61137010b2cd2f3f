"""What this machine can serve a model with: GPUs, memory, weights on disk, a hub.

GPUs are NVIDIA's, asked of `nvidia-smi`; free memory counts, not total: what another
process holds cannot be used. Weights are looked for in the configuration, in `<data
dir>/models` and in the hub's own cache. A hub is tried once, briefly, and never where
`HF_HUB_OFFLINE` forbids it. Nothing here raises for what is missing: it is a fact too.

Not covered: other makers' GPUs; MIG slices (a GPU that reports no memory is left out);
a container's memory limit below the machine's.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from router.models.gguf import GgufFile, find_gguf, read_gguf
from router.paths import data_dir
from router.settings import ModelSettings

__all__ = ["HUB_ID", "Gpu", "Machine", "look", "read_gpus", "visible"]

HUB_ID = "WeiboAI/VibeThinker-3B"
QUERY = "index,uuid,name,memory.total,memory.free,compute_cap"
SMI_S = 10.0
"""A driver in trouble makes nvidia-smi hang for minutes."""
HUB_S = 3.0
OFF = {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, as nvidia-smi tells it."""

    index: int
    uuid: str
    name: str
    total_mib: int
    free_mib: int
    capability: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts that a plan is made from."""

    gpus: tuple[Gpu, ...]
    gpu_note: str
    """Why there are no GPUs, or which were left out; empty where there is nothing to say."""
    ram_free_bytes: int
    gguf: tuple[GgufFile, ...]
    hub_down: str | None
    """Why no hub can be asked, None where one answered."""
    hub_gguf: tuple[str, ...]
    """Files of `gguf_repo` on the hub that end in .gguf."""
    weights_cached: bool
    """The hub's cache holds VibeThinker-3B's own weights."""
    vllm_python: Path
    """The Python that has vLLM; it may not exist."""


def look(settings: ModelSettings, environ: Mapping[str, str] | None = None) -> Machine:
    """Look at this machine. Takes seconds at most, and starts nothing."""
    env = os.environ if environ is None else environ
    gpus, note = ask_gpus(env)
    cache = _hub_cache(env)
    down = _hub_down(env)
    weights = f"models--{HUB_ID.replace('/', '--')}"
    return Machine(
        gpus=gpus,
        gpu_note=note,
        ram_free_bytes=_ram_free(),
        gguf=_weights(settings, cache),
        hub_down=down,
        hub_gguf=_hub_gguf(settings.gguf_repo) if down is None and settings.gguf_repo else (),
        weights_cached=any(cache.glob(f"{weights}/snapshots/*/*.safetensors")),
        vllm_python=vllm_python(env),
    )


def vllm_python(environ: Mapping[str, str]) -> Path:
    """`OCKHAM_VLLM_PYTHON`, else the environment that `make setup-gpu` makes in the clone."""
    chosen = environ.get("OCKHAM_VLLM_PYTHON", "").strip()
    clone = Path(__file__).parents[2]
    return Path(chosen).expanduser() if chosen else clone / ".venv-vllm" / "bin" / "python"


def ask_gpus(environ: Mapping[str, str]) -> tuple[tuple[Gpu, ...], str]:
    """The GPUs that this process may use, and a note where there are none."""
    command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SMI_S, check=False)
    except FileNotFoundError:
        return (), "no nvidia-smi on this machine"
    except (OSError, subprocess.TimeoutExpired) as error:
        why = "did not answer" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        return (), f"nvidia-smi: {why}"
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines() or ["no reason given"]
        return (), f"nvidia-smi ended with {done.returncode}: {said[0][:200]}"
    gpus, note = read_gpus(done.stdout)
    return visible(gpus, environ.get("CUDA_VISIBLE_DEVICES"), note)


def read_gpus(text: str) -> tuple[tuple[Gpu, ...], str]:
    """nvidia-smi's CSV lines; a line that does not say it all is left out, and noted."""
    gpus: list[Gpu] = []
    bad: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        gpu = _read_gpu(line)
        if gpu is None:
            bad.append(line[:80])
        else:
            gpus.append(gpu)
    if bad:
        return tuple(gpus), f"nvidia-smi: cannot use {'; '.join(bad)!r}"
    return tuple(gpus), "" if gpus else "nvidia-smi lists no GPU"


def _read_gpu(line: str) -> Gpu | None:
    fields = [field.strip() for field in line.split(",")]
    try:
        index, uuid, name, total, free, capability = fields
        major, minor = capability.split(".")
        return Gpu(int(index), uuid, name, int(total), int(free), (int(major), int(minor)))
    except ValueError:  # too few fields, "[N/A]", "[Insufficient Permissions]"
        return None


def visible(
    gpus: tuple[Gpu, ...], chosen: str | None, note: str = ""
) -> tuple[tuple[Gpu, ...], str]:
    """Those that `CUDA_VISIBLE_DEVICES` leaves; as in CUDA, an unknown entry ends the list."""
    if chosen is None:
        return gpus, note
    left: list[Gpu] = []
    for entry in (part.strip() for part in chosen.split(",")):
        found = [g for g in gpus if entry and (entry == str(g.index) or g.uuid.startswith(entry))]
        if not found:
            break
        left.append(found[0])
    if gpus and not left:
        note = f"CUDA_VISIBLE_DEVICES={chosen} hides every GPU"
    return tuple(left), note


def _weights(settings: ModelSettings, cache: Path) -> tuple[GgufFile, ...]:
    """The configured file first, then VibeThinker files where people keep them."""
    own = read_gguf(settings.gguf) if settings.gguf else None
    found = find_gguf(
        [(data_dir() / "models", "**/*.gguf"), (cache, "models--*/snapshots/*/*.gguf")]
    )
    return ((own,) if own else ()) + tuple(f for f in found if f.is_vibethinker_3b)


def _hub_cache(environ: Mapping[str, str]) -> Path:
    """The hub's cache folder, by huggingface_hub's own rules."""
    if chosen := environ.get("HF_HUB_CACHE"):
        return Path(chosen).expanduser()
    home = (
        environ.get("HF_HOME") or Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    )
    return Path(home).expanduser() / "hub"


def _hub_down(environ: Mapping[str, str]) -> str | None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if environ.get(name, "").strip().lower() not in OFF:
            return f"{name} is set"
    import httpx
    from huggingface_hub.constants import ENDPOINT

    try:
        httpx.head(environ.get("HF_ENDPOINT") or ENDPOINT, timeout=HUB_S, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"no hub answers within {HUB_S:g} s ({type(error).__name__})"
    return None


def _hub_gguf(repository: str) -> tuple[str, ...]:
    """The weight files of a hub repository; none where it cannot be listed."""
    from huggingface_hub import list_repo_files

    try:
        return tuple(name for name in list_repo_files(repository) if name.endswith(".gguf"))
    except Exception:  # whatever is wrong with it (name, rights, network): nothing to fetch
        return ()


def _ram_free() -> int:
    """Bytes that a new process can have without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kib = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kib) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
