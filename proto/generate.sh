#!/usr/bin/env bash
# Regenerates the committed stubs from the .proto files; `make proto-check` fails when they differ.
set -euo pipefail
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m grpc_tools.protoc -I. --python_out=. --grpc_python_out=. --mypy_out=quiet:. --mypy_grpc_out=quiet:. gatepost/v1/*.proto
