# syntax=docker/dockerfile:1
# NVIDIA's Triton with the models: the same model repository that `gatepostd up` serves.
#   docker build -f deploy/docker/triton.Dockerfile -t gatepost-triton .
# 24.12 is the first with Ubuntu 24.04, that is Python 3.12 (docs/triton.md).
ARG TRITON=24.12-py3
FROM nvcr.io/nvidia/tritonserver:${TRITON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_BREAK_SYSTEM_PACKAGES=1
# For pdqhash, which has no wheel.
RUN apt-get update && apt-get install -y --no-install-recommends g++ python3-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements/build.lock requirements/torch-cuda.lock requirements/triton.lock requirements/
RUN python3 -m pip install --no-deps --require-hashes --ignore-installed -r requirements/build.lock \
 && python3 -m pip wheel --no-deps --require-hashes -w /wheels -r requirements/torch-cuda.lock \
 && python3 -m pip wheel --no-deps --require-hashes --no-build-isolation -w /wheels -r requirements/triton.lock
COPY . .
RUN python3 -m pip wheel --no-deps --no-build-isolation -w /wheels ./proto ./clients/python .

FROM nvcr.io/nvidia/tritonserver:${TRITON}
# Into the image's own Python, whose packages the Python backend's stubs take.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    python3 -m pip install --break-system-packages --no-cache-dir --no-index --no-deps --ignore-installed /wheels/*.whl \
 && ln -s "$(python3 -c 'import gatepost_server; print(gatepost_server.__path__[0])')/model_repository" /models
# The root file system may be read-only: stubs write to /tmp and /dev/shm, which are mounted.
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1 GATEPOST_MODEL_DEVICE=auto
# triton-server of NVIDIA's image
USER 1000
WORKDIR /tmp
EXPOSE 8001 8002
# Without NVIDIA's entry point, which writes links into the root file system. Models are loaded at the start and never
# again: whoever reaches the ports may ask the models, and cannot load code. HTTP is for the health check inside.
ENTRYPOINT ["tritonserver", "--model-repository=/models", "--model-control-mode=none", "--disable-auto-complete-config", \
  "--http-address=127.0.0.1", "--metrics-address=0.0.0.0", "--metrics-config=summary_latencies=true", \
  "--backend-config=python,shm-region-prefix-name=gatepost"]
