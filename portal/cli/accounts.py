"""Commands for users, merchants and carrier services."""

from __future__ import annotations

import click
from sqlalchemy import func, select

from portal.actions.merchants import map_services as save_services
from portal.actions.merchants import save_merchant
from portal.cli.common import ACTOR, MERCHANT_ID, Commands, secret_from_stdin, the_merchant
from portal.clients.errors import Rejected, ServiceError
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.clients import fcp_client
from portal.fulfillment.warehouse_checks import Answer, about_service, save_verdicts
from portal.models import CheckVerdict, Order, OrderState, Role, User
from portal.models.audit import record
from portal.people import passwords
from portal.people.accounts import new_session_key
from portal.reports.service_standing import Standing, standings
from portal.rules.services import catalog, find
from portal.rules.shipping import ServiceChoice
from portal.rules.test_orders import order_to_test

STOPPED = "The check stopped and nothing is recorded."
MARKS = {
    Standing.OFFERED: "verified",
    Standing.REJECTED: "rejected by the warehouse",
    Standing.CHECKING: "being checked",
    Standing.UNKNOWN: "not verified",
}


@click.group(cls=Commands)
def users() -> None:
    """Manage user accounts."""


@users.command("create")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="merchant sees one merchant, support sees all of them.",
)
@click.option(
    "--merchant-id", type=MERCHANT_ID, help="The merchant this user belongs to. Required for --role merchant."
)
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def create_user(email: str, role: str, merchant_id: int | None, password_stdin: bool) -> None:
    """Create a user account.

    A merchant user needs --merchant-id. A support user can't have one.
    """
    del password_stdin
    email = email.strip().lower()
    if "@" not in email.strip("@"):
        raise click.ClickException(f"{email} is not an email address. Use one like name@example.com.")
    if (role == Role.MERCHANT) != (merchant_id is not None):
        raise click.ClickException("A merchant user needs --merchant-id, and a support user can't have one.")
    if merchant_id is not None:
        the_merchant(merchant_id)
    if session().scalar(select(User.id).where(User.email == email)):
        raise click.ClickException(f"A user with the email {email} already exists.")
    password = secret_from_stdin("password")
    if problem := passwords.problem_with(password, email):
        raise click.ClickException(problem)
    now = utc_now()
    session().add(
        User(
            email=email,
            password_hash=passwords.hashed(password),
            session_key=new_session_key(),
            role=Role(role),
            merchant_id=merchant_id,
            created_at=now,
        )
    )
    record(session(), "user created", merchant_id=merchant_id, subject=email, actor=ACTOR, reason="", now=now)
    session().commit()
    click.echo(f"Created the {role} user {email}.")


@click.group(cls=Commands)
def merchants() -> None:
    """Manage merchants, their credentials and carrier services."""


@merchants.command("add")
@click.option("--merchant-id", type=MERCHANT_ID, required=True, help="The MerchantId in the FCP.")
@click.option("--name", required=True, help="The MerchantName, exactly as the FCP shows it.")
@click.option("--token-stdin", is_flag=True, required=True, help="Read the Merchant Token from standard input.")
def add_merchant(merchant_id: int, name: str, token_stdin: bool) -> None:
    """Add or update a merchant.

    Updating replaces the merchant's name and Merchant Token. In the FCP, the three values are under Client Info > My
    Settings. If the warehouse rejected the old credentials, orders resume automatically with the new ones.
    """
    del token_stdin
    token = secret_from_stdin("Merchant Token")
    if not (name := name.strip()):
        raise click.ClickException("--name is empty. Use the MerchantName exactly as the FCP shows it.")
    is_new = save_merchant(
        session(),
        merchant_id,
        name=name,
        token=token,
        settings=settings(),
        now=utc_now(),
        actor=ACTOR,
    )
    click.echo(
        f"Added merchant {merchant_id}."
        if is_new
        else f"Updated the name and Merchant Token of merchant {merchant_id}."
    )


