"""Files that are whole, sent whole or in part (RFC 9110, section 14), so that a download goes on where it broke off."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response

_CHUNK = 256 * 1024


def ranged(
    request: HttpRequest, file: Path, *, media_type: str, etag: str, name: str = ""
) -> HttpResponseBase:
    """The file as a download, or the part asked for.

    ``etag`` changes with the bytes; a part of another state of the file is not asked for by ``If-Range``. Several
    parts at once, and units other than bytes, are answered with the whole; a part beyond the end with 416.
    """
    size = file.stat().st_size
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{etag}"',
        "Content-Disposition": f'attachment; filename="{name or file.name}"',
    }
    if conditional := get_conditional_response(request, etag=headers["ETag"]):
        return conditional
    start, end, status = 0, size, 200
    asked = request.headers.get("Range", "") if request.method == "GET" else ""
    if asked and request.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
        part = _part(asked, size)
        if part is not None:
            start, end, status = *part, 206
            if start >= end:
                unsatisfied = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
                return HttpResponse(status=416, headers=unsatisfied)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return HttpResponse(headers=headers, content_type=media_type)
    content = file.open("rb")
    content.seek(start)
    chunks = _Chunks(content, end - start)
    return StreamingHttpResponse(chunks, headers=headers, content_type=media_type, status=status)


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """From where to where (excluded) of so many bytes; None where the whole is to be sent."""
    found = re.fullmatch(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", asked)
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


class _Chunks:
    """So many bytes of an open file; closed with the response, also when the client leaves early."""

    def __init__(self, content: BinaryIO, length: int) -> None:
        self._content, self._left = content, length

    def __iter__(self) -> Iterator[bytes]:
        while self._left and (data := self._content.read(min(_CHUNK, self._left))):
            self._left -= len(data)
            yield data

    def close(self) -> None:
        self._content.close()
