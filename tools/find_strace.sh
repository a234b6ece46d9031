#!/bin/sh
# Sees to strace for the test of what leaves the machine: the machine's own, or Debian's.
set -u

command -v strace && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -q &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends strace && exit 0
fi
echo "No strace: what leaves the machine is not recorded. Install it: sudo apt-get install strace" >&2
