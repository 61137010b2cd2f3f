"""The embedded server's process: llama.cpp's own OpenAI server, from the xllamacpp wheel.

Run as `python -m router.models.llama_server`. It reads one JSON line from standard input
(model, api_key, port, context_tokens, parallel, threads, alias), prints one JSON line with its
address, and serves until standard input closes: so it ends with whoever started it,
however that one ended. The key never stands in argv.
"""

import json
import sys

__all__ = ["main"]


def main() -> int:
    """Serve until end of input. Exit code 1 and a JSON error line if it cannot start."""
    import xllamacpp

    order = json.loads(sys.stdin.readline())
    params = xllamacpp.CommonParams()
    params.model.path = order["model"]
    params.model_alias = {order["alias"]}
    params.n_parallel = order["parallel"]
    params.n_ctx = order["context_tokens"] * order["parallel"]
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["threads"]
    params.port = order["port"]
    params.api_keys = [order["api_key"]]
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        return 1
    sys.stdout.write(json.dumps({"address": server.listening_address}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
