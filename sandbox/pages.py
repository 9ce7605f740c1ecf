"""Pages at `/` of both servers: watch orders ship and do what a merchant or the warehouse would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox import documents, products
from sandbox.layout import html_page
from sandbox.store import realistic_order
from sandbox.warehouse import SHIPPED, is_open, ship
from sandbox.world import Account, Document, InvalidRequestError, Merchant, WarehouseOrder

if TYPE_CHECKING:
    from sandbox.bigcartel import BigCartel
    from sandbox.fcp import Fcp

MAX_ROWS = 200
REFRESH_SECONDS = 5
SEED_HINT = "<p>To create two, start the sandbox with <code>--seed-store</code>.</p>"
NO_STORES = f"<h1>No stores yet</h1>{SEED_HINT}"
NO_MERCHANTS = f"<h1>No merchants yet</h1>{SEED_HINT}"
REFRESH_NOTE = f"This page refreshes every {REFRESH_SECONDS} seconds."
Form = dict[str, str]
FormAction = Callable[[Form], None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_bigcartel(router: web.UrlDispatcher, server: BigCartel, warehouse: Fcp) -> None:
    """Add the store's pages: orders at `/`, products at `/products`."""

    def nav() -> str:
        return (
            "<strong>Sandbox: Big Cartel</strong><a href='/'>Orders</a><a href='/products'>Products</a>"
            f"<a href='{escape(warehouse.base_url)}/'>Warehouse</a>"
        )

    async def orders(_request: web.Request) -> web.StreamResponse:
        accounts = server.world.accounts.values()
        body = "".join(map(_store, accounts)) or NO_STORES
        return html_page("Sandbox: Big Cartel", body, nav=nav(), refresh=REFRESH_SECONDS)

    async def product_page(_request: web.Request) -> web.StreamResponse:
        body = "".join(map(_products, server.world.accounts.values())) or NO_STORES
        return html_page("Sandbox: products", body, nav=nav())

    def place(form: Form) -> None:
        account = server.world.account(form["account"])
        documents.place(account, realistic_order(account, len(account.orders), abroad=True))

    def mark_shipped(form: Form) -> None:
        account = server.world.account(form["account"])
        documents.edit_order(account, form["number"], {"shipping_status": "shipped"})

    def cancel(form: Form) -> None:
        documents.cancel(server.world.account(form["account"]), form["number"])

    def pay(form: Form) -> None:
        account = server.world.account(form["account"])
        documents.edit_order(account, form["number"], {"payment_status": "completed"})

    def describe(form: Form) -> None:
        account = server.world.account(form["account"])
        products.edit(account, form["product"], {"description": form["description"]})

    router.add_get("/", orders)
    router.add_get("/products", product_page)
    for name, action in (("place", place), ("ship", mark_shipped), ("cancel", cancel), ("pay", pay)):
        router.add_post(f"/_page/{name}", _form_handler(server, action, "/"))
    router.add_post("/_page/describe", _form_handler(server, describe, "/products"))


def add_fcp(router: web.UrlDispatcher, server: Fcp, store: BigCartel) -> None:
    """Add the warehouse's page: the orders it accepted, at `/`."""

    async def orders(_request: web.Request) -> web.StreamResponse:
        nav = (
            "<strong>Sandbox: the warehouse (FCP)</strong><a href='/'>Orders</a>"
            f"<a href='{escape(store.base_url)}/'>Big Cartel</a>"
        )
        body = "".join(map(_warehouse, server.world.merchants.values())) or NO_MERCHANTS
        return html_page("Sandbox: the warehouse", body, nav=nav, refresh=REFRESH_SECONDS)

    def ship_one(form: Form) -> None:
        ship(_order(form))

    def ship_all(form: Form) -> None:
        for order in server.world.merchant(form["merchant"]).orders.values():
            if is_open(order):
                ship(order)

    def hold(form: Form) -> None:
        order = _order(form)
        order.status = "Pending" if order.status == "On Hold" else "On Hold"

    def _order(form: Form) -> WarehouseOrder:
        orders_of = server.world.merchant(form["merchant"]).orders
        if form["number"] not in orders_of:
            raise InvalidRequestError(f"The warehouse has no order {form['number']}.")
        return orders_of[form["number"]]

    router.add_get("/", orders)
    for name, action in (("ship", ship_one), ("ship-all", ship_all), ("hold", hold)):
        router.add_post(f"/_page/{name}", _form_handler(server, action, "/"))


