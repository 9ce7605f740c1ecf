"""Every log line says which request, job, store, merchant and order it is about."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.errors import NotSent
from portal.engine.fan_out import fan_out
from portal.logs.request_ids import HEADER, RequestIds
from portal.logs.setup import JsonFormatter, TextFormatter
from portal.logs.work import CurrentWork, found, working_on
from portal.proxies import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from portal.engine.fan_out import Done

log = logging.getLogger(__name__)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, object]]]:
    """The lines as JSON, each once it is logged."""
    made: list[dict[str, object]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            made.append(json.loads(JsonFormatter().format(record)))

    handler = Handler()
    handler.addFilter(CurrentWork())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield made
    log.removeHandler(handler)


def test_lines_have_the_fields_of_every_surrounding_block(lines: list[dict[str, object]]) -> None:
    with working_on(job="poll-7-1", job_name="poll"):
        with working_on(store=7):
            found(merchant=816)
            log.info("inner", extra={"store": 8})
        log.info("outer")
    log.info("none")
    fields = [{name: line.get(name) for name in ("job", "job_name", "store", "merchant")} for line in lines]
    assert fields == [
        {"job": "poll-7-1", "job_name": "poll", "store": 8, "merchant": 816},
        {"job": "poll-7-1", "job_name": "poll", "store": None, "merchant": None},
        {"job": None, "job_name": None, "store": None, "merchant": None},
    ]


def test_error_takes_along_what_it_was_about(lines: list[dict[str, object]]) -> None:
    with working_on(job="poll-7-1"):
        try:
            with working_on(store=7), working_on(order="LMFN-1"):
                int("not a number")
        except ValueError:
            log.exception("failed")
    assert (lines[0]["job"], lines[0]["store"], lines[0]["order"]) == ("poll-7-1", 7, "LMFN-1")


def test_threads_of_a_fan_out_say_what_they_work_for(lines: list[dict[str, object]]) -> None:
    class Steps:
        def __init__(self) -> None:
            self.left = list(range(6))

        def take(self, room: int) -> Sequence[int]:
            taken, self.left = self.left[:room], self.left[room:]
            return taken

        def call(self, work: int) -> int:
            with working_on(order=f"N-{work}"):
                log.info("called")
            raise NotSent("we couldn't.", service="We")

        def record(self, answers: Sequence[Done[int, int]]) -> None: ...

    with working_on(merchant=816):
        fan_out(Steps(), width=lambda: 3, threads=3, commit=lambda: None)
    assert {line["merchant"] for line in lines} == {816}
    assert {line["order"] for line in lines} == {f"N-{number}" for number in range(6)}


def test_text_lines_have_the_fields_too() -> None:
    record = logging.makeLogRecord({"msg": "page.failed", "levelname": "ERROR"})
    with working_on(request="abc"):
        CurrentWork().filter(record)
    assert TextFormatter().format(record).endswith("page.failed request='abc'")


def answered(peer: str, given_id: str | None) -> tuple[str, str]:
    """Return the id in the answer's header, and the one that lines had while the body was made."""
    headers: dict[str, str] = {}
    logged: list[str] = []

    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])

        def body() -> Iterator[bytes]:
            record = logging.makeLogRecord({})
            CurrentWork().filter(record)
            logged.append(vars(record)["request"])
            yield b"ok"

        return body()

    environ: WSGIEnvironment = {"REMOTE_ADDR": peer}
    if given_id is not None:
        environ["HTTP_X_REQUEST_ID"] = given_id
    setup_testing_defaults(environ)

    def start(_: str, pairs: list[tuple[str, str]], *__: object) -> object:
        headers.update(pairs)
        return None

    list(TrustedProxies(RequestIds(app), "127.0.0.1/32")(environ, start))  # type: ignore[arg-type]
    return headers[HEADER], logged[0]


@pytest.mark.parametrize("good", ["4f3c0a7e9d", "1-67891233-abcdef012345678912345678", "A", "a.b_c-d", "x" * 64])
def test_a_trusted_proxys_id_counts(good: str) -> None:
    assert answered("127.0.0.1", good) == (good, good)
    mine, logged = answered("203.0.113.7", good)
    assert mine == logged != good


@given(st.text(st.characters(max_codepoint=255), max_size=80))
def test_any_other_text_is_replaced_by_an_id_of_our_own(text: str) -> None:
    mine, logged = answered("127.0.0.1", text)
    assert mine == logged
    assert mine == text or (len(mine) == 32 and mine.isalnum())
    assert mine.isascii()
    assert len(mine) <= 64
    assert not set(mine) & set(" \r\n\t\"'<>;,=")


def test_ids_differ() -> None:
    assert len({answered("127.0.0.1", None)[0] for _ in range(50)}) == 50
