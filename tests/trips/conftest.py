"""Pages in a real browser, against a real server. Whatever script fails, whatever the content security
policy blocks and whatever is asked of another host fails the test."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests.chromium import chromium

#: Milliseconds: a busy machine is no fault of the page's.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def new_page(browser: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """Opens pages: `new_page(person, javascript=False, width=360)`, each with cookies of its own, and
    already signed in where a person is given."""
    contexts = []
    faults: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: "Content Security" in line.text and faults.append(line.text))
        page.on("request", lambda request: request.url.startswith(ours) or faults.append(request.url))

    ours = (live_server.url, "data:", "blob:", "about:")

    def new_page(person=None, *, javascript: bool = True, width: int = 1280, **options) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": 800},
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if person:
            client = Client()
            client.force_login(person)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
            )
        context.on("page", watch)
        return context.new_page()

    yield new_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A visitor's page."""
    return new_page()
