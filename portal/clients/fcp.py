"""Client for the FCP's XML API: submit, status, and inventory, as typed values."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from portal.clients.errors import (
    Busy,
    Duplicate,
    NotFound,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Unauthorized,
    UnexpectedAnswer,
)
from portal.clients.failure_kinds import MERCHANT, Kind, kind_of, names_the_cause
from portal.clients.failures import TRIES, busy, rejected, unauthorized
from portal.clients.fcp_documents import (
    MAX_XML_BYTES,
    NOT_FOUND,
    WAREHOUSE,
    error_words,
    failure_words,
    first_text,
    inventory_xml,
    lists_statuses,
    local_name,
    parse_answer,
    read_statuses,
    status_xml,
    submission_xml,
    unreadable_answer,
    verdict,
    xml_text,
)
from portal.clients.fcp_numbers import is_same_number
from portal.clients.fcp_types import Accepted, Credentials, FcpAddress, FcpItem, OrderRequest, OrderStatus
from portal.clients.http import Http
from portal.clients.tally import warehouse_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lxml.etree import _Element

    from portal.clients.errors import Exchange
    from portal.clients.http import Answer, Circuit

__all__ = [
    "Accepted",
    "Credentials",
    "Fcp",
    "FcpAddress",
    "FcpItem",
    "OrderRequest",
    "OrderStatus",
    "fcp_http",
    "names_the_cause",
    "submission_xml",
    "xml_text",
]

MAX_STATUSES = 100
DEFAULT_STATUS_PATH = "status"
_HEADERS = {"Content-Type": "text/xml", "Accept": "text/xml, application/xml"}
_PROBE_SKU = "CREDENTIALS-CHECK"
_UNKNOWN_SKU = re.compile(r"\b(?:skus?|items?|products?)\b", re.IGNORECASE)


def fcp_http(credentials: Credentials, *, tries: int = TRIES, circuit: Circuit | None = None) -> Http:
    """Return an Http with limits that suit the FCP."""
    secrets = (credentials.merchant_token,)
    return Http(WAREHOUSE, max_bytes=MAX_XML_BYTES, secrets=secrets, tries=tries, circuit=circuit)


class Fcp:
    """One merchant's account. ``api_url`` is a URL like https://fcp.efulfillmentservice.com/xml.

    ``status_path`` is where that API takes status requests; no official page says (ASSUMED).

    Every call raises the errors of ``Http.call`` and, in addition, Busy when a failure says that the warehouse's system
    can't work now, Unauthorized when it is about the credentials, Rejected for any other failure, and UnexpectedAnswer
    for an unknown kind of answer.
    """

    def __init__(
        self, http: Http, *, api_url: str, credentials: Credentials, status_path: str = DEFAULT_STATUS_PATH
    ) -> None:
        self._http = http
        self._url = api_url.rstrip("/")
        self._status_path = status_path
        self._credentials = credentials
        self._secrets = (credentials.merchant_token,)

    def submit(self, order: OrderRequest, *, test: bool = False) -> Accepted:
        """Submit one order. With ``test``, the FCP only checks it.

        Raises Duplicate when the FCP already has this order number, and UnexpectedAnswer for a success that names
        another order number.
        """
        to = order.address
        skus = (item.sku for item in order.items)
        values = (order.order_number, order.shipping_method, to.address1, to.address2, to.email, *skus)
        body = submission_xml(order, self._credentials, test=test)
        with warehouse_call("test" if test else "submit"):
            answer = self._post("orders", body, values, duplicates=True)
            root = _parse(answer)
            success = verdict(root)
            exchange = answer.exchange
            if success is False:
                raise _failure(answer.redacted(failure_words(root)), values, exchange, duplicates=True)
            number = first_text(root, "OrderNumber")
            if success is None or answer.status >= 400 or (number and not is_same_number(number, order.order_number)):
                raise unreadable_answer("it neither accepts nor rejects the order", exchange)
        return Accepted(first_text(root, "OrderId"), first_text(root, "OrderStatus"), exchange)

    def statuses(self, numbers: Sequence[str]) -> dict[str, OrderStatus]:
        """Return the FCP's status of up to 100 orders; numbers that it doesn't know are left out (ASSUMED).

        Several entries for one number are combined, whatever their order.

        Raises ValueError for more than 100 numbers, and NotFound when the FCP has no status call (404, 405, 410, 501,
        or a 403 without an explanation).
        """
        if len(numbers) > MAX_STATUSES:
            raise ValueError(f"One call takes at most {MAX_STATUSES} order numbers, not {len(numbers)}.")
        if not numbers:
            return {}
        with warehouse_call("status"):
            found = self._statuses(numbers)
        if found is not None:
            return found
        # One unknown number may fail the whole call, so split the list to find it.
        half = len(numbers) // 2
        return self.statuses(numbers[:half]) | self.statuses(numbers[half:]) if half else {}

    def _statuses(self, numbers: Sequence[str]) -> dict[str, OrderStatus] | None:
        """Return the statuses, or None if the FCP answered that it couldn't find the numbers."""
        try:
            answer = self._post(self._status_path, status_xml(numbers, self._credentials), numbers)
        except (Unauthorized, OutcomeUnknown) as error:
            if error.exchange is not None and error.exchange.status in {403, 501} and not error.words:
                raise _no_such_call(error.exchange) from error
            raise
        if answer.status in {404, 405, 410}:
            raise _no_such_call(answer.exchange)
        root = _parse(answer)
        if verdict(root, top_only=True) is False:
            words = answer.redacted(failure_words(root))
            problem = _failure(words, numbers, answer.exchange)
            if type(problem) is not Rejected or not NOT_FOUND.search(words):
                raise problem
            return None
        if answer.status >= 400 or not lists_statuses(root):
            raise unreadable_answer("not a list of order statuses", answer.exchange)
        try:
            found = read_statuses(root, numbers)
        except ServiceError as error:
            error.exchange, error.words = answer.exchange, answer.redacted(error.words)
            raise
        return {number: replace(status, raw=answer.redacted(status.raw)) for number, status in found.items()}

    def verify(self) -> None:
        """Check the Merchant Id and Merchant Token by requesting the stock of a SKU that need not exist.

        Raises Unauthorized when the FCP rejects them. The call has no Merchant Name (documented), so a wrong name goes
        unnoticed.
        """
        with warehouse_call("inventory"):
            answer = self._post("inventory", inventory_xml((_PROBE_SKU,), self._credentials), (_PROBE_SKU,))
            root = _parse(answer)
            merchant_id = first_text(root, "MerchantId")
            if merchant_id not in {"", self._credentials.merchant_id}:
                raise unreadable_answer("it is for another merchant", answer.exchange)
            words = failure_words(root)
            if verdict(root) is False:
                problem = _failure(answer.redacted(words), (_PROBE_SKU,), answer.exchange)
                if isinstance(problem, Busy | Unauthorized) or not (
                    _UNKNOWN_SKU.search(words) or NOT_FOUND.search(words)
                ):
                    raise problem
            elif answer.status >= 400 or local_name(root) != "InventoryResponse":
                raise unreadable_answer("it doesn't list stock", answer.exchange)

    def _post(self, path: str, body: bytes, values: Iterable[str], *, duplicates: bool = False) -> Answer:
        """Send one request.

        In a server error, only words about the order number or the credentials prove anything. A 401 or 403 whose words
        blame the warehouse's own system is Busy.
        """
        try:
            return self._http.call(
                "POST",
                f"{self._url}/{path}/",
                headers=_HEADERS,
                data=body,
                secrets=self._secrets,
                words=error_words,
            )
        except OutcomeUnknown as error:
            if error.words and error.exchange is not None:
                problem = _failure(error.words, values, error.exchange, duplicates=duplicates)
                if isinstance(problem, Duplicate) or (not isinstance(problem, Busy) and MERCHANT.search(error.words)):
                    raise problem from error
            raise
        except Unauthorized as error:
            if error.words and error.exchange is not None:
                problem = _failure(error.words, values, error.exchange)
                if isinstance(problem, Busy):
                    raise problem from error
            raise


