#!/bin/sh
# Sees to a Chromium for the browser tests: the machine's own, Debian's, or Playwright's.
set -u

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$name" && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -q &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      chromium fonts-liberation && exit 0
fi
.venv/bin/playwright install chromium && exit 0
echo "No Chromium: the browser tests are skipped. Install one: sudo apt-get install chromium" >&2
