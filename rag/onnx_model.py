"""Encoders that come with the install as ONNX: the graph that they share, and the folder of the cache each is unpacked into once.

Nothing here imports torch, so a session can open while torch is still being imported.
"""

import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingModelError

if TYPE_CHECKING:
    from onnx import ModelProto
    from onnxruntime import InferenceSession

GRAPH, WEIGHTS, MANIFEST = "model.onnx", "model.onnx.weights", "manifest.json"


class Graph:
    """The graph of a BERT encoder as it grows: nodes and weights, each known by the name of its value."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def weight(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], *outputs: str, domain: str = "com.microsoft", **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def words(self, rows: NDArray[np.uint8], scales: NDArray[np.float32], *, bits: int, block: int) -> str:
        """The word embeddings of `input_ids`, from blocks of weights that share a scale."""
        inputs = [self.weight("words", rows), "input_ids", self.weight("words.scales", scales)]
        return self.node("GatherBlockQuantized", inputs, "word", block_size=block, bits=bits, gather_axis=0, quantize_axis=1)

    def dense(
        self, name: str, value: str, blocks: NDArray[np.uint8], scales: NDArray[np.float32], biases: NDArray[Any], bits: int
    ) -> str:
        """`value` times a matrix in blocks, uint8 (rows, blocks of a row, bytes of a block), plus biases; computed in int8."""
        outputs, columns, size = len(biases), blocks.shape[1], blocks.shape[2] * 8 // bits
        inputs = [value, self.weight(f"{name}.weight", blocks), self.weight(f"{name}.scales", scales.ravel()), "", ""]
        shape = {"K": columns * size, "N": outputs, "bits": bits, "block_size": size}
        return self.node("MatMulNBits", [*inputs, self.weight(f"{name}.biases", biases)], name, accuracy_level=4, **shape)

    def encoder(
        self,
        name: str,
        word: str,
        positions: NDArray[np.float32],
        norms: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
        dense: Callable[[str, str], str],
        *,
        layers: int,
        heads: int,
        epsilon: float,
    ) -> "ModelProto":
        """The whole graph: `input_ids`, int64 (1, tokens) -> float32 (1, tokens, hidden).

        One text at a time, so that a text's vector does not depend on the texts it came with. `positions`, (most tokens,
        hidden), are those of the positions with what all tokens have added; `norms` the gain and shift of "embedding", and of
        "0.middle" and "0.output" of each layer; `dense(part, value)` adds the node for "0.projected" (queries, keys and
        values), "0.attention", "0.inner" or "0.outer" of a layer.
        """
        from onnx import TensorProto, helper

        hidden = positions.shape[1]

        def residual_norm(place: str, value: str, added: str) -> str:
            gain, shift = (
                self.weight(f"{place}.{part}", array) for part, array in zip(("gain", "shift"), norms[place], strict=True)
            )
            return self.node("SkipLayerNormalization", [value, added, gain, shift], place, epsilon=epsilon)

        zero = self.weight("zero", np.array([0], np.int64))
        length = self.node("Shape", ["input_ids"], "length", domain="", start=1, end=2)
        position = self.node("Slice", [self.weight("positions", positions), zero, length, zero], "position", domain="")
        state = residual_norm("embedding", word, position)
        thirds = self.weight("thirds", np.full(3, hidden, np.int64))
        for layer in range(layers):
            parts = [f"{layer}.query", f"{layer}.key", f"{layer}.value"]
            self.node("Split", [dense(f"{layer}.projected", state), thirds], *parts, domain="", axis=2)
            attended = self.node("MultiHeadAttention", parts, f"{layer}.attended", num_heads=heads)
            state = residual_norm(f"{layer}.middle", state, dense(f"{layer}.attention", attended))
            inner = self.node("Gelu", [dense(f"{layer}.inner", state)], f"{layer}.gelu")
            state = residual_norm(f"{layer}.output", state, dense(f"{layer}.outer", inner))
        given = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
        returned = helper.make_tensor_value_info(state, TensorProto.FLOAT, [1, "tokens", hidden])
        graph = helper.make_graph(self._nodes, name, [given], [returned], self._weights)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def save_graph(graph: "ModelProto", folder: Path) -> None:
    """Write the graph, its weights in a file of their own: onnxruntime maps that one and reads the rows it needs."""
    import onnx

    onnx.save(graph, folder / GRAPH, save_as_external_data=True, location=WEIGHTS, size_threshold=1024)
    (folder / WEIGHTS).chmod(0o644)


def open_session(folder: Path) -> "InferenceSession":
    """The encoder, ready to run; it may be run from several threads at once."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    # Idle threads that spin take the core from whoever shares it: the web server, the neighbour on a free Space.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = 2  # a query of 15 tokens gains nothing from more; texts run side by side instead
    options.log_severity_level = 3
    return InferenceSession(folder / GRAPH, options, providers=["CPUExecutionProvider"])


def unpacked(cache_dir: Path, name: str, write: Callable[[Path], None]) -> Path:
    """The folder `name` under `cache_dir` with an intact model, written by `write(folder)` where it is missing or damaged.

    Raises `EmbeddingModelError` where the folder cannot be written.
    """
    from filelock import FileLock

    folder = cache_dir / name
    if is_intact(folder):  # no lock: a cache baked into a read-only image must do
        return folder
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(cache_dir / f"{name}.lock"):
            if not is_intact(folder):  # another process may have built it while this one waited
                _build(folder, write)
    except OSError as error:
        raise EmbeddingModelError(
            f"Cannot unpack the embedding models (about 120 MB) into {str(folder)!r}: {error}. "
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


def _build(folder: Path, write: Callable[[Path], None]) -> None:
    """Write the model into a new folder beside `folder`, then rename: half a model is never seen under its name."""
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        write(building)
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
