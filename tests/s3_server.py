"""An S3 server over a real socket (moto's), and what a client needs to reach it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import boto3
from moto.server import ThreadedMotoServer

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@contextlib.contextmanager
def s3_server(*buckets: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Serves until the block ends; gives its URL and the environment that points obstore and boto3 at it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        environment = ENVIRONMENT | {"AWS_ENDPOINT_URL": url}
        client = client_of(url)
        for bucket in buckets:
            client.create_bucket(Bucket=bucket)
        yield url, environment
    finally:
        server.stop()


def client_of(url: str):
    """boto3's client."""
    known = {name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()}
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=known["AWS_REGION"],
        aws_access_key_id=known["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=known["AWS_SECRET_ACCESS_KEY"],
    )
