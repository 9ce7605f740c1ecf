"""Why connecting a store failed, and what the page says about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from portal.rules.visible_text import shorten

MAX_WORDS_LENGTH = 200


@dataclass(frozen=True, slots=True)
class FailureText:
    """The failure page's text: what happened, what it means, what to do."""

    status: int
    title: str
    happened: str
    means: str
    remedy: str


_RETRY = "Connect the store again. If it fails the same way, tell support what this page says."


class Failure(Enum):
    """Why no store was connected."""

    DENIED = FailureText(
        200,
        "Access not allowed",
        "You didn't allow access on Big Cartel's page.",
        "Without it we can't sync the store's orders, so the store wasn't connected.",
        "If you meant to allow it, connect the store again and choose Allow.",
    )
    SERVICE_ERROR = FailureText(
        502,
        "Big Cartel returned an error",
        "Big Cartel sent an error instead of granting access.",
        "Without access we can't sync the store's orders, so the store wasn't connected.",
        _RETRY,
    )
    STATE = FailureText(
        400,
        "Link no longer valid",
        "This link from Big Cartel was already used, or you didn't start connecting in this browser within the last "
        "hour.",
        "To keep your account safe, we ignored it.",
        "Connect the store again, and finish in the same browser. If you didn't start this, ignore it.",
    )
    CODE = FailureText(
        400,
        "Authorization code rejected",
        "Big Cartel rejected the authorization code it sent with you.",
        "A code works once and only for a few minutes, so this one was probably used or expired.",
        "Connect the store again, and choose Allow within a few minutes.",
    )
    CLIENT = FailureText(
        502,
        "Portal rejected by Big Cartel",
        "Big Cartel rejected this portal's own client ID or secret.",
        "Nothing is wrong with your store, but no store can be connected until the portal's operator fixes this.",
        "Tell support what this page says.",
    )
    UNREACHABLE = FailureText(
        502,
        "Couldn't reach Big Cartel",
        "We couldn't reach Big Cartel, or its answer didn't arrive completely.",
        "We didn't receive the access you allowed, so the store wasn't connected.",
        "Wait a minute, then connect the store again.",
    )
    UNREADABLE = FailureText(
        502,
        "Unreadable answer from Big Cartel",
        "Big Cartel sent an answer we couldn't read instead of an access token.",
        "This can happen while Big Cartel is down for maintenance. The store wasn't connected.",
        "Wait a few minutes, then connect the store again.",
    )
    NO_ACCOUNT = FailureText(
        502,
        "Account ID missing",
        "Big Cartel's answer has no account ID, or one that isn't a number.",
        "Without it we can't tell which store the access is for, so the store wasn't connected.",
        _RETRY,
    )
    TAKEN = FailureText(
        409,
        "Store belongs to another merchant",
        "The store you chose in Big Cartel already belongs to another merchant here.",
        "A store's orders go to only one merchant, so it wasn't connected to this one. We didn't keep the access that "
        "you just allowed.",
        "If you chose the wrong store, log out of Big Cartel and connect again. To move the store, ask support. If you "
        "remove this portal in the store's Big Cartel settings, its orders stop for the other merchant, too.",
    )


class ConnectFailedError(Exception):
    """The store was not connected; ``words`` is what Big Cartel said, or ""."""

    def __init__(self, failure: Failure, words: str = "") -> None:
        super().__init__(failure.value.title)
        self.failure = failure
        self.words = shorten(words, MAX_WORDS_LENGTH)
