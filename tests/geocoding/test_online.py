"""An online geocoder that answers, fails, stalls and talks nonsense, on loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from registry.geocoding import online
from registry.geocoding.online import Online, Unavailable, retry_delay


class Nominatim:
    """Answers as Nominatim's /search does: `status`, `body` and `wait` may be set."""

    def __init__(self):
        self.status, self.body, self.wait, self.headers, self.asked = 200, [], 0.0, {}, []
        self.let_go = threading.Event()
        nominatim = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                nominatim.asked.append(parse_qs(urlsplit(self.path).query)["q"][0])
                nominatim.let_go.wait(nominatim.wait)
                body = (
                    nominatim.body
                    if isinstance(nominatim.body, bytes)
                    else json.dumps(nominatim.body).encode()
                )
                self.send_response(nominatim.status)
                for name, value in nominatim.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *values):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def nominatim():
    nominatim = Nominatim()
    yield nominatim
    nominatim.let_go.set()
    nominatim.server.shutdown()
    nominatim.server.server_close()


@pytest.fixture
def service(nominatim):
    options = {"domain": nominatim.host, "scheme": "http", "user_agent": "register", "timeout": 0.5}
    return Online("nominatim", options, interval_s=0)


def place(lat="49.8354", lon="36.6865", **more):
    return {"lat": lat, "lon": lon, "display_name": "Соборна 5, Чугуїв", "addresstype": "building", **more}


def test_a_good_answer_becomes_a_candidate(nominatim, service, gazetteer):
    nominatim.body = [place(importance=0.4)]
    answer = service.ask("Соборна 5, Чугуїв", country="UA", adm1_code="UA-63", gazetteer=gazetteer)
    assert answer.outcome == "found"
    best = answer.candidates[0]
    assert (best.lat, best.lon, best.geo_precision) == (49.8354, 36.6865, "exact")
    assert (best.country, best.adm1_code, best.timezone) == ("UA", "UA-63", "Europe/Kyiv")
    assert (best.how, best.matched) == ("nominatim", "Соборна 5, Чугуїв")
    assert nominatim.asked[0] == "Соборна 5, Чугуїв"


def test_a_place_outside_the_named_region_is_refused(nominatim, service, gazetteer):
    nominatim.body = [place()]
    answer = service.ask("Соборна 5", country="UA", adm1_code="UA-59", gazetteer=gazetteer)
    assert (answer.outcome, len(answer.candidates)) == ("outside", 1)


def test_equally_good_places_are_ambiguous(nominatim, service, gazetteer):
    nominatim.body = [place(), place(lat="49.2", lon="37.27")]
    assert service.ask("Соборна 5", adm1_code="UA-63", gazetteer=gazetteer).outcome == "ambiguous"


def test_no_place_is_an_answer_too(service, gazetteer):
    assert service.ask("Соборна 5", gazetteer=gazetteer).outcome == "not_found"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_failures_are_unavailable(nominatim, service, gazetteer, status):
    nominatim.status = status
    with pytest.raises(Unavailable):
        service.ask("Соборна 5", gazetteer=gazetteer)


def test_the_service_may_say_when_to_come_back(nominatim, service, gazetteer):
    nominatim.status, nominatim.headers = 429, {"Retry-After": "77"}
    with pytest.raises(Unavailable) as error:
        service.ask("Соборна 5", gazetteer=gazetteer)
    assert error.value.retry_after == 77


def test_a_slow_or_absent_service_is_unavailable(nominatim, service, gazetteer):
    nominatim.wait = 30
    with pytest.raises(Unavailable):
        service.ask("Соборна 5", gazetteer=gazetteer)
    gone = Online(
        "nominatim", {"domain": "127.0.0.1:9", "scheme": "http", "user_agent": "register"}, interval_s=0
    )
    with pytest.raises(Unavailable):
        gone.ask("Соборна 5", gazetteer=gazetteer)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>maintenance</html>",
        b"\xff\xfe",
        {"hello": "world"},
        [1, 2],
        [{"lat": "49.8"}],
        [{"lat": "north", "lon": "east", "display_name": "x"}],
        [{"lat": "154.5", "lon": "36.6", "display_name": "x"}],
        [{"lat": "49.8", "lon": "636.6", "display_name": "x"}],
        [{"lat": "NaN", "lon": "36.6", "display_name": "x"}],
        [{"lat": "49.8", "lon": "Infinity", "display_name": "x"}],
        b"",
    ],
)
def test_nonsense_is_unavailable(nominatim, service, gazetteer, body):
    nominatim.body = body
    with pytest.raises(Unavailable):
        service.ask("Соборна 5", gazetteer=gazetteer)


def test_answers_are_kept_and_failures_are_not(nominatim, gazetteer, tmp_path):
    options = {"domain": nominatim.host, "scheme": "http", "user_agent": "register"}
    service = Online("nominatim", options, cache=tmp_path / "asked.sqlite3", interval_s=0)
    nominatim.status = 500
    with pytest.raises(Unavailable):
        service.ask("Соборна 5", gazetteer=gazetteer)
    nominatim.status, nominatim.body = 200, [place()]
    first = service.ask("Соборна 5", gazetteer=gazetteer)
    again = Online("nominatim", options, cache=tmp_path / "asked.sqlite3", interval_s=0)
    assert again.ask("Соборна 5", gazetteer=gazetteer) == first
    assert len(nominatim.asked) == 2


def test_questions_keep_their_distance_and_kept_answers_do_not_wait(
    nominatim, gazetteer, tmp_path, monkeypatch
):
    clock = SimpleNamespace(now=100.0, slept=[])
    clock.monotonic = lambda: clock.now
    clock.sleep = clock.slept.append
    monkeypatch.setattr(online, "time", clock)
    options = {"domain": nominatim.host, "scheme": "http", "user_agent": "register"}
    service = Online("nominatim", options, cache=tmp_path / "asked.sqlite3")
    for query in ("a", "b", "a", "a"):
        service.ask(query, gazetteer=gazetteer)
    clock.now += 0.75
    service.ask("c", gazetteer=gazetteer)
    clock.now += 60
    service.ask("d", gazetteer=gazetteer)
    assert nominatim.asked == ["a", "b", "c", "d"]
    assert clock.slept == [0, 1, 0.25, 0]


def test_waiting_doubles_and_ends():
    assert [retry_delay(attempt) for attempt in (1, 2, 3)] == [60, 120, 240]
    assert retry_delay(50) == 6 * 3600
    assert retry_delay(1, 600) == 600


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("г. Чугуев, ул. Соборная, д. 5", "Чугуев, ул. Соборная, 5"),
        ("м. Чугуїв, вул. Соборна, буд. 5, кв. 12", "Чугуїв, вул. Соборна, 5"),
        ("Садова вулиця 3, с. Дом Отдыха", "Садова вулиця 3, Дом Отдыха"),
        ("Main St 5, Mr. D. Town", "Main St 5, Mr. D. Town"),
    ],
)
def test_words_that_a_service_does_not_know_are_left_out(nominatim, service, gazetteer, typed, asked):
    service.ask(typed, gazetteer=gazetteer)
    assert nominatim.asked == [asked]
