"""Views of a domain with people, rules and files in it, for `tests.ui.shots`."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.ui.walk import Walk


def domain(walk: Walk) -> None:
    """What runs in the domain, what it costs, its health."""
    part(walk, "overview")


def part(walk: Walk, name: str) -> None:
    """One part of the domain's page."""
    walk.panel("domain")
    walk.see(f"studio-domain-section-{name}").click()
    expect(walk.see(f"studio-domain-page-{name}")).to_be_visible()


def members(walk: Walk) -> None:
    """Six members, one of them being removed."""
    part(walk, "members")
    expect(walk.see("studio-row-members-farah")).to_be_visible()


def keys(walk: Walk) -> None:
    """Keys of several kinds."""
    part(walk, "keys")
    expect(walk.see("studio-table-keys")).to_contain_text("forecast service")


def newkey(walk: Walk) -> None:
    """The dialog that makes a key."""
    keys(walk)
    walk.see("studio-key-create").click()
    walk.see("studio-key-purpose-invoke").check()


def sessions(walk: Walk) -> None:
    """Browsers that are signed in."""
    part(walk, "sessions")
    expect(walk.see("studio-table-sessions")).to_be_visible()


def policy(walk: Walk) -> None:
    """Rules, and why somebody may not."""
    part(walk, "policy")
    walk.see("studio-explain-user").select_option("bo")
    walk.see("studio-explain-resource").fill("prod-rain")
    walk.see("studio-explain-ask").click()
    expect(walk.see("studio-explain-answer")).to_contain_text("Denied")


def rule(walk: Walk) -> None:
    """The dialog that writes a rule."""
    part(walk, "policy")
    walk.page.get_by_role("button", name="Change this rule").nth(3).click()
    expect(walk.see("studio-rule-sentence")).to_be_visible()


def audit(walk: Walk) -> None:
    """What was done and refused."""
    part(walk, "audit")
    expect(walk.see("studio-table-audit")).to_contain_text("narrowed")


def volume(walk: Walk) -> None:
    """A volume in use, and its snapshots."""
    part(walk, "volume")
    expect(walk.see("studio-table-snapshots")).to_contain_text("before the clean-up")


def spaces(walk: Walk) -> None:
    """Places to work."""
    part(walk, "spaces")
    expect(walk.see("studio-table-spaces")).to_contain_text("Rain")


def limits(walk: Walk) -> None:
    """Network mode, limits, required isolation."""
    part(walk, "limits")
    expect(walk.see("studio-setting-memory")).to_be_visible()


def isolation(walk: Walk) -> None:
    """What is enforced on this host, and what is not."""
    part(walk, "isolation")
    expect(walk.see("studio-isolation-level")).to_be_visible()


def importing(walk: Walk) -> None:
    """The command that imports from MLflow."""
    walk.panel("home")
    walk.see("studio-import-mlflow").click()
    walk.see("studio-dialog-accept").click()
    expect(walk.see("studio-import-command")).to_be_visible()


def newdomain(walk: Walk) -> None:
    """The dialog that makes a domain, on the page of domains."""
    walk.page.goto(f"{walk.live.address}/?new")
    walk.page.get_by_label("Name", exact=True).fill("rain-lab")


def account(walk: Walk) -> None:
    """Password and browsers, at the apex."""
    walk.page.goto(f"{walk.live.address}/account")


def password(walk: Walk) -> None:
    """The sign-in page, where somebody has a password."""
    walk.page.context.clear_cookies()
    walk.page.goto(walk.live.address)


DOMAIN: dict[str, Callable[[Walk], None]] = {
    view.__name__: view
    for view in (
        domain, members, keys, newkey, sessions, policy, rule, audit, volume, spaces, limits, isolation, importing,
        newdomain, account, password,
    )
}  # fmt: skip
