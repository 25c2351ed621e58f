"""Server of the page: reads only, answers the loopback address only.

A page elsewhere could have a browser ask us under a name of its own (DNS rebinding), so
any other Host than the loopback's is refused. Nothing is loaded from anywhere.
"""

import base64
import hashlib
import socket
from pathlib import Path
from typing import Any

from barsieve.core.errors import BarsieveError
from barsieve.core.extras import needed
from barsieve.live.page.view import Viewer
from barsieve.report.render import PAGE as REPORT_PAGE

PAGE = Path(__file__).parent
HOST = "127.0.0.1"
HOSTS = (HOST, "localhost")


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def page_text() -> tuple[str, str]:
    """Return the page, and the policy that lets it load its own script and figures."""
    script = '"use strict";\n' + (PAGE / "live.js").read_text("utf-8")
    style = (REPORT_PAGE / "style.css").read_text("utf-8")
    style += (PAGE / "live.css").read_text("utf-8")
    text = (PAGE / "live.html").read_text("utf-8")
    text = text.replace("/* style */", style).replace("/* script */", script)
    policy = (
        f"default-src 'none'; script-src {_hashed(script)}; "
        f"style-src {_hashed(style)}; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


def application(viewer: Viewer) -> Any:
    """Return the server's application; raises MissingExtraError without the extra."""
    needed("starlette", "live", by="barsieve paper serve")
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    text, policy = page_text()
    always = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

    def page(request: Request) -> Response:
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(text, headers=always | headers)

    def figures(request: Request) -> Response:
        try:
            version, document = viewer.look()
        except BarsieveError as error:
            return JSONResponse({"fault": str(error)}, headers=always)
        tag = f'"{version}"'
        headers = always | {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return JSONResponse(document, headers=headers)

    return Starlette(
        routes=[
            Route("/", page, methods=["GET"]),
            Route("/figures.json", figures, methods=["GET"]),
        ],
        middleware=[
            Middleware(
                TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False
            )
        ],
    )


def server(viewer: Viewer, port: int) -> tuple[Any, Any]:
    """Return a server on the loopback address, and its open socket.

    Port 0 is one that is free. Raises OSError for one that is not, MissingExtraError
    without the extra.
    """
    uvicorn = needed("uvicorn", "live", by="barsieve paper serve")
    config = uvicorn.Config(
        application(viewer), host=HOST, port=port, log_level="warning",
        access_log=False, server_header=False, timeout_graceful_shutdown=1,
        lifespan="off",
    )  # fmt: skip
    return uvicorn.Server(config), socket.create_server((HOST, port))
