"""From a finding to a verdict."""

import time

from router.verify.finding import MAX_EVIDENCE, Finding, as_verdict


def test_a_finding_becomes_a_verdict() -> None:
    verdict = as_verdict("math", Finding(True, "passed", 0.9, ("fine",)), time.perf_counter())
    assert (verdict.kind, verdict.passed, verdict.status) == ("math", True, "passed")
    assert (verdict.confidence, verdict.evidence) == (0.9, ("fine",))
    assert 0 <= verdict.seconds < 1


def test_evidence_is_short_and_can_be_written_down() -> None:
    told = ("a\ud800", "x" * 10_000)
    verdict = as_verdict("code", Finding(None, "unchecked", evidence=told), time.perf_counter())
    assert verdict.evidence == ("a?", "x" * MAX_EVIDENCE)
    assert verdict.model_dump_json()
