"""Parameter counts of the open-weight models in the tables we read, in billions.

(total, active): active is null for dense models. Models without a published count are not
listed. Source: the cards of the models; the result files themselves do not tell sizes.
"""

__all__ = ["SIZES", "size_of"]

SIZES: dict[str, tuple[float, float | None]] = {
    "Athene-70B": (70.6, None),
    "c4ai-command-r-v01": (35.0, None),
    "codegemma-7b": (8.54, None),
    "command-r": (35.0, None),
    "command-r-plus": (104.0, None),
    "DeepSeek-Coder-V2": (236.0, 21.0),
    "deepseek-v2-chat-0628": (236.0, 21.0),
    "deepseek-v2-coder-0614": (236.0, 21.0),
    "deepseek-v2-coder-0724": (236.0, 21.0),
    "deepseek-v2.5-0908": (236.0, 21.0),
    "gemma-2-27b-it": (27.2, None),
    "gemma-2-2b-it": (2.61, None),
    "gemma-2-9b-it": (9.24, None),
    "gemma-7b": (8.54, None),
    "jamba-1.5-large": (398.0, 94.0),
    "Llama-2-13b-hf": (13.0, None),
    "Llama-2-70b-hf": (69.0, None),
    "Llama-2-7b-hf": (6.74, None),
    "Llama-3.1-405B-Inst-fp8@together": (405.9, None),
    "Llama-3.1-405B-Inst@hyperbolic": (405.9, None),
    "Llama-3.1-405B-Inst@sambanova": (405.9, None),
    "llama-3.1-8b-instruct": (8.03, None),
    "llama-3.1-nemotron-51b-instruct": (51.5, None),
    "llama-3.3-nemotron-super-49b-v1": (49.9, None),
    "llama3-chatqa-1.5-70b": (70.6, None),
    "llama3-chatqa-1.5-8b": (8.03, None),
    "mathstral-7B": (7.25, None),
    "Meta-Llama-3-70B": (70.6, None),
    "Meta-Llama-3-70B-Instruct": (70.6, None),
    "Meta-Llama-3-8B": (8.03, None),
    "Meta-Llama-3-8B-Instruct": (8.03, None),
    "Meta-Llama-3.1-70B": (70.6, None),
    "Meta-Llama-3.1-70B-Instruct": (70.6, None),
    "Meta-Llama-3.1-8B": (8.03, None),
    "Meta-Llama-3.1-8B-Instruct": (8.03, None),
    "Mistral-7B-Instruct-v0.1": (7.24, None),
    "Mistral-7B-Instruct-v0.2": (7.24, None),
    "mistral-7b-instruct-v0.3": (7.25, None),
    "Mistral-7B-v0.1": (7.24, None),
    "Mistral-7B-v0.2-hf": (7.24, None),
    "Mistral-Large-2": (123.0, None),
    "Mistral-Nemo-Instruct-2407": (12.2, None),
    "mistralai/Mixtral-8x7B-Instruct-v0.1": (46.7, 12.9),
    "Mixtral-8x7B-Instruct-v0.1": (46.7, 12.9),
    "Mixtral-8x7B-v0.1": (46.7, 12.9),
    "Phi-3-mini-4k-instruct": (3.82, None),
    "Phi-3.5-mini-instruct": (3.82, None),
    "Qwen1.5-110B": (111.0, None),
    "Qwen1.5-72B-Chat": (72.3, None),
    "Qwen1.5-7B-Chat": (7.72, None),
    "Qwen2-72B-Instruct": (72.7, None),
    "Qwen2-7B-Instruct": (7.62, None),
    "Qwen2.5-32B-Instruct": (32.8, None),
    "Qwen2.5-3B-Instruct": (3.09, None),
    "Qwen2.5-72B-Instruct": (72.7, None),
    "Qwen2.5-7B-Instruct": (7.62, None),
    "qwen2.5-7b-instruct": (7.62, None),
    "Yi-1.5-34B-Chat": (34.4, None),
    "Yi-1.5-9B-Chat": (8.83, None),
    "Yi-34B": (34.4, None),
    "Yi-6B": (6.06, None),
    "Yi-6b-Chat": (6.06, None),
}


def size_of(model: str) -> tuple[float | None, float | None]:
    """Total and active parameters in billions; (None, None) where no count is published."""
    return SIZES.get(model, (None, None))
