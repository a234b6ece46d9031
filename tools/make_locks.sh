#!/bin/sh
# make_locks.sh PYTHON [--upgrade]: what pyproject.toml asks for -> locks/*.txt, a file for each step
# of setting up: what it adds to the steps before, with the hashes of all files of each package.
# What is locked stays as far as pyproject.toml lets it; with --upgrade the newest is taken.
#
# torch is in none: its builds differ by machine. parity.txt holds what stands beside it.
set -eu
python=$1 upgrade=${2-}
build=build/locks
steps="pip default demo test openvino parity"

asked_by() {
  case $1 in
  pip) echo --group pip ;;
  default) echo pyproject.toml ;;
  demo) echo pyproject.toml --group demo --group build ;;
  test) echo pyproject.toml --group test --group check --extra ocr --extra chroma --extra fast ;;
  openvino) echo pyproject.toml --extra openvino ;;
  parity) echo pyproject.toml --group parity ;;
  esac
}
compile() {
  "$build/bin/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --overrides "$build/without-torch.txt" --custom-compile-command "make lock" "$@"
}
names() { sed -n 's/^\([a-z0-9][^=]*\)==.*/\1/p' "$1" | sort -u; }

tools/make_venv.sh "$python" "$build"
"$build/bin/python" -m pip install --quiet --group lock
echo 'torch; python_version < "3"' >"$build/without-torch.txt"

# All in one resolution first, so that no step takes a version that another cannot.
cat locks/*.txt >"$build/all.txt"
# shellcheck disable=SC2046,SC2086  # options are words
compile $upgrade $(for step in $steps; do asked_by "$step"; done) --output-file "$build/all.txt"

there=
for step in $steps; do
  # shellcheck disable=SC2046,SC2086
  compile $(asked_by "$step") $there --constraints "$build/all.txt" --output-file "$build/$step.txt"
  there="$there $(names "$build/$step.txt" | sed 's/^/--no-emit-package /' | tr '\n' ' ')"
done
for step in $steps; do
  sed '/#   -c /d' "$build/$step.txt" >"$build/lock"
  # A file that is as it was keeps its time: make sets nothing up again.
  cmp -s "$build/lock" "locks/$step.txt" || cp "$build/lock" "locks/$step.txt"
done
