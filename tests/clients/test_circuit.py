"""The circuit: five failures in a row, half a minute of rest, one call to see."""

from __future__ import annotations

import threading

import pytest

from portal.clients.circuit import Circuit

HOST, OTHER = "fcp.example.com", "shop.example.com:8443"


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def circuit(clock: list[float]) -> Circuit:
    return Circuit(clock=lambda: clock[0])


def fail(circuit: Circuit, times: int) -> None:
    for _ in range(times):
        assert circuit.allows(HOST)
        circuit.failed(HOST)


def test_it_opens_after_five_failures_in_a_row(circuit: Circuit) -> None:
    fail(circuit, 5)
    assert not circuit.allows(HOST)


def test_a_success_in_between_starts_the_count_again(circuit: Circuit) -> None:
    fail(circuit, 4)
    circuit.succeeded(HOST)
    fail(circuit, 4)
    assert circuit.allows(HOST)


def test_other_hosts_go_on(circuit: Circuit) -> None:
    fail(circuit, 5)
    assert circuit.allows(OTHER)


def test_after_half_a_minute_one_call_goes_through(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 29.9
    assert not circuit.allows(HOST)
    clock[0] += 0.1
    assert [circuit.allows(HOST) for _ in range(3)] == [True, False, False]


def test_its_success_lets_everybody_through(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    assert circuit.allows(HOST)
    circuit.succeeded(HOST)
    assert all(circuit.allows(HOST) for _ in range(10))


def test_its_failure_costs_another_half_minute(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    fail(circuit, 1)
    clock[0] += 29
    assert not circuit.allows(HOST)
    clock[0] += 1
    assert circuit.allows(HOST)


def test_a_trial_that_never_reports_back_does_not_close_the_host_for_good(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    assert circuit.allows(HOST)
    clock[0] += 30
    assert circuit.allows(HOST)


def test_many_threads_get_one_trial(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    start = threading.Barrier(16)
    allowed: list[bool] = []

    def ask() -> None:
        start.wait()
        allowed.append(circuit.allows(HOST))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 1
