"""What a collection on Milvus looks like, and what it tells of itself."""

from typing import Any

from router.knowledge.chunks import Chunk
from router.knowledge.words import terms

__all__ = ["COLUMNS", "FACTS", "indexes", "record", "schema", "too_long"]

COLUMNS = ["source", "title", "text", "meta"]
FACTS = "ockham.facts"
"""The property that names the encoder, the corpus and the number of passages (JSON)."""
_VARCHAR = 65_535
"""Bytes; the most that Milvus takes."""


def schema(client: Any, dim: int) -> Any:
    """The fields: a passage, its vector, and its terms, over which Milvus counts BM25."""
    from pymilvus import DataType, Function, FunctionType

    made = client.create_schema(auto_id=False, enable_dynamic_field=False)
    made.add_field("id", DataType.INT64, is_primary=True)
    for name in ("source", "title", "text"):
        made.add_field(name, DataType.VARCHAR, max_length=_VARCHAR)
    made.add_field("meta", DataType.JSON)
    made.add_field("dense", DataType.FLOAT_VECTOR, dim=dim)
    # The terms are ours already, as in the local index: "standard" only parts them at spaces.
    made.add_field(
        "terms",
        DataType.VARCHAR,
        max_length=_VARCHAR,
        enable_analyzer=True,
        analyzer_params={"tokenizer": "standard"},
    )
    made.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    made.add_function(
        Function(
            name="bm25",
            input_field_names=["terms"],
            output_field_names=["sparse"],
            function_type=FunctionType.BM25,
        )
    )
    return made


def indexes(client: Any) -> Any:
    """HNSW over the vectors, and postings over the terms."""
    made = client.prepare_index_params()
    made.add_index(
        "dense",
        index_type="HNSW",
        metric_type="IP",
        params={"M": 16, "efConstruction": 200},
    )
    made.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    return made


def record(row: int, chunk: Chunk, vector: Any) -> dict[str, Any]:
    """One row of the collection."""
    words = " ".join(terms(chunk.text)).encode()[:_VARCHAR].decode(errors="ignore")
    return {
        "id": row,
        "source": chunk.source,
        "title": chunk.title,
        "text": chunk.text,
        "meta": dict(chunk.meta),
        "dense": vector.tolist(),
        "terms": words,
    }


def too_long(chunk: Chunk) -> bool:
    """Longer than Milvus can hold?"""
    return any(len(text.encode()) > _VARCHAR for text in (chunk.source, chunk.title, chunk.text))
