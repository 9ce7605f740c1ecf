"""Key rotation while the worker sends orders, with the commands of docs/operations.md."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from tests.operations.documented import block, run

if TYPE_CHECKING:
    from tests.jobs.site import Program, Site

ROTATE = block("flask --app wsgi keys rotate --reason")


def restarted(portal: Site, *token_keys: str) -> Program:
    """Stop the worker with SIGTERM, as documented, and start it with these keys."""
    for program in portal.programs:
        if program.alive:
            program.process.send_signal(signal.SIGTERM)
            assert program.wait_until_dead() == 0
    portal.world.settings = replace(portal.world.settings, token_keys=token_keys)
    return portal.start_worker()


def test_orders_are_sent_once_while_keys_are_rotated(portal: Site) -> None:
    world, sandbox = portal.world, portal.world.sandbox
    old, new = *world.settings.token_keys, Fernet.generate_key().decode()
    portal.start_worker()
    numbers = sandbox.place_orders(count=2)
    portal.until_in_state(numbers, "submitted")

    restarted(portal, new, old)
    numbers += sandbox.place_orders(count=3)
    sandbox.fault("submit", "hang", order=numbers[-1])
    portal.until(sandbox.waiting, "an order is being sent")
    assert "Re-encrypted with the first key: 2 tokens." in run(ROTATE, world.settings)
    sandbox.release()
    portal.until_in_state(numbers, "submitted")

    last = restarted(portal, new)
    numbers += sandbox.place_orders(count=2)
    portal.run_to_completion(numbers)
    assert "Traceback" not in last.output()


def test_removing_the_old_key_too_early_loses_nothing_and_says_what_to_do(small_portal: Site) -> None:
    world, sandbox = small_portal.world, small_portal.world.sandbox
    old, new = *world.settings.token_keys, Fernet.generate_key().decode()
    number = sandbox.place_order()
    early = restarted(small_portal, new)
    said = run(ROTATE, world.settings, status=1)
    assert "None of the TOKEN_KEYS decrypts the access token of account 1000001, merchant 816" in said
    assert "Add the key that encrypted it to TOKEN_KEYS again, or enter the token again." in said
    small_portal.until(lambda: world.store().poll_error, "the worker has tried to read the store")
    assert "TOKEN_KEYS" in world.store().poll_error
    assert "Traceback" not in early.output()

    restarted(small_portal, new, old)
    assert "Re-encrypted with the first key: 2 tokens." in run(ROTATE, world.settings)
    small_portal.run_to_completion([number])
