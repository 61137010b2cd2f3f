"""The index on Milvus, for real: milvus-lite in a temporary file, one client and two."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from router.config import load_settings
from router.errors import ConfigError, KnowledgeError
from router.knowledge import milvus_push
from router.knowledge.build import build_index
from router.knowledge.commands import app
from router.knowledge.index import KnowledgeIndex
from router.knowledge.milvus import MilvusIndex
from router.knowledge.milvus_client import connect
from router.knowledge.milvus_push import push
from router.knowledge.opening import open_index
from router.settings import MilvusSettings

HOSTILE = '" or id >= 0 or source == "'


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from milvus_lite import server_manager_instance

    file = str(tmp_path_factory.mktemp("milvus") / "shared.db")
    yield file
    server_manager_instance.release_server(file)


@pytest.fixture
def settings(uri: str, request: pytest.FixtureRequest) -> MilvusSettings:
    """A collection of its own for each test, in the one file."""
    return MilvusSettings(uri=uri, collection=f"c{abs(hash(request.node.name))}")


def pushed(settings: MilvusSettings, encoder: Any, chunks: Any, corpus: str = "one") -> Any:
    vectors = encoder.encode([c.text for c in chunks])
    return push(settings, chunks, vectors, encoder.fingerprint, corpus)


def test_it_finds_what_the_local_index_finds(
    settings: MilvusSettings, tmp_path: Path, encoder: Any, tagged_chunks: Any
) -> None:
    pushed(settings, encoder, tagged_chunks)
    build_index(tmp_path / "local", encoder, tagged_chunks, "one")
    with (
        MilvusIndex.open(settings, encoder) as remote,
        KnowledgeIndex.open(tmp_path / "local", encoder) as local,
    ):
        assert remote.size == local.size
        for mode in ("dense", "lexical", "hybrid"):
            there = remote.search("fact number 7 about rivers", 3, mode=mode)
            here = local.search("fact number 7 about rivers", 3, mode=mode)
            assert there[0].model_dump(exclude={"score", "dense", "lexical"}) == here[0].model_dump(
                exclude={"score", "dense", "lexical"}
            )
        assert [p.source for p in there] == [p.source for p in here]
        assert [p.score for p in there] == pytest.approx([p.score for p in here])
        assert [p.dense for p in there] == pytest.approx([p.dense for p in here], abs=1e-5)
        assert all(p.lexical is not None and p.lexical > 0 for p in there)


def test_filters_are_conditions_and_never_code(
    settings: MilvusSettings, encoder: Any, tagged_chunks: Any
) -> None:
    pushed(settings, encoder, tagged_chunks)
    with MilvusIndex.open(settings, encoder) as index:
        for mode in ("dense", "lexical", "hybrid"):
            found = index.search("fact number", 50, where={"kind": "odd"}, mode=mode)
            assert {p.meta["kind"] for p in found} == {"odd"}
            assert len(found) == 15
            assert not index.search("fact", where={"kind": HOSTILE}, mode=mode)
            assert not index.search("fact", where={HOSTILE: "odd"}, mode=mode)
        both = index.search("fact", 50, where={"kind": ["odd", "even"], "source": "corpus/1"})
        assert {p.source for p in both} == {"corpus/1", *(f"corpus/1{i}" for i in range(10))}
        quoted = index.search("fact", where={"quote": 'a "b" \\ c'})
        assert [p.source for p in quoted] == ["corpus/3"]


@pytest.mark.parametrize("query", ["", " \n", "the of and", "?!", HOSTILE, "é" * 30_000, "東京"])
def test_odd_queries_are_only_queries(
    settings: MilvusSettings, encoder: Any, chunks: Any, query: str
) -> None:
    pushed(settings, encoder, chunks[:3])
    with MilvusIndex.open(settings, encoder) as index:
        assert len(index.search(query, 10)) == (3 if query.strip() else 0)
        assert index.search(query, 0) == ()


def test_readers_move_from_one_whole_version_to_the_next(
    settings: MilvusSettings, encoder: Any, new_chunks: Any
) -> None:
    pushed(settings, encoder, new_chunks(5), "one")
    with MilvusIndex.open(settings, encoder) as reader:
        first = reader.fingerprint
        pushed(settings, encoder, new_chunks(7, "other"), "two")
        assert len(reader.search("fact", 9)) == 5  # its own version, whole
        with MilvusIndex.open(settings, encoder) as later:
            assert (later.size, later.search("other", 1)[0].text[:5]) == (7, "other")
            assert later.fingerprint != first
        dropped = pushed(settings, encoder, new_chunks(8, "third"), "three").dropped
        assert len(dropped) == 1
        assert len(reader.search("third", 9)) == 8  # its own is gone: the alias's
        assert reader.size == 8


def test_a_push_that_fails_leaves_what_was_in_use(
    settings: MilvusSettings, encoder: Any, new_chunks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(settings, encoder, new_chunks(5))

    def breaks(row: int, *_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(milvus_push, "record", breaks)
    with pytest.raises(KeyboardInterrupt):
        pushed(settings, encoder, new_chunks(7, "other"))
    with MilvusIndex.open(settings, encoder) as index:
        assert index.size == 5
    client = connect(settings)
    assert len([c for c in client.list_collections() if c.startswith(settings.collection)]) == 1
    client.close()


def test_a_push_drops_no_other_index_whose_name_begins_alike(
    settings: MilvusSettings, encoder: Any, chunks: Any
) -> None:
    other = settings.model_copy(update={"collection": f"{settings.collection}_v_2"})
    pushed(other, encoder, chunks[:3])
    for n in (4, 5, 6):
        pushed(settings, encoder, chunks[:n], str(n))
    with MilvusIndex.open(other, encoder) as index:
        assert (index.size, len(index.search("fact", 9))) == (3, 3)


def test_another_encoder_is_refused(
    settings: MilvusSettings, encoder: Any, new_encoder: Any, chunks: Any
) -> None:
    pushed(settings, encoder, chunks[:3])
    with pytest.raises(KnowledgeError, match=r"built with fake-1, .* says fake-2 .*index push`"):
        MilvusIndex.open(settings, new_encoder("fake-2"))


def test_what_is_missing_or_somebody_elses_says_so(
    settings: MilvusSettings, encoder: Any, chunks: Any
) -> None:
    with pytest.raises(KnowledgeError, match="run `ockham index push`"):
        MilvusIndex.open(settings, encoder)
    client = connect(settings)
    client.create_collection(settings.collection, dimension=4)
    client.close()
    with pytest.raises(KnowledgeError, match="not made by Ockham"):
        MilvusIndex.open(settings, encoder)
    with pytest.raises(KnowledgeError, match="needs an alias"):
        pushed(settings, encoder, chunks[:3])
    with pytest.raises(KnowledgeError, match="ockham index build"):
        pushed(settings, encoder, ())


def test_a_closed_index_says_so(settings: MilvusSettings, encoder: Any, chunks: Any) -> None:
    pushed(settings, encoder, chunks[:3])
    index = MilvusIndex.open(settings, encoder)
    index.close()
    index.close()
    with pytest.raises(KnowledgeError, match="closed"):
        index.search("fact")


def test_a_server_that_is_not_there_is_named_and_the_token_is_not(
    encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.knowledge.milvus_client._TIMEOUT_S", 0.5)
    gone = MilvusSettings(uri="http://127.0.0.1:9", token=SecretStr("hush-hush"))
    with pytest.raises(KnowledgeError, match=r"http://127.0.0.1:9 .*knowledge.milvus") as caught:
        MilvusIndex.open(gone, encoder)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("uri", ["milvus:19530", "index.sqlite", "ftp://x.db", ""])
def test_other_addresses_are_refused(uri: str) -> None:
    with pytest.raises(ValidationError, match=r"ends in \.db"):
        MilvusSettings(uri=uri)


def test_a_password_in_the_address_is_refused_and_not_said() -> None:
    with pytest.raises(ConfigError, match="give `token` as user:password") as caught:
        load_settings(knowledge={"milvus": {"uri": "https://root:hush-hush@milvus:19530"}})
    assert "hush" not in str(caught.value)


_REPLICA = """
import json, sys
from router.settings import MilvusSettings
from router.knowledge.milvus import MilvusIndex
class Encoder:
    dim, fingerprint = 64, "fake-1"
