"""The label table: every benchmark has its place, by the definitions of the axes."""

import pytest

from eval.sources.labels import BENCHMARKS, SUBJECTS, Label, UnknownBenchmark, label_of
from eval.sources.shared import shared_data
from router.errors import SetupError
from router.state import DOMAINS

ALL = [*BENCHMARKS.values(), *(x for table in SUBJECTS.values() for x in table.values())]


def test_labels_are_labels() -> None:
    for label in ALL:
        assert label.domain in {*DOMAINS, None}
        assert label.verifiability in {0, 1, None} and label.knowledge_demand in {0, 1, None}


def test_a_domain_never_contradicts_its_definition() -> None:
    for label in ALL:
        if label.domain == "knowledge":
            assert label.verifiability in {0, None} and label.knowledge_demand in {1, None}
        if label.domain in {"math", "code", "logic"}:
            assert label.verifiability in {1, None}


@pytest.mark.parametrize(
    ("benchmark", "subject", "label"),
    [
        ("gsm8k", "gsm8k|contaminated", Label("gsm8k", "math", 1, 0)),
        ("humaneval", "humaneval", Label("humaneval", "code", 1, 0)),
        ("mmlu", "high_school_european_history|contaminated", Label("mmlu", "knowledge", 0, 1)),
        ("mmlu_pro", "business|ori_mmlu-marketing", Label("mmlu", "knowledge", 0, 1)),
        ("mmlu_pro", "math|theoremQA-Math", Label("mmlu", "math", 1, 0)),
        ("gpqa", "em_mc", Label("gpqa", "knowledge", 0, 1)),
    ],
)
def test_known_rows(benchmark: str, subject: str, label: Label) -> None:
    assert label_of(benchmark, subject) == label


@pytest.mark.parametrize("subject", ["physics|stemez-Physics", "chemistry|scibench-atkins"])
def test_mixed_science_is_no_verifiability_label(subject: str) -> None:
    label = label_of("mmlu_pro", subject)
    assert label.verifiability is None and label.knowledge_demand == 1


def test_unknown_names_raise() -> None:
    with pytest.raises(UnknownBenchmark, match="nonesuch"):
        label_of("nonesuch")
    with pytest.raises(UnknownBenchmark, match="alchemy"):
        label_of("mmlu", "alchemy")


def test_every_row_of_the_data_has_a_label() -> None:
    try:
        data = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    pq = pytest.importorskip("pyarrow.parquet")
    for path in [*data.glob("queries/*.parquet"), *data.glob("outcomes/*.parquet")]:
        table = pq.read_table(path, columns=["benchmark", "subject"])
        for benchmark, subject in set(zip(*table.to_pydict().values(), strict=True)):
            label_of(benchmark, subject)
