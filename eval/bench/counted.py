"""`ockham` with two counters: runs of the graph, and calls of LiteLLM's `acompletion`.

    python -m eval.bench.counted COUNTS.json serve --config F

The counts are written when the command ends. It shows that what a bench measured went through
the graph and through LiteLLM; a counter costs less than a microsecond.
"""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

__all__ = ["count_calls", "main"]


def count_calls(counts: "Counter[str]") -> None:
    """Count from now on, in this process."""
    import litellm
    from langgraph.graph.state import CompiledStateGraph

    call, stream = litellm.acompletion, CompiledStateGraph.astream

    def called(*args: Any, **kwargs: Any) -> Any:
        counts["litellm"] += 1
        return call(*args, **kwargs)

    def streamed(*args: Any, **kwargs: Any) -> Any:
        counts["graph"] += 1
        return stream(*args, **kwargs)

    litellm.acompletion = called
    CompiledStateGraph.astream = streamed  # type: ignore[method-assign]


def main() -> None:
    """Run the command line behind the counters."""
    path, counts = Path(sys.argv[1]), Counter[str]()
    # uvicorn raises the signal that ended it once more when it is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.argv = ["ockham", *sys.argv[2:]]
    count_calls(counts)
    from router.cli import main as ockham

    try:
        ockham()
    finally:
        path.write_text(json.dumps(counts), encoding="utf-8")


if __name__ == "__main__":
    main()
