#!/usr/bin/env bash
# Resolves requirements/*.in into *.lock with uv, from PyPI alone. Pins that still fit stay; `lock.sh --upgrade` takes
# the newest, `lock.sh --upgrade-package NAME` the newest of one.
set -euo pipefail
cd "$(dirname "$0")/.."
ours=(--no-emit-package gatepost --no-emit-package gatepost-proto --no-emit-package gatepost-client)
compile() { # NAME and options
  local name=$1
  shift
  uv pip compile --quiet --generate-hashes --default-index https://pypi.org/simple --custom-compile-command "make lock" \
    "requirements/$name.in" --output-file "requirements/$name.lock" "${ours[@]}" "$@"
}
anywhere=(--universal --python-version 3.11)
compile gatepost "${anywhere[@]}" --no-emit-package torch "$@"
compile build "${anywhere[@]}" --constraint requirements/gatepost.lock "$@"
# Without pyproject.toml's word on torch: here the CUDA build's own needs are wanted.
compile torch-cuda "${anywhere[@]}" --no-config --constraint requirements/gatepost.lock "$@"
# The same pins once more, of what either image needs (deploy/docker), for its one platform and its Python.
image=(--python-platform x86_64-manylinux_2_36 --constraint requirements/gatepost.lock --no-emit-package torch)
compile gateway "${image[@]}" --python-version 3.11 "$@"
compile triton "${image[@]}" --python-version 3.12 --no-emit-package nvidia-pytriton "$@" # the image has a tritonserver
