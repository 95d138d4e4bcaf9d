"""The first module of the bundled model: texts to token vectors, by SentencePiece and onnxruntime."""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from onnxruntime import InferenceSession
from sentence_transformers.base.modules import InputModule
from sentencepiece import SentencePieceProcessor

from rag.bundled_model import BOS, EOS, PAD, open_tokenizer
from rag.onnx_model import open_session

TEXTS_AT_ONCE = min(4, os.cpu_count() or 1)


class OnnxEncoder(InputModule):
    """Turns texts into `token_embeddings`, float32 (texts, tokens, hidden), as the modules after it expect them."""

    config_file_name = "encoder.json"

    def __init__(
        self, folder: Path, session: InferenceSession, tokenizer: SentencePieceProcessor, max_seq_length: int = 512
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.folder, self.session, self.max_seq_length = folder, session, max_seq_length
        self.pieces: Any = tokenizer

    def token_count(self, text: str) -> int:
        """How many tokens `text` takes, the two that frame it included, before any cut at `max_seq_length`."""
        return len(self.pieces.encode(text)) + 2

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, torch.Tensor]:
        """`input_ids` and `attention_mask`, int64 (texts, tokens of the longest), cut at `max_seq_length`."""
        tokenised = self.pieces.encode([(prompt or "") + text for text in inputs])
        rows = [[BOS, *ids[: self.max_seq_length - 2], EOS] for ids in tokenised]
        input_ids = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
        for padded, row in zip(input_ids, rows, strict=True):
            padded[: len(row)] = row
        return {"input_ids": torch.from_numpy(input_ids), "attention_mask": torch.from_numpy(input_ids != PAD).long()}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """The same features with `token_embeddings` added; zeros where a text is shorter than the longest."""

        def run(ids: Any, length: int) -> torch.Tensor:
            return torch.from_numpy(self.session.run(None, {"input_ids": ids[None, :length]})[0][0])

        input_ids, lengths = features["input_ids"].numpy(), features["attention_mask"].sum(dim=1).tolist()
        if len(lengths) == 1:
            vectors = [run(input_ids[0], lengths[0])]
        else:
            with ThreadPoolExecutor(TEXTS_AT_ONCE) as pool:
                vectors = list(pool.map(run, input_ids, lengths))
        features["token_embeddings"] = torch.nn.utils.rnn.pad_sequence(vectors, batch_first=True)
        return features

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Copy the folder's files; nothing in them changes after they are unpacked."""
        for file in self.folder.iterdir():
            if file.is_file():
                shutil.copy(file, output_path)

    @classmethod
    def load(cls, model_name_or_path: str, *args: Any, **kwargs: Any) -> Self:
        folder = Path(model_name_or_path)
        return cls(folder, open_session(folder), open_tokenizer(folder), **cls.load_config(model_name_or_path))
