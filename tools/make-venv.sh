#!/bin/sh
# Make .venv with this project in it, from the first Python that is new enough.
set -eu

die() {
    echo "make-venv: $*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=''
for candidate in python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do
    if is_new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || die 'Python 3.11 or newer is needed; install it and put it on PATH as python3'

# Debian keeps the part that puts pip into an environment in a package of its own.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        die "$python cannot make virtual environments yet; run as root: apt-get install python3-venv"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update || true
    apt-get -q -y --no-install-recommends install python3-venv
fi

"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[up]"
