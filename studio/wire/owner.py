"""Whose something is: in whose sandbox it runs, and who besides may end it."""

from studio.access.principals import Kind, Principal, Role
from studio.errors import Denied


def owner_of(principal: Principal, domain: str) -> str:
    """The asker, who must be a member: only members have a sandbox and a folder in `domain`."""
    if domain not in principal.roles:
        raise Denied(
            f"{principal.user} is no member of {domain}, so there is no sandbox to run this in.",
            f"Add them: `studio member add {principal.user} --domain {domain} --role editor`.",
        )
    return principal.user


def is_admin(principal: Principal, domain: str) -> bool:
    """An admin of `domain`, or the operator; code in a sandbox never is."""
    return principal.kind is Kind.operator or principal.role_in(domain) is Role.admin


def require_owner(principal: Principal, domain: str, what: str, owner: str) -> None:
    """Returns if `principal` may act on what is `owner`'s; else `Denied`."""
    if principal.user != owner and not is_admin(principal, domain):
        raise Denied(f"This {what} is {owner}'s.", f"Ask {owner}, or an admin of {domain}.")


def runs_installation(principal: Principal) -> bool:
    """Who runs the installation: on the host, or as a person at the apex."""
    return principal.kind is Kind.operator or principal.operates
