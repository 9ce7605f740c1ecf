"""The circuit breaker: five failures in a row open it, and every 30 seconds it lets one trial call through."""

from __future__ import annotations

import threading

import pytest

from portal.clients.circuit import Circuit

HOST, OTHER = "fcp.example.com", "store.example.com:8443"


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


def test_circuit_opens_after_five_failures_in_a_row(circuit: Circuit) -> None:
    fail(circuit, 5)
    assert not circuit.allows(HOST)


def test_success_resets_the_failure_count(circuit: Circuit) -> None:
    fail(circuit, 4)
    circuit.succeeded(HOST)
    fail(circuit, 4)
    assert circuit.allows(HOST)


def test_other_hosts_stay_open(circuit: Circuit) -> None:
    fail(circuit, 5)
    assert circuit.allows(OTHER)


def test_one_trial_call_is_allowed_after_30_seconds(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 29.9
    assert not circuit.allows(HOST)
    clock[0] += 0.1
    assert [circuit.allows(HOST) for _ in range(3)] == [True, False, False]


def test_successful_trial_lets_all_calls_through(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    assert circuit.allows(HOST)
    circuit.succeeded(HOST)
    assert all(circuit.allows(HOST) for _ in range(10))


def test_failed_trial_pauses_for_another_30_seconds(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    fail(circuit, 1)
    clock[0] += 29
    assert not circuit.allows(HOST)
    clock[0] += 1
    assert circuit.allows(HOST)


def test_trial_that_never_reports_back_does_not_block_the_host_forever(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    assert circuit.allows(HOST)
    clock[0] += 30
    assert circuit.allows(HOST)


def test_only_one_of_many_threads_gets_the_trial(circuit: Circuit, clock: list[float]) -> None:
    fail(circuit, 5)
    clock[0] += 30
    start = threading.Barrier(16)
    allowed: list[bool] = []

    def request() -> None:
        start.wait()
        allowed.append(circuit.allows(HOST))

    threads = [threading.Thread(target=request) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 1