def _parse(answer: Answer) -> _Element:
    try:
        return parse_answer(answer.body)
    except UnexpectedAnswer as error:
        error.exchange = answer.exchange
        raise


def _no_such_call(exchange: Exchange) -> NotFound:
    message = f"{WAREHOUSE} doesn't offer order statuses (HTTP {exchange.status})."
    return NotFound(message, service=WAREHOUSE, exchange=exchange)


def _failure(words: str, values: Iterable[str], exchange: Exchange, *, duplicates: bool = False) -> ServiceError:
    """Return the error for a failure, given the FCP's message (``words``) and our own values in it."""
    kind = kind_of(words, values, duplicates=duplicates)
    detail = f': "{words}"' if words else " without giving a reason"
    match kind:
        case Kind.DUPLICATE | Kind.MAYBE_DUPLICATE:
            message = f"{WAREHOUSE} already has this order number{detail}."
            is_certain = kind is Kind.DUPLICATE
            return Duplicate(message, service=WAREHOUSE, words=words, exchange=exchange, is_certain=is_certain)
        case Kind.BUSY:
            return busy(WAREHOUSE, detail, words=words, exchange=exchange)
        case Kind.CREDENTIALS:
            return unauthorized(WAREHOUSE, detail, words=words, exchange=exchange)
        case Kind.REQUEST:
            return rejected(WAREHOUSE, detail, words=words, exchange=exchange)
