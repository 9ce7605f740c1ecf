"""A running sandbox with one account, one app and one merchant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.client import Sandbox, running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    process.clear_faults()
    process.reset()
    process.put_account("1000001", tokens=["shop-token"])
    process.put_client("app", secret="app-secret")
    process.put_merchant("816", token="merchant-token")
    return process