@merchants.command("map")
@click.option("--merchant-id", type=MERCHANT_ID, required=True, help="The MerchantId in the FCP.")
@click.option("--domestic", metavar="CODE", help="Service for domestic orders (DOMESTIC_DEFAULT).")
@click.option("--international", metavar="CODE", help="Service for international orders (INTERNATIONAL_DEFAULT).")
def map_services(merchant_id: int, domestic: str | None, international: str | None) -> None:
    """Choose a merchant's carrier services.

    To see the codes, run: flask --app wsgi services list. The change applies to every order that hasn't been sent yet.
    """
    merchant = the_merchant(merchant_id)
    if domestic is None and international is None:
        raise click.ClickException("Add --domestic, --international, or both.")
    choice = ServiceChoice(
        merchant.domestic_service if domestic is None else _code(domestic, "domestic"),
        merchant.international_service if international is None else _code(international, "international"),
        merchant.territories_domestic,
    )
    save_services(session(), merchant, choice, actor=ACTOR, reason="", now=utc_now())
    waiting = session().scalar(
        select(func.count()).where(
            Order.merchant_id == merchant_id, Order.state.in_([OrderState.HELD, OrderState.READY])
        )
    )
    click.echo(
        f"Merchant {merchant_id}: DOMESTIC_DEFAULT is {merchant.domestic_service or 'not mapped'}, "
        f"INTERNATIONAL_DEFAULT is {merchant.international_service or 'not mapped'}. "
        f"Orders not sent yet: {waiting}."
    )


def _code(code: str, reach: str) -> str:
    service = find(code, catalog())
    if service is None or service.reach != reach:
        known = ", ".join(one.code for one in catalog() if one.reach == reach)
        raise click.ClickException(f"{code} is not in the catalog of {reach} services. Use one of: {known}.")
    return service.code


@click.group(cls=Commands)
def services() -> None:
    """List and verify the warehouse's carrier services."""


@services.command("list")
def list_services() -> None:
    """List the carrier services.

    One line per service: code, domestic or international, carrier and name. "Verified" means that the FCP has accepted
    the code, "rejected by the warehouse" that it rejected a TEST order because of it.
    """
    known = standings(session(), 0, catalog())
    for service in catalog():
        mark = MARKS[known[service.code].standing]
        click.echo(f"{service.code:<28} {service.reach:<14} {service.carrier:<8} {service.name} ({mark})")


@services.command("verify")
@click.option("--merchant-id", type=MERCHANT_ID, required=True, help="The merchant whose credentials are used.")
@click.option("--sku", required=True, help="A SKU this merchant stocks at the warehouse.")
def verify_services(merchant_id: int, sku: str) -> None:
    """Check which service codes the FCP accepts.

    Sends one TEST order per code, which ships nothing, and records the results, which every merchant sees under
    Shipping. A code counts as rejected if the warehouse's rejection is about shipping. Any other failure stops the
    check, and nothing is recorded.
    """
    fcp = fcp_client(the_merchant(merchant_id), settings())
    session().commit()
    found: dict[str, Answer] = {}
    for nth, service in enumerate(catalog()):
        request = order_to_test(service.code, service.reach, sku, utc_now(), which=str(nth))
        try:
            fcp.submit(request, test=True)
        except ServiceError as error:
            answer = about_service(error, service.code, request.order_number)
            if answer is None:
                raise click.ClickException(f"{STOPPED} {_why_stopped(error)}") from None
            found[service.code] = answer
        else:
            found[service.code] = Answer(CheckVerdict.ACCEPTED)
        click.echo(f"{service.code:<28} {found[service.code].verdict}")
    save_verdicts(session(), merchant_id, found, utc_now())
    session().commit()
    accepted = sum(answer.verdict is CheckVerdict.ACCEPTED for answer in found.values())
    click.echo(f"The warehouse accepts {accepted} of {len(found)} codes. The results are recorded.")


def _why_stopped(error: ServiceError) -> str:
    if not isinstance(error, Rejected):
        return str(error)
    said = f': "{error.words}"' if error.words else " without giving a reason"
    return f"The warehouse rejected the TEST order{said}. Check --sku, then try again."
