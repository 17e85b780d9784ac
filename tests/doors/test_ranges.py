"""Whole files go on where a download broke off."""

import pytest
from django.test import RequestFactory

from registry.views.ranges import ranged

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def ask(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_bytes(CONTENT)

    def asked(method="get", **headers):
        request = getattr(RequestFactory(), method)("/", headers=headers)
        answer = ranged(request, file, media_type="text/csv", etag="abc")
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answer.close()
        return answer, body

    return asked


def test_the_whole_says_that_parts_may_be_asked_for(ask):
    answer, body = ask()
    assert (answer.status_code, body) == (200, CONTENT)
    assert (answer["Accept-Ranges"], answer["ETag"], answer["Content-Length"]) == ("bytes", '"abc"', "1024")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=1000-", 1000, 1024), ("bytes=-24", 1000, 1024), ("bytes=10-99999", 10, 1024),
     ("bytes=-5000", 0, 1024)],
)  # fmt: skip
def test_a_part_is_what_was_asked_for(ask, asked, start, end):
    answer, body = ask(Range=asked)
    assert (answer.status_code, body) == (206, CONTENT[start:end])
    assert answer["Content-Range"] == f"bytes {start}-{end - 1}/1024"
    assert answer["Content-Length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "rows=1-2", "bytes=-", "bytes=9-3", "bytes=a-b"])
def test_what_is_not_one_part_is_answered_with_the_whole(ask, asked):
    answer, body = ask(Range=asked)
    assert (answer.status_code, len(body)) == (200, 1024)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_part_beyond_the_end_is_refused_with_the_length(ask, asked):
    answer, body = ask(Range=asked)
    assert (answer.status_code, answer["Content-Range"], body) == (416, "bytes */1024", b"")


def test_a_part_of_another_state_is_not_sent(ask):
    assert ask(Range="bytes=5-", **{"If-Range": '"abc"'})[0].status_code == 206
    assert ask(Range="bytes=5-", **{"If-Range": '"old"'})[0].status_code == 200


def test_what_is_here_already_is_not_sent_again_and_a_head_has_no_body(ask):
    assert ask(**{"If-None-Match": '"abc"'})[0].status_code == 304
    answer, body = ask("head")
    assert (answer["Content-Length"], body) == ("1024", b"")
