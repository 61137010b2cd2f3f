"""The one label table: every benchmark, its domain and its place on the two axes.

Definitions (those of `Signals`):

- verifiability = 1 iff a checker that does not know the answer can reject a wrong one at
  run time from the question alone: run code, recompute, check constraints. Options to
  choose from are no check.
- knowledge demand = 1 iff a capable solver without references needs facts beyond the prompt.
- None = mixed or not decidable from the benchmark's name; such rows are not used for that
  label. The data's own domain `reasoning` maps to no class by itself.

`family` joins what may be near-duplicates of one another (all of GSM8K; MMLU and MMLU-Pro):
a held-out family never leaves a twin in training.

Covered: all per-query tables and question files of the outcome data. Not covered: the
model x benchmark means (`aggregate_labels.py`), and the packaged sources, which
`eval/fit/data.py` labels where it makes them.
"""

from dataclasses import dataclass

from router.state import Domain

__all__ = [
    "BENCHMARKS",
    "MMLU_SUBJECTS",
    "SUBJECTS",
    "Label",
    "UnknownBenchmark",
    "family_of",
    "label_of",
]


@dataclass(frozen=True)
class Label:
    """One benchmark's, or one subject's, labels; None is "do not use"."""

    family: str
    domain: Domain | None
    verifiability: int | None
    knowledge_demand: int | None


class UnknownBenchmark(KeyError):
    """A benchmark or subject that the table lacks: add a line, with its reason."""


def label_of(benchmark: str, subject: str | None = None) -> Label:
    """The label of a row of the outcome data; a table with subjects needs the subject."""
    subjects = SUBJECTS.get(benchmark)
    if subjects is None:
        try:
            return BENCHMARKS[benchmark]
        except KeyError:
            raise UnknownBenchmark(f"benchmark {benchmark!r} is not in the label table") from None
    key = _subject_key(benchmark, subject or "")
    try:
        return subjects[key]
    except KeyError:
        raise UnknownBenchmark(f"{benchmark!r}: subject {subject!r} is not labelled") from None


def family_of(benchmark: str) -> str:
    """The family of a benchmark, whatever the subject; its own name where it is not known."""
    if benchmark in BENCHMARKS:
        return BENCHMARKS[benchmark].family
    subjects = SUBJECTS.get(benchmark)
    return next(iter(subjects.values())).family if subjects else benchmark


def _subject_key(benchmark: str, subject: str) -> str:
    """`business|ori_mmlu-marketing` is MMLU's marketing; `|contaminated` is only a mark."""
    if benchmark != "mmlu_pro":
        return subject.split("|")[0]
    origin = subject.split("|")[-1]
    return origin.removeprefix("ori_mmlu-")


# --- benchmarks without subjects ------------------------------------------------------

_GSM8K = Label("gsm8k", "math", 1, 0)  # each step recomputes; nothing but the prompt is needed
_MATH = Label("math", "math", 1, 0)  # plugging back or recomputing rejects a wrong result
_OLYMPIAD = Label("olympiad", "math", 1, 0)
_HUMANEVAL = Label("humaneval", "code", 1, 0)  # code runs; the prompt's own examples check it
_MBPP = Label("mbpp", "code", 1, 0)
_NQ = Label("nq", "knowledge", 0, 1)  # trivia: nothing to recompute, all in the facts
_TRIVIA = Label("triviaqa", "knowledge", 0, 1)
_SCIENCE_MC = Label("science_mc", "knowledge", 0, 1)  # school science by options
_MMLU_MIXED = Label("mmlu", None, None, None)

