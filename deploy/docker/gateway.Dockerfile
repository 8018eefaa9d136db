# syntax=docker/dockerfile:1
# Gateways and consoles: everything that asks Triton, and nothing of torch, Triton or Ray.
#   docker build -f deploy/docker/gateway.Dockerfile -t gatepost-gateway .
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/build.lock requirements/gateway.lock requirements/
RUN python -m pip install --no-deps --require-hashes -r requirements/build.lock \
 && python -m pip wheel --no-deps --require-hashes --no-build-isolation -w /wheels -r requirements/gateway.lock
COPY . .
RUN python -m pip wheel --no-deps --no-build-isolation -w /wheels ./proto ./clients/python . \
 && python -m venv --without-pip /opt/gatepost \
 && python -m pip --python /opt/gatepost/bin/python install --no-index --no-deps /wheels/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin gatepost \
 && install -d -o gatepost -g gatepost -m 0700 /var/lib/gatepost /ticket-keys
COPY --from=build /opt/gatepost /opt/gatepost
# The root file system may be read-only: what is written goes to /var/lib/gatepost and /tmp, which are mounted.
ENV PATH=/opt/gatepost/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    GATEPOST_LOG_FORMAT=json GATEPOST_GATEWAY_LISTEN=0.0.0.0:50051 GATEPOST_GATEWAY_HTTP_LISTEN=0.0.0.0:8080
USER 10001
WORKDIR /var/lib/gatepost
EXPOSE 50051 8080
ENTRYPOINT ["gatepostd"]
CMD ["gateway"]
