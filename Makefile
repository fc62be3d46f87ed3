# make demo: see pipework at work, without root and without Docker.
# make test: everything; as root it installs the Debian packages of the lab first.

PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test

demo: .venv/has-pipework
	.venv/bin/pipework demo

test: .venv/has-nox
	tools/install-lab.sh
	.venv/bin/nox

.venv/has-pipework: pyproject.toml tools/make-venv.sh
	tools/make-venv.sh
	@touch $@

.venv/has-nox: .venv/has-pipework
	$(PIP) nox
	@touch $@