BENCHMARKS: dict[str, Label] = {
    "gsm8k": _GSM8K,
    "gsm8k_test": _GSM8K,
    "GSM8K": _GSM8K,
    "agentverse-mgsm": _GSM8K,  # GSM8K's test in English, with a boxed-answer wrapper
    "math": _MATH,
    "MATH": _MATH,
    "math_l5": _MATH,
    "math500": _MATH,
    "AsDiv": Label("asdiv", "math", 1, 0),
    "MathQA": Label("mathqa", "math", 1, 0),  # word problems; the options do not matter
    "FinQA": Label("finqa", "math", 1, 0),  # arithmetic over a table in the prompt
    "AIME": _OLYMPIAD,
    "aime25": _OLYMPIAD,
    "brumo25": _OLYMPIAD,
    "hmmt_feb25": _OLYMPIAD,
    "humaneval": _HUMANEVAL,
    "humaneval_plus": _HUMANEVAL,
    "human_eval": _HUMANEVAL,
    "mbpp": _MBPP,
    "mbpp_plus": _MBPP,
    "mbpp_sanitized": _MBPP,
    "cruxeval_o": Label("cruxeval", "code", 1, 0),  # running the given code rejects a wrong output
    # Made by programs that can also check, from arithmetic to puzzles: no one domain.
    "reasoning_gym": Label("reasoning_gym", None, 1, 0),
    "LiveCodeBench": Label("livecodebench", "code", 1, 0),
    "agentverse-logicgrid": Label("logicgrid", "logic", 1, 0),  # the clues are constraints
    # Legality of a move can be checked, its being the missing one cannot: mixed.
    "ChessInstruct": Label("chess", "logic", None, 0),
    "natural_qa": _NQ,
    "nq_open_dev": _NQ,
    "trivia_qa": _TRIVIA,
    "triviaqa_550": _TRIVIA,
    "factbook": Label("factbook", "knowledge", 0, 1),  # generated from the World Factbook's fields
    "simpleqa": Label("simpleqa", "knowledge", 0, 1),
    "QANTA": Label("qanta", "knowledge", 0, 1),
    "OpenTDB": Label("opentdb", "knowledge", 0, 1),
    "GeoGraphyData": Label("geography", "knowledge", 0, 1),
    "GeoBench": Label("geobench", "knowledge", 0, 1),
    "MedMCQA": Label("medmcqa", "knowledge", 0, 1),
    "ArcMMLU": Label("arcmmlu", "knowledge", 0, 1),  # library and information science
    "MusicTheoryBench": Label("music", "knowledge", None, 1),  # some of it recomputes from a score
    "arc_challenge": _SCIENCE_MC,
    "openbook_qa": _SCIENCE_MC,
    "gpqa": Label("gpqa", "knowledge", 0, 1),  # for evaluation only; its texts are not in the data
    # Common sense: no check, and whether it is "facts beyond the prompt" is a matter of taste.
    "commonsense_qa": Label("commonsense", None, 0, None),
    "SocialiQA": Label("commonsense", None, 0, None),
    "SuperGLUE-CausalReasoning": Label("commonsense", None, 0, None),
    "Ethics": Label("ethics", None, 0, None),
    # Reading and language tasks: all that is needed stands in the prompt; nothing recomputes.
    "NarrativeQA": Label("reading", None, 0, 0),
    "SuperGLUE-QA": Label("reading", None, 0, 0),
    "SuperGLUE-RC": Label("reading", None, 0, 0),
    "SuperGLUE-ClozeTest": Label("reading", None, 0, 0),
    "SuperGLUE-Entailment": Label("reading", None, 0, 0),
    "SuperGLUE-Wic": Label("reading", None, 0, 0),
    "SuperGLUE-Wsc": Label("reading", None, 0, 0),
    "PubMedQA": Label("pubmedqa", "knowledge", 0, None),  # has an abstract, asks beyond it
    # A sentence from given words: the words can be counted, the sentence cannot be judged.
    "commongen": Label("commongen", "open", None, 0),
    **{
        f"WMT19-{pair}-en": Label("translation", "open", 0, 0)
        for pair in ("cs", "de", "fi", "gu", "kk", "lt", "ru", "zh")
    },
}

# --- MMLU and MMLU-Pro, a subject at a time ------------------------------------------

