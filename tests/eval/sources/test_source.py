"""The registry of sources, and what each of them has to say about itself."""

import re

import pytest

from eval.sources.source import RemoteFile, Source, register, remote_files, source, sources
from router.errors import InputError, SetupError

NAMES = (
    *("routellm", "mmlupro", "zeroeval", "llmrouter", "routerarena"),
    *("code_evalplus", "gsm8k_gpt3", "qwen3_think"),
)


def test_the_sources_are_these_in_this_order() -> None:
    assert tuple(sources()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_source_says_home_licence_traps_and_a_pair(name: str) -> None:
    one = source(name)
    assert one.home.startswith("https://github.com/")
    assert one.licence and one.notes and one.pairs
    assert all(small != large for small, large in one.pairs)
    about = one.about()
    assert about["name"] == name and about["notes"] == list(one.notes)


@pytest.mark.parametrize("name", NAMES[:5])
def test_files_are_pinned_to_the_commit_and_stay_in_their_folder(name: str) -> None:
    one = source(name)
    assert one.files == remote_files(name)
    assert len({f.path for f in one.files}) == len({f.url for f in one.files}) == len(one.files)
    for file in one.files:
        assert file.url.startswith(f"{one.home}/raw/{one.commit}/")
        assert ".." not in file.path and not file.path.startswith("/")
        assert (file.sha256 is None) == (file.bytes is None)
        assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)


def test_the_number_of_files_of_each_source() -> None:
    assert {n: len(s.files) for n, s in sources().items() if s.files} == {
        "routellm": 60,
        "mmlupro": 29,
        "zeroeval": 2,
        "llmrouter": 1,
        "routerarena": 2,
    }


def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(ValueError, match="two sources are called 'routellm'"):
        register(source("routellm"))


def test_an_unknown_source_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no source 'nope'; known: routellm, mmlupro"):
        source("nope")


def test_a_source_without_a_loader_points_at_the_normalised_table(tmp_path) -> None:
    with pytest.raises(SetupError, match=r"qwen3_think.*--normalised"):
        source("qwen3_think").parse(tmp_path)


def test_sources_and_files_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        source("routellm").name = "x"
    with pytest.raises(ValueError, match="frozen"):
        RemoteFile(path="a", url="b").path = "c"
    assert Source(name="a", home="h", commit="c", licence="l", pairs=(("s", "l"),)).files == ()
