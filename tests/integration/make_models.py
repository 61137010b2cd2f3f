"""The two models that the vLLM tests serve; run with the environment's own Python.

    python make_models.py SMOLLM2.gguf FOLDER

- FOLDER/smollm2: the packaged SmolLM2-135M, converted from its GGUF file for real text
  (vLLM on CPU dies at the first request when it loads the GGUF itself).
- FOLDER/tiny-qwen2: random weights of VibeThinker-3B's class, configuration keys and ChatML
  template, a thousandth of its size: for what does not depend on the words.

Not covered: VibeThinker's own tokenizer and weights, which no package holds. SmolLM2's
tokenizer stands in: it has the same three ChatML tokens.
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, Qwen2Config
from transformers import Qwen2ForCausalLM as Qwen2

CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
END_TOKENS = ("<|im_end|>", "<|endoftext|>")


def main(gguf: Path, folder: Path) -> None:
    """Write both models."""
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    model.save_pretrained(folder / "smollm2")
    tokenizer.save_pretrained(folder / "smollm2")
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder / "tiny-qwen2")
    torch.manual_seed(0)
    Qwen2(tiny_config(tokenizer)).to(torch.bfloat16).save_pretrained(folder / "tiny-qwen2")


def tiny_config(tokenizer: AutoTokenizer) -> Qwen2Config:
    """VibeThinker-3B's keys (36 layers of 2,048, 16 heads, 2 of them for keys), made tiny."""
    end, pad = tokenizer.convert_tokens_to_ids(list(END_TOKENS))
    return Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        use_sliding_window=False,
        use_cache=False,
        dtype="bfloat16",
        bos_token_id=pad,
        eos_token_id=end,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