# Facts, schools of thought, law, medicine: options to choose from, nothing to recompute.
_FACTS = """
anatomy astronomy business_ethics clinical_knowledge college_biology college_medicine
computer_security conceptual_physics global_facts high_school_biology
high_school_european_history high_school_geography high_school_government_and_politics
high_school_macroeconomics high_school_microeconomics high_school_psychology
high_school_us_history high_school_world_history human_aging human_sexuality international_law
jurisprudence logical_fallacies management marketing medical_genetics miscellaneous
moral_disputes nutrition philosophy prehistory professional_law professional_medicine
professional_psychology public_relations security_studies sociology us_foreign_policy virology
world_religions stemez-Biology stemez-Genetics stemez-Psychology
"""

# Numbers to work out, from the prompt alone.
_MATHS = """
abstract_algebra college_mathematics elementary_mathematics high_school_mathematics
high_school_statistics scibench-calculus scibench-diff scibench-stat theoremQA-Math
"""

# Part recall, part calculation: knowledge is needed, verifiability is mixed (never a label).
_SCIENCE = """
college_chemistry college_computer_science college_physics econometrics electrical_engineering
high_school_chemistry high_school_computer_science high_school_physics machine_learning
professional_accounting scibench-atkins scibench-chemmc scibench-matter scibench-quan
scibench-class scibench-fund scibench-thermo stemez-Chemistry stemez-OrganicChemistry
stemez-PhysicalChemistry stemez-ComputerScience theoremQA-EECS stemez-ElectricCircuits
stemez-ElectricalMachines stemez-Electromagnetics stemez-ElectronicCommunications
stemez-FluidMechanics stemez-HeatTransfer stemez-MachineDesign stemez-Thermodynamics
stemez-TransportPhenomena stemez-Mechanics stemez-Optics stemez-Physics theoremQA-Physics
stemez-Economics
"""

MMLU_SUBJECTS: dict[str, Label] = {
    **{s: Label("mmlu", "knowledge", 0, 1) for s in _FACTS.split()},
    **{s: Label("mmlu", "math", 1, 0) for s in _MATHS.split()},
    **{s: Label("mmlu", None, None, 1) for s in _SCIENCE.split()},
    "formal_logic": Label("mmlu", "logic", 1, 0),  # truth tables decide it
    "moral_scenarios": Label("mmlu", None, 0, None),  # a judgement, not a fact
    "stemez-Business": _MMLU_MIXED,  # from interest sums to company law
    "theoremQA-Finance": _MMLU_MIXED,
}

# RouterArena tells MMLU-Pro's fourteen categories only.
_PRO_CATEGORIES: dict[str, Label] = {
    **{s: Label("mmlu", "knowledge", 0, 1) for s in ("biology", "health", "history", "law")},
    **{s: Label("mmlu", "knowledge", 0, 1) for s in ("philosophy", "psychology", "other")},
    **{s: Label("mmlu", None, None, 1) for s in ("chemistry", "physics", "engineering")},
    **{s: Label("mmlu", None, None, 1) for s in ("computer science", "economics")},
    "business": _MMLU_MIXED,
    "math": Label("mmlu", "math", 1, 0),
}

_MT_BENCH: dict[str, Label] = {
    "coding": Label("mt_bench", "code", 1, None),  # some name a library, some do not
    "math": Label("mt_bench", "math", 1, 0),
    "reasoning": Label("mt_bench", None, None, None),
    "stem": Label("mt_bench", "knowledge", 0, 1),
    "humanities": Label("mt_bench", "knowledge", 0, 1),
    "extraction": Label("mt_bench", "open", None, 0),  # the passage is given
    "roleplay": Label("mt_bench", "open", 0, 0),
    "writing": Label("mt_bench", "open", 0, 0),
}

SUBJECTS: dict[str, dict[str, Label]] = {
    "mmlu": {**MMLU_SUBJECTS, "em_mc": _MMLU_MIXED},  # LLMRouter tells no subject
    "MMLU": MMLU_SUBJECTS,
    "mmlu_pro": MMLU_SUBJECTS,
    "MMLUPro": _PRO_CATEGORIES,
    "mt_bench": _MT_BENCH,
}
