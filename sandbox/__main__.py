"""Start both stand-in servers: `python -m sandbox --bigcartel-port N --fcp-port M`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import ssl
import sys
from pathlib import Path

from aiohttp import web

from sandbox import bigcartel, fcp, pages, store, warehouse
from sandbox.control import Control
from sandbox.control_store import StoreControl
from sandbox.control_warehouse import WarehouseControl
from sandbox.state import State, StateError

MAX_REQUEST_BYTES = 16 * 1024 * 1024
# Orders are never freed. The default thresholds would rescan all of them and cost a third of the throughput.
GC_THRESHOLDS = (20_000, 50, 1_000)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    state = State(options.state)
    try:
        state.load()
        if options.seed_store and store.seed(state):
            state.changed()
        gc.set_threshold(*GC_THRESHOLDS)
        asyncio.run(_serve(state, options))
        state.save()
    except StateError as error:
        print(error, file=sys.stderr)  # noqa: T201 - command output
        return 1
    except OSError as error:
        print(f"The sandbox couldn't start: {error.strerror or error}.", file=sys.stderr)  # noqa: T201 - command output
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Run local stand-ins for Big Cartel and the warehouse's FCP. "
        "Prints one line of JSON with both addresses once both servers are listening.",
    )
    add = parser.add_argument
    add("--address", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--bigcartel-port", type=int, default=0, metavar="N", help="port for Big Cartel (default: any free port)")
    add("--fcp-port", type=int, default=0, metavar="N", help="port for the FCP (default: any free port)")
    add(
        "--seed-store", "--seed-shop", action="store_true", help="create two realistic stores unless they already exist"
    )
    add("--state", type=Path, metavar="FILE", help="load the state from FILE and save every change to it")
    ship_help = "ship most orders automatically, this many seconds after the warehouse accepts them"
    add("--ship-after", type=float, metavar="SECONDS", help=ship_help)
    add("--public-url-bigcartel", metavar="URL", help="base of Big Cartel links (default: its address)")
    add("--public-url-fcp", metavar="URL", help="base of FCP links (default: its address)")
    add("--certificate", type=Path, metavar="FILE", help="speak TLS, with the key and the certificate in FILE")
    add("--stop-with-stdin", action="store_true", help="stop when standard input closes")
    return parser


async def _serve(state: State, options: argparse.Namespace) -> None:
    store_server, warehouse_server = bigcartel.BigCartel(state), fcp.Fcp(state)
    store_app, warehouse_app = _store_app(store_server), _warehouse_app(warehouse_server)
    pages.add_bigcartel(store_app.router, store_server, warehouse_server)
    pages.add_fcp(warehouse_app.router, warehouse_server, store_server)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _stop_at_eof, stop)

    async with contextlib.AsyncExitStack() as stack:
        tls = _tls(options.certificate)
        store_url = await _listen(stack, store_app, options.address, options.bigcartel_port, tls)
        warehouse_url = await _listen(stack, warehouse_app, options.address, options.fcp_port, tls)
        store_server.base_url = (options.public_url_bigcartel or store_url).rstrip("/")
        warehouse_server.base_url = (options.public_url_fcp or warehouse_url).rstrip("/")
        work = [asyncio.create_task(state.keep_saving())]
        if options.ship_after is not None:
            work.append(asyncio.create_task(warehouse.keep_shipping(state, options.ship_after)))
        ready = json.dumps({"bigcartel": store_url, "fcp": warehouse_url})
        print(ready, flush=True)  # noqa: T201 - the parent process waits for this line
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*work, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in [*work, stopped]:
            task.cancel()
        store_server.faults.held.release()
        warehouse_server.faults.held.release()
        for task in done:
            task.result()


def _store_app(server: bigcartel.BigCartel) -> web.Application:
    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    server.add_routes(app.router)
    control = Control(app.router, server, bigcartel.CALLS)
    control.add_common()
    StoreControl(server.world).add_to(control)
    return app


def _warehouse_app(server: fcp.Fcp) -> web.Application:
    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    server.add_routes(app.router)
    control = Control(app.router, server, fcp.CALLS)
    control.add_common()
    WarehouseControl(server.world).add_to(control)
    return app


def _tls(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def _listen(
    stack: contextlib.AsyncExitStack, app: web.Application, address: str, port: int, tls: ssl.SSLContext | None
) -> str:
    """Serve the app and return its base URL. A held request is canceled when its client disconnects."""
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, address, port, backlog=1024, ssl_context=tls).start()
    return f"{'https' if tls else 'http'}://{address}:{runner.addresses[0][1]}"


def _stop_at_eof(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    sys.exit(main())