index = MilvusIndex.open(MilvusSettings(uri=sys.argv[1], collection=sys.argv[2]), Encoder())
found = index.search("fact number 7", 3, mode="lexical")
print(json.dumps([index.fingerprint, [p.model_dump() for p in found]]))
"""


def test_another_process_shares_it_over_an_address(
    settings: MilvusSettings, encoder: Any, chunks: Any
) -> None:
    """milvus-lite's own server on loopback; its file itself is locked by one process."""
    from milvus_lite import server_manager_instance

    pushed(settings, encoder, chunks)
    address = server_manager_instance.start_and_get_uri(settings.uri)
    shared = settings.model_copy(update={"uri": address})
    done = subprocess.run(
        [sys.executable, "-c", _REPLICA, address, settings.collection],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    with MilvusIndex.open(shared, encoder) as index:
        found = index.search("fact number 7", 3, mode="lexical")
        assert json.loads(done.stdout) == [
            index.fingerprint,
            [p.model_dump() for p in found],
        ]


def test_the_command_pushes_the_built_index(
    uri: str, tmp_path: Path, encoder: Any, chunks: Any, clean_env: pytest.MonkeyPatch
) -> None:
    build_index(tmp_path / "index", encoder, chunks, "one")
    config = tmp_path / "shared.yaml"  # not ./ockham.yaml, which is always read
    config.write_text(f'knowledge: {{milvus: {{uri: "{uri}", collection: told}}}}\n')
    told = ["push", "--path", str(tmp_path / "index")]
    done = CliRunner().invoke(app, [*told, "--config", str(config)])
    assert done.exit_code == 0
    assert f"told on {uri} is now told_v_" in done.stdout and "50 passages" in done.stdout
    settings = load_settings(config).knowledge
    with closing(open_index(settings, encoder)) as index:
        assert index.search("fact number 7", 1)[0].source == "corpus/7"
    refused = CliRunner().invoke(app, told)
    assert isinstance(refused.exception, ConfigError)
    assert "set `knowledge.milvus`" in str(refused.exception)
