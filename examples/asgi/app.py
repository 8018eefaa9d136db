"""A site whose pictures leave it only with a release ticket.

pip install gatepost-client starlette uvicorn
GATEPOST_JWKS=https://gatepost.internal/.well-known/jwks.json uvicorn app:app
"""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from gatepost_client.tickets import JwksUrl
from gatepost_client.tickets.asgi import TicketMiddleware

site = Starlette(
    routes=[
        Mount("/pictures", StaticFiles(directory=os.environ.get("PICTURES", "pictures"))),  # /pictures/x.png?ticket=...
        Mount("/static", StaticFiles(directory=os.environ.get("STATIC", "static"))),  # the site's own logo
    ]
)

# Outermost, so that nothing is added after the check.
app = TicketMiddleware(
    site,
    keys=JwksUrl(os.environ.get("GATEPOST_JWKS", "http://127.0.0.1:8080/.well-known/jwks.json")),
    audience=os.environ.get("GATEPOST_AUDIENCE", "greeting-card"),
    except_for=["/static/"],
)
