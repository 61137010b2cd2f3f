"""The public names are exactly these, and importing them is cheap."""

import subprocess
import sys

import policies
import router

HEAVY = ("torch", "litellm", "langgraph", "faiss", "sentence_transformers", "sklearn", "starlette")


def test_router_exports():
    assert set(router.__all__) == {
        "Answer", "ConfigError", "Event", "InputError", "KnowledgeError", "ModelError",
        "NoAnswerError", "OckhamError", "Query", "Router", "Settings", "SetupError", "Signals",
        "Trace", "Verdict", "load_settings",
    }  # fmt: skip
    assert all(hasattr(router, name) for name in router.__all__)


def test_policies_exports():
    assert set(policies.__all__) == {
        "AlwaysLarge", "AlwaysSmall", "AnswerGain", "Arm", "AttemptBlock", "Carrot",
        "CascadeRouting", "CaseBatch", "CheckCascade", "ChoiceBatch", "ConformalGate", "CostCap",
        "Explore", "Feedback", "FittedArm", "FormLogistic", "Irt", "KernelLogistic", "Knn",
        "KnnGain", "KnowingArm", "LogprobCascade", "MatrixFactorisation", "NEEDS", "Need", "Needs",
        "OnlinePolicy", "OnlyArm", "Outcome", "PaceState", "PacedBandit", "Policy", "PolicyError",
        "PromptLength", "Random", "RetrievalValue", "STOP", "SelfConsistency", "Shadow", "Shadowed",
        "Sticky", "TextLogistic", "ThresholdPolicy", "UtilityPolicy", "Verifiability",
        "VerifiabilityThreshold",
        "available_policies", "best_attempt", "choose_from", "create", "first_open", "register",
    }  # fmt: skip
    assert all(hasattr(policies, name) for name in policies.__all__)


def test_import_router_loads_nothing_heavy():
    code = f"import sys, router; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_starts_without_anything_heavy():
    code = (
        "import sys; from router.cli import build; build();"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
