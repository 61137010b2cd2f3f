"""Sources that are read from the normalised tables only: no loader of their files is shipped.

We hold no published byte of theirs, and a loader that no real file has proven is not shipped.
"""

from eval.sources.source import Source, register

__all__ = ["CODE_EVALPLUS", "GSM8K_GPT3", "QWEN3_THINK"]

_UNSEEN = "Unseen population: no score of it is to be looked at before the verdict command."

CODE_EVALPLUS = register(
    Source(
        name="code_evalplus",
        home="https://github.com/mrigankpawagi/PropertyEval",
        commit="unknown",
        licence="none stated",
        pairs=(
            ("deepseek-coder-1_3b-instruct", "deepseek-coder-33b-instruct"),
            ("code-llama-7b", "code-llama-34b"),
            ("codegen-2b", "codegen-16b"),
        ),
        notes=(
            "HumanEval and MBPP were run on different models, under different spellings "
            "(codegen-2b, codegen_2b).",
            "humaneval_plus and mbpp_plus are the same answers under more tests: not independent.",
            "Several base models among them: not chat models.",
            _UNSEEN,
        ),
    )
)

GSM8K_GPT3 = register(
    Source(
        name="gsm8k_gpt3",
        home="https://github.com/openai/grade-school-math",
        commit="unknown",
        licence="MIT",
        pairs=(
            ("gpt3_6b_finetuning", "gpt3_175b_finetuning"),
            ("gpt3_6b_verification", "gpt3_175b_verification"),
        ),
        notes=(
            "Verification means 100 samples and a trained verifier: its cost is about 100 times "
            "that of the length of its answer.",
            "GSM8K's test also stands in routellm and zeroeval.",
            _UNSEEN,
        ),
    )
)

QWEN3_THINK = register(
    Source(
        name="qwen3_think",
        home="https://github.com/Amir-Mohseni/LLM-Router",
        commit="unknown",
        licence="none stated",
        pairs=(
            ("qwen3-8b-no-think", "qwen3-30b-no-think"),
            ("qwen3-8b-think", "qwen3-30b-think"),
            ("qwen3-8b-no-think", "qwen3-8b-think"),
        ),
        notes=(
            "216 SimpleQA and 90 mathematics questions only: intervals are wide.",
            "Query texts are not included, so no policy that reads the prompt can be replayed.",
            "The mathematics sets were not run on all four models.",
        ),
    )
)
