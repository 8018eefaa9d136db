#!/usr/bin/env bash
# Resolves requirements/*.in into *.lock with uv, from PyPI alone. Pins that still fit stay; `lock.sh --upgrade` takes
# the newest, `lock.sh --upgrade-package NAME` the newest of one.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --default-index https://pypi.org/simple
  --custom-compile-command "make lock" "$@")
"${compile[@]}" requirements/gatepost.in --output-file requirements/gatepost.lock --no-emit-package torch \
  --no-emit-package gatepost --no-emit-package gatepost-proto --no-emit-package gatepost-client
"${compile[@]}" requirements/build.in --output-file requirements/build.lock --constraint requirements/gatepost.lock
# Without pyproject.toml's word on torch: here the CUDA build's own needs are wanted.
"${compile[@]}" --no-config requirements/torch-cuda.in --output-file requirements/torch-cuda.lock \
  --constraint requirements/gatepost.lock
