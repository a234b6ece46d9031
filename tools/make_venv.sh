#!/bin/sh
# make_venv.sh PYTHON FOLDER: a virtual environment with a current pip.
set -eu
python=$1 folder=$2

if ! command -v "$python" >/dev/null; then
  echo "There is no $python. Install Python 3.11 or newer, or name one: make PYTHON=python3.12 demo" >&2
  exit 1
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "$python is Python $version; expected 3.11 or newer. Name one: make PYTHON=python3.12 demo" >&2
  exit 1
fi

# Debian keeps ensurepip, which venv needs, in a package of its own.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q "python$version-venv"
  else
    echo "$python cannot make virtual environments. Run: sudo apt-get install python$version-venv" >&2
    exit 1
  fi
fi

"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --require-hashes --requirement locks/pip.txt
