"""In whose sandbox something that was asked for runs."""

from studio.access.principals import Principal
from studio.errors import Denied


def owner_of(principal: Principal, domain: str) -> str:
    """The asker, who must be a member: only members have a sandbox and a folder in `domain`."""
    if domain not in principal.roles:
        raise Denied(
            f"{principal.user} is no member of {domain}, so there is no sandbox to run this in.",
            f"Add them: `studio member add {principal.user} --domain {domain} --role editor`.",
        )
    return principal.user
