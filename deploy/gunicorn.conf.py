"""`gunicorn -c deploy/gunicorn.conf.py registry.wsgi`: the server, on loopback behind a proxy."""

import os

_postgresql = os.environ.get("DATABASE_URL", "").startswith("postgres")

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
# SQLite has one writer at a time: more threads would only wait for it.
threads = int(os.environ.get("WEB_THREADS", "16" if _postgresql else "8"))
# A download holds its thread for as long as its client takes, and all may come to one process.
if threads <= int(os.environ.get("DOWNLOADS_AT_ONCE", "4")):
    raise ValueError(
        "WEB_THREADS must exceed DOWNLOADS_AT_ONCE, so that pages are answered beside downloads."
    )
# A proxy keeps its connections open longer than a browser would.
keepalive = 30
# Filters in CQL2 stand in the address; nginx takes as much.
limit_request_line = 8190
graceful_timeout = 30
errorlog = "-"
# The proxy logs requests; a second log with addresses of readers is one too many.
accesslog = None
control_socket_disable = True