def _form_handler(server: BigCartel | Fcp, action: FormAction, back: str) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        try:
            action(form)
        except InvalidRequestError as error:
            body = f"<h1>Action failed</h1><p>{escape(str(error))}</p><p><a href='{back}'>Go back</a></p>"
            return html_page("Action failed", body, status=400)
        except KeyError as missing:
            raise web.HTTPBadRequest(text=f"The form is missing the field {missing}.") from None
        server.state.changed()
        return web.Response(status=303, headers={"Location": back})

    return handle


def _button(action: str, label: str, fields: Form, *, quiet: bool = False) -> str:
    hidden = "".join(f'<input type="hidden" name="{key}" value="{escape(value)}">' for key, value in fields.items())
    look = ' class="quiet"' if quiet else ""
    return f'<form method="post" action="/_page/{action}">{hidden}<button{look}>{escape(label)}</button></form>'


def _totals(*pairs: tuple[str, int]) -> str:
    entries = "".join(f"<li><b>{count}</b>{escape(name)}</li>" for name, count in pairs)
    return f'<ul class="totals">{entries}</ul>'


def _table(headings: Iterable[str], rows: list[str], none: str, total: int) -> str:
    if not rows:
        return f"<p>{escape(none)}</p>"
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    more = f"<p class='dim'>Showing the newest {len(rows)} of {total}.</p>" if total > len(rows) else ""
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll"><table>{body}</table></div>{more}'


def _badge(text: object, done: bool) -> str:
    return f'<span class="state{" done" if done else ""}">{escape(str(text))}</span>'


def _store(account: Account) -> str:
    every = sorted(
        account.orders.values(),
        key=lambda one: str(one["data"]["attributes"].get("created_at") or ""),
        reverse=True,
    )
    shipping = Counter(str(one["data"]["attributes"].get("shipping_status")) for one in every)
    paid = sum(one["data"]["attributes"].get("payment_status") == "completed" for one in every)
    headings = ("Order", "Placed (UTC)", "Buyer", "Ships to", "Items", "Payment", "Shipping", "Actions")
    rows = [_order_row(account, one) for one in every[:MAX_ROWS]]
    return (
        f"<h1>{escape(account.name)}</h1><p>Account {escape(account.id)}. {REFRESH_NOTE}</p>"
        + _totals(
            ("orders", len(every)),
            ("unshipped", shipping["unshipped"]),
            ("shipped", shipping["shipped"]),
            ("unpaid", len(every) - paid),
            ("updated through the API", len(account.patches)),
        )
        + f'<div class="actions">{_button("place", "Place order", {"account": account.id})}</div>'
        + _table(headings, rows, "No orders yet.", len(every))
    )


