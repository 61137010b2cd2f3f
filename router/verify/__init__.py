"""Verification at run time: checks that can reject an answer without knowing the right one.

    text          what a response says: thinking stripped, the closed answer
    math          check_math: steps, derivation, plug-back (solution, arithmetic, steps, equations)
    confidence    P(right) from all that an answer shows (evidence), fitted by `verify calibrate`
    code          check_code: the prompt's own examples and asserts (examples, asserts), made-up
                  inputs (edges), all run in the sandbox (session, bubblewrap, unshare, runner)
    judge         program and tests in a sandbox each (inside, inside_tests, rewriting, reasons,
                  stubs, wire, inner)
    grounding     check_grounding: the claim stands in the cited passage
    stated        what a query states itself: a JSON schema, a pattern (format), a puzzle (logic)
    equivalence   against gold and between samples; never a run-time pass (spelling, structure,
                  comparing, bombs)
    workers       processes that can be killed, for equivalence and stated checks
    batch         many rows from one file
    verifiers     Verifiers: which check an attempt meets, and its verdict

Each module says what it covers and what it does not. A verdict passes only where a check
held that could have failed.
"""

from router.verify.code import check_code
from router.verify.equivalence import Equivalence, EquivalenceChecker
from router.verify.grounding import check_grounding
from router.verify.math import check_math
from router.verify.runner import Runner
from router.verify.sandbox import Availability, Limits, Sandbox, SandboxResult
from router.verify.verifiers import Kind, Verifiers

__all__ = [
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
