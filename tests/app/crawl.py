"""A crawler that opens every page the pages link to and records broken links."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient

LINKS = ("href", "src", "hx-get")
HOST = "localhost"
MOST_PAGES = 1_000
"""Several times the number of pages in these tests' small world: a crawl that reaches it is going in circles."""


class Crawl:
    """Follows every link and GET form, and records where the other forms lead.

    Addresses that differ only in their query's values count as one page; the first one found is opened.
    """

    def __init__(self, app: Flask, client: FlaskClient) -> None:
        self.endpoints: set[str] = set()
        """Endpoints that a page leads to by a link or a form."""
        self.pages: dict[str, str] = {}
        """The HTML of every page by its address."""
        self.broken: list[str] = []
        self.opened: list[str] = []
        """Every requested address."""
        self.forms: dict[str, dict[str, str]] = {}
        """The fields of every POST form, by its target."""
        self._map = app.url_map.bind(HOST)
        self._client = client
        self._waiting = deque([("/", "the home page")])
        self._seen: set[tuple[str, frozenset[str]]] = set()

    def run(self) -> Crawl:
        while self._waiting:
            url, source = self._waiting.popleft()
            parts = urlsplit(url)
            page = (parts.path, frozenset(name for name, _ in parse_qsl(parts.query)))
            if page not in self._seen:
                self._seen.add(page)
                assert len(self._seen) < MOST_PAGES, f"the crawl does not terminate; now at {url}"
                self._open(url, source)
        return self

    def queries(self) -> list[tuple[str, dict[str, str]]]:
        """Return the path and query of one opened address for each endpoint and set of names in its query."""
        found: dict[tuple[str, frozenset[str]], tuple[str, dict[str, str]]] = {}
        for url in self.opened:
            path, query = urlsplit(url).path, dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
            if query:
                found.setdefault((self._endpoint(path, "GET"), frozenset(query)), (path, query))
        return list(found.values())

    def kinds_of_forms(self) -> list[tuple[str, dict[str, str]]]:
        """Return the target and fields of one POST form for each endpoint and set of fields."""
        found: dict[tuple[str, frozenset[str]], tuple[str, dict[str, str]]] = {}
        for url, fields in self.forms.items():
            found.setdefault((self._endpoint(urlsplit(url).path, "POST"), frozenset(fields)), (url, fields))
        return list(found.values())

    def _endpoint(self, path: str, method: str) -> str:
        return str(self._map.match(path, method)[0])

    def _open(self, url: str, source: str) -> None:
        self._note(url, "GET", source)
        self.opened.append(url)
        answer = self._client.get(url, follow_redirects=True)
        with answer:
            here, status, text = answer.request.full_path.rstrip("?"), answer.status_code, answer.get_data()
        if status >= 400:
            self.broken.append(f"{source} leads to {url}, which returns {status}")
        self._note(here, "GET", source)
        if answer.mimetype == "text/html":
            self.pages[here] = text.decode()
            self._read(BeautifulSoup(text, "html.parser"), here)

    def _read(self, page: BeautifulSoup, here: str) -> None:
        for name in LINKS:
            # A form with hx-get is followed below, with its fields.
            for tag in page.select(f"[{name}]:not(form)"):
                self._add(urljoin(here, str(tag[name])), here)
        for tag in page.select("[hx-post]"):
            self._note(urljoin(here, str(tag["hx-post"])), "POST", here)
        for form in page.find_all("form"):
            action = urljoin(here, str(form.get("action") or here))
            if str(form.get("method", "get")).lower() == "dialog":
                continue  # It closes its dialog, and sends nothing.
            if str(form.get("method", "get")).lower() == "post":
                self._note(action, "POST", here)
                self.forms.setdefault(action, {}).update(_fields(form))
            else:
                for query in _submissions(form):
                    self._add(f"{action.partition('?')[0]}?{urlencode(query)}", here)

    def _add(self, url: str, source: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"", "http", "https"} and parts.netloc in {"", HOST}:
            self._waiting.append((parts._replace(scheme="", netloc="", fragment="").geturl(), source))

    def _note(self, url: str, method: str, source: str) -> None:
        try:
            endpoint, _ = self._map.match(urlsplit(url).path, method)
        except HTTPException as error:
            self.broken.append(f"{source} leads to {method} {url}: {error}")
        else:
            self.endpoints.add(endpoint)


def _submissions(form: Tag) -> Iterator[list[tuple[str, str]]]:
    """Yield what the unchanged form sends, once for each of its buttons."""
    for button in form.find_all("button", type="submit"):
        chosen = [(str(button["name"]), str(button.get("value", "")))] if button.get("name") else []
        yield [*_fields(form).items(), *chosen]


def _fields(form: Tag) -> dict[str, str]:
    """Return the unchanged fields; of checkboxes and radio buttons with none checked, the first is chosen."""
    fields: dict[str, str] = {}
    for field in form.select("input[name], select[name], textarea[name]"):
        if field.get("type") not in {"checkbox", "radio"} or field.has_attr("checked"):
            fields[str(field["name"])] = _value(field)
        else:
            fields.setdefault(str(field["name"]), _value(field))
    return fields


def _value(field: Tag) -> str:
    if field.name != "select":
        return str(field.get("value", "")) if field.name == "input" else field.get_text()
    option = field.find("option", selected=True) or field.find("option")
    return str(option.get("value", "")) if isinstance(option, Tag) else ""
