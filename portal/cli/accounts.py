"""Users, merchants and the catalogue of services on the command line."""

from __future__ import annotations

import click
from sqlalchemy import func, select

from portal.actions.merchants import map_services as save_services
from portal.actions.merchants import save_merchant
from portal.cli.common import ACTOR, MERCHANT_ID, Commands, secret_from_stdin, the_merchant
from portal.clients.errors import NotSent, OutcomeUnknown, Rejected, ServiceError, Unauthorized
from portal.clients.fcp import FcpAddress, FcpItem, OrderRequest
from portal.clock import utc_now
from portal.current import session, settings
from portal.fulfillment.clients import fcp_client
from portal.models import Order, OrderState, Role, User
from portal.models.audit import record
from portal.people import passwords
from portal.people.accounts import new_session_key
from portal.rules.services import catalog, find, mark_verified
from portal.rules.shipping import ServiceChoice


@click.group(cls=Commands)
def users() -> None:
    """People who may log in."""


@users.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--merchant-id", type=MERCHANT_ID, help="The merchant that a merchant user belongs to.")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def create_user(email: str, role: str, merchant_id: int | None, password_stdin: bool) -> None:
    """Make a user. A merchant user needs --merchant-id; a support user sees every merchant and has none."""
    del password_stdin
    email = email.strip().lower()
    if "@" not in email.strip("@"):
        raise click.ClickException(f"{email} is not an e-mail address.")
    if (role == Role.MERCHANT) != (merchant_id is not None):
        raise click.ClickException("A merchant user needs --merchant-id; a support user must not have one.")
    if merchant_id is not None:
        the_merchant(merchant_id)
    if session().scalar(select(User.id).where(User.email == email)):
        raise click.ClickException(f"There is a user {email} already.")
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
    click.echo(f"Made the {role} user {email}.")


@click.group(cls=Commands)
def merchants() -> None:
    """Merchants of the warehouse and their way to the FCP."""


@merchants.command("add")
@click.option("--merchant-id", type=MERCHANT_ID, required=True, help="MerchantId in the FCP.")
@click.option("--name", required=True, help="MerchantName, exactly as the FCP shows it.")
@click.option("--token-stdin", is_flag=True, required=True, help="Read the Merchant Token from standard input.")
def add_merchant(merchant_id: int, name: str, token_stdin: bool) -> None:
    """Add a merchant, or give one that is there a new name and Merchant Token.

    All three stand in the FCP under Client Info, My Settings. New credentials also end a stop after refused ones.
    """
    del token_stdin
    token = secret_from_stdin("Merchant Token")
    if not (name := name.strip()):
        raise click.ClickException("--name is empty: give the MerchantName as the FCP shows it.")
    is_new = save_merchant(
        session(),
        merchant_id,
        name=name,
        token=token,
        settings=settings(),
        now=utc_now(),
        actor=ACTOR,
    )
    click.echo(f"Added merchant {merchant_id}." if is_new else f"Merchant {merchant_id} has new credentials.")


@merchants.command("map")
@click.option("--merchant-id", type=MERCHANT_ID, required=True)
@click.option("--domestic", metavar="CODE", help="The service that DOMESTIC_DEFAULT stands for.")
@click.option("--international", metavar="CODE", help="The service that INTERNATIONAL_DEFAULT stands for.")
def map_services(merchant_id: int, domestic: str | None, international: str | None) -> None:
    """Map the shipping codes to services of a carrier. `services list` shows the codes.

    The change applies to every order that has not been sent yet.
    """
    merchant = the_merchant(merchant_id)
    if domestic is None and international is None:
        raise click.ClickException("Give --domestic, --international or both.")
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
        raise click.ClickException(f"{code} is no {reach} service of the catalogue. It has: {known}.")
    return service.code


@click.group(cls=Commands)
def services() -> None:
    """The catalogue of the warehouse's shipping services."""


@services.command("list")
def list_services() -> None:
    """Every service with its code, by carrier; "verified" ones have been accepted by the FCP."""
    for service in catalog():
        mark = "verified" if service.verified else "not verified"
        click.echo(f"{service.code:<28} {service.reach:<14} {service.carrier:<8} {service.name} ({mark})")


@services.command("verify")
@click.option("--merchant-id", type=MERCHANT_ID, required=True, help="In whose name to ask.")
@click.option("--sku", required=True, help="A SKU that this merchant has at the warehouse.")
def verify_services(merchant_id: int, sku: str) -> None:
    """Ask the FCP which codes it takes, with TEST orders that ship nothing, and record it in the catalogue.

    A refusal that names the shipping method counts as "no"; any other answer leaves the mark as it is.
    """
    fcp = fcp_client(the_merchant(merchant_id), settings())
    session().commit()
    verified: dict[str, bool] = {}
    for service in catalog():
        request = _test_order(service.code, sku, service.reach)
        try:
            fcp.submit(request, test=True)
        except (Unauthorized, NotSent, OutcomeUnknown) as error:
            raise click.ClickException(f"Stopped: {error}") from None
        except Rejected as error:
            if "ship" not in error.words.lower():
                raise click.ClickException(f"The FCP refused the test order itself: {error.words}") from None
            verified[service.code] = False
        except ServiceError as error:
            raise click.ClickException(f"Stopped: {error}") from None
        else:
            verified[service.code] = True
        click.echo(f"{service.code:<28} {'accepted' if verified[service.code] else 'refused'}")
    mark_verified(verified)
    click.echo(f"Accepted {sum(verified.values())} of {len(verified)} codes; the catalogue says so now.")


def _test_order(code: str, sku: str, reach: str) -> OrderRequest:
    domestic = FcpAddress(
        first_name="Test", last_name="Order", address1="807 Airport Access Rd", city="Traverse City",
        state="MI", postal_code="49686", country="US",
    )  # fmt: skip
    abroad = FcpAddress(
        first_name="Test",
        last_name="Order",
        address1="1 High Street",
        city="London",
        postal_code="SW1A 1AA",
        country="GB",
    )
    stamp = f"{utc_now():%Y%m%d%H%M%S}"
    address = domestic if reach == "domestic" else abroad
    return OrderRequest(f"TEST-{stamp}-{code}", code, address, (FcpItem(sku, 1),))
