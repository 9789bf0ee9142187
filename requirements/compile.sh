#!/bin/sh
# Resolves the lock files: hashed, without addresses, good for Python 3.11 and later.
#   all.txt    everything: development, tests, service, tracking, benchmarks
#   serve.txt  what a machine that serves needs
set -eu
uv=${1:-uv}
cd "$(dirname "$0")/.."
resolve() {
    "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links --no-annotate "$@"
}
resolve --all-extras requirements/build.in -o requirements/all.txt
resolve --extra serve requirements/build.in -o requirements/serve.txt
