"""Files that are sent: what is too large is refused before it is read."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class Limit(FileUploadHandler):
    """The first of the upload handlers. It looks at what a request says of its length, and keeps nothing."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, *more: Any, **kwargs: Any
    ) -> None:
        if content_length > settings.MAX_IMPORT_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("What was sent is larger than any file may be.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