def _order_row(account: Account, one: Document) -> str:
    attributes, number = one["data"]["attributes"], str(one["data"]["id"])
    shipping, payment = attributes.get("shipping_status"), attributes.get("payment_status")
    lines = [line["attributes"] for line in one.get("included", []) if line["type"] == "order_line_items"]
    items = "<br>".join(
        escape(f"{line.get('quantity')} x {line.get('product_name')} {line.get('product_option_name') or ''}")
        for line in lines
    )
    ids = {"account": account.id, "number": number}
    buttons = _button("pay", "Mark as paid", ids, quiet=True) + " " if payment != "completed" else ""
    if shipping == "unshipped":
        buttons += _button("ship", "Mark as shipped", ids, quiet=True)
        buttons += " " + _button("cancel", "Cancel order", ids, quiet=True)
    cells = (
        f"<code>{escape(number)}</code>",
        escape(str(attributes.get("created_at") or "")[:16].replace("T", " ")),
        escape(_join(attributes, "customer_first_name", "customer_last_name")),
        escape(_join(attributes, "shipping_city", "shipping_state", "shipping_country_id", between=", ")),
        items,
        _badge(payment, payment == "completed"),
        _badge(shipping, shipping == "shipped"),
        buttons,
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _join(attributes: dict[str, object], *names: str, between: str = " ") -> str:
    return between.join(str(attributes[name]) for name in names if attributes.get(name))


def _products(account: Account) -> str:
    rows = []
    for one in account.products.values():
        attributes, product_id = one["data"]["attributes"], str(one["data"]["id"])
        options = ", ".join(option["attributes"]["name"] for option in one["included"])
        name, description = escape(str(attributes["name"])), escape(str(attributes.get("description") or ""))
        rows.append(
            f"<tr><td>{name}<br><code class='dim'>{escape(product_id)}</code></td>"
            f"<td>{escape(options)}</td><td><form method='post' action='/_page/describe'>"
            f"<input type='hidden' name='account' value='{escape(account.id)}'>"
            f"<input type='hidden' name='product' value='{escape(product_id)}'>"
            f"<label>Description of {name}<textarea name='description'>\n{description}</textarea></label> "
            "<button>Save description</button></form></td></tr>"
        )
    return (
        f"<h1>{escape(account.name)}: products</h1>"
        + _totals(("products", len(account.products)))
        + _table(("Product", "Options", "Description"), rows, "No products yet.", len(rows))
    )


def _warehouse(merchant: Merchant) -> str:
    every = list(reversed(merchant.orders.values()))
    rejected = sum(1 for number in merchant.posted if number not in merchant.accepted)
    repeated = sum(1 for count in merchant.posted.values() if count > 1)
    still_open = sum(map(is_open, every))
    ship_all = _button("ship-all", "Ship all orders", {"merchant": merchant.id})
    headings = ("Order", "Accepted (UTC)", "Method", "Ships to", "Items", "Status", "Tracking", "Times sent", "Actions")
    rows = [_warehouse_row(merchant, order) for order in every[:MAX_ROWS]]
    return (
        f"<h1>{escape(merchant.name)}</h1><p>Merchant {escape(merchant.id)}. {REFRESH_NOTE}</p>"
        + _totals(
            ("orders accepted", len(every)),
            ("to ship", still_open),
            ("shipped", sum(order.status in SHIPPED for order in every)),
            ("rejected", rejected),
            ("sent more than once", repeated),
        )
        + (f'<div class="actions">{ship_all}</div>' if still_open else "")
        + _table(headings, rows, "No orders yet.", len(every))
    )


def _warehouse_row(merchant: Merchant, order: WarehouseOrder) -> str:
    address = order.address
    ids = {"merchant": merchant.id, "number": order.number}
    buttons = ""
    if is_open(order):
        label = "Release order" if order.status == "On Hold" else "Hold order"
        buttons = f"{_button('ship', 'Ship order', ids)} {_button('hold', label, ids, quiet=True)}"
    accepted = datetime.fromtimestamp(order.accepted_at, UTC)
    cells = (
        f"<code>{escape(order.number)}</code>",
        f"{accepted:%Y-%m-%d %H:%M}",
        f"<code>{escape(order.method)}</code>",
        escape(", ".join(address[name] for name in ("City", "State", "Country") if name in address)),
        "<br>".join(f"{quantity} x <code>{escape(sku)}</code>" for sku, quantity in order.items),
        _badge(order.status, order.status in SHIPPED),
        escape(f"{order.carrier} {', '.join(order.tracking)}".strip()),
        str(merchant.posted.get(order.number, 0)),
        buttons,
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
