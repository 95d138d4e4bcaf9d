# What a Hugging Face Space runs. Not its Gradio SDK: that installs gradio[mcp] beside requirements.txt, which wants mcp below 2
# and pydantic below 2.13, so that pip finds no answer.
FROM python:3.11
RUN useradd --create-home --uid 1000 user
USER user
ENV PATH=/home/user/.local/bin:$PATH
WORKDIR /home/user/app
# An index that carries PyTorch's CPU wheels spares the image several GB of CUDA; on a Space a variable of this name sets it.
ARG PIP_EXTRA_INDEX_URL
COPY --chown=user requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY --chown=user . .
# A Space wakes with the disk of its image: with the index in it, it need not be built again.
RUN python -m ingest build
EXPOSE 7860
CMD ["python", "app.py"]
