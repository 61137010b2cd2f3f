"""The public names of the package."""

import router.verify


def test_exports() -> None:
    assert router.verify.__all__ == [
        "Availability",
        "Equivalence",
        "EquivalenceChecker",
        "Kind",
        "Limits",
        "Runner",
        "Sandbox",
        "SandboxResult",
        "Verifiers",
        "check_code",
        "check_grounding",
        "check_math",
    ]
    assert all(hasattr(router.verify, name) for name in router.verify.__all__)
