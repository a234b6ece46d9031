#!/bin/sh
# try_wheel.sh PYTHON FOLDER [--newest]: builds the wheel, installs it beside the default install
# alone, as locked or the newest there is, and does the main job.
set -eu
python=$1 folder=$2 newest=${3-}
most_packages=80 most_mb=970

rm -rf "$folder/bare" "$folder/wheel" "$folder/tiny.atlas"
.venv/bin/python -m build --wheel --no-isolation --outdir "$folder/wheel" . >/dev/null
tools/make_venv.sh "$python" "$folder/bare"
pip="$folder/bare/bin/python -m pip"
if [ "$newest" ]; then
  $pip install --quiet "$folder"/wheel/bilderatlas-*.whl
else
  $pip install --quiet --require-hashes --requirement locks/default.txt
  $pip install --quiet --no-deps "$folder"/wheel/bilderatlas-*.whl
fi
$pip check

size() { du -s --apparent-size --block-size=1MB "$@" | cut -f1; } # MB = 1,000,000 bytes
n_packages=$($pip list --format=freeze --exclude pip | wc -l)
mb=$(size --exclude=__pycache__ "$folder/bare")
bytecode_mb=$(($(size "$folder/bare") - mb)) # made by Python from the packages, not installed
echo "The default install: $n_packages packages, $mb MB, and $bytecode_mb MB of bytecode;" \
  "the wheel: $(size "$folder"/wheel/*.whl) MB"
if [ "$n_packages" -gt $most_packages ] || [ "$mb" -gt $most_mb ]; then
  echo "At most $most_packages packages and $most_mb MB were promised. See: pip list, du" >&2
  exit 1
fi

cd "$folder" # away from the sources
bare/bin/bilderatlas --help >/dev/null
photographs=$(bare/bin/python -c 'import sklearn, pathlib; print(pathlib.Path(sklearn.__file__).parent / "datasets/images")')
bare/bin/bilderatlas index tiny "$photographs"
bare/bin/bilderatlas search tiny "a flower" -k 1 | tee found.txt
grep -q flower.jpg found.txt
