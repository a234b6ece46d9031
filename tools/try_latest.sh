#!/bin/sh
# try_latest.sh PYTHON FOLDER: all checks and tests with the newest versions that pyproject.toml
# allows, in an environment of their own. Says what failed, and which versions are not the locked ones.
set -eu
python=$1 folder=$2
bin=$folder/newest/bin

tools/make_venv.sh "$python" "$folder/newest"
"$bin/python" -m pip install --quiet --editable '.[ocr,chroma,fast]' \
  --group demo --group test --group check
"$bin/python" -m pip install --quiet --no-deps --target "$folder/newest/openvino" \
  openvino openvino-telemetry

failed=
try() { "$@" || failed="$failed
  $*"; }
try "$bin/python" -m pip check
try "$bin/ruff" format --check .
try "$bin/ruff" check .
try "$bin/mypy"
try "$bin/lint-imports" --no-cache
try "$bin/python" -m pytest
try tools/try_wheel.sh "$python" "$folder" --newest

"$bin/python" tools/compare_locks.py
if [ "$failed" ]; then
  echo "With the newest versions these fail:$failed" >&2
  exit 1
fi
echo "With the newest versions all passes. Take them: make lock UPGRADE=1"
