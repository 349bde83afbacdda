"""The domain's page in a real browser: members, narrowed keys, rules that say why, and making another domain."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from studio.client import Rest
from studio.errors import NotFound
from tests.live import Live, until
from tests.ui import rich_domain
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def walk(browser: Browser, live: Live) -> Iterator[Walk]:
    rich_domain.add_people(live)
    with window(browser) as page:
        found = Walk(page, live)
        found.sign_in()
        found.open_lab()
        found.panel("domain")
        yield found
        assert found.problems == []


def roles(live: Live) -> dict[str, str]:
    with live.operator() as api:
        return {item["user"]: item["role"] for item in api.get("domains/demo/members")}


def test_a_member_is_added_and_a_changed_role_is_taken_back(walk: Walk, live: Live) -> None:
    with live.operator() as api:
        api.post("users", {"name": "gus"})
    walk.see("studio-domain-section-members").click()
    walk.see("studio-member-add").click()
    walk.see("studio-member-user").select_option("gus")
    walk.see("studio-dialog-accept").click()
    expect(walk.see("studio-row-members-gus")).to_contain_text("gus")
    assert roles(live)["gus"] == "editor"
    walk.see("studio-member-role-gus").select_option("viewer")
    toast = walk.page.locator(".Toastify__toast", has_text="gus is viewer")
    expect(toast).to_be_visible()
    assert roles(live)["gus"] == "viewer"
    toast.get_by_role("button", name="Undo").click()
    expect(walk.see("studio-member-role-gus")).to_have_value("editor")
    assert roles(live)["gus"] == "editor"
    walk.see("studio-member-remove-gus").click()
    walk.see("studio-dialog-accept").click()
    expect(walk.see("studio-row-members-gus")).to_have_count(0)
    assert "gus" not in roles(live)


def test_a_key_does_what_it_was_narrowed_to_and_ends_when_revoked(walk: Walk, live: Live) -> None:
    walk.see("studio-domain-section-keys").click()
    walk.see("studio-key-create").click()
    walk.see("studio-key-name").fill("training elsewhere")
    walk.see("studio-key-purpose-log").check()
    walk.see("studio-dialog-accept").click()
    token = walk.see("studio-key-token").inner_text()
    walk.see("studio-dialog-accept").click()
    row = walk.see("studio-table-keys").get_by_role("row", name="training elsewhere")
    expect(row).to_contain_text("Log runs")
    with httpx.Client(base_url=live.address, headers={"authorization": f"Bearer {token}"}, trust_env=False) as program:
        made = program.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"})
        assert made.status_code == 200
        refused = program.get("/api/v1/domains/demo/endpoints")
        assert refused.status_code == 403
        assert "narrowed to tracking.*" in refused.json()["error"]["message"]
        row.get_by_role("button", name="Revoke").click()
        walk.see("studio-dialog-accept").click()
        expect(row).to_have_count(0)
        assert program.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).status_code == 401


def test_a_denied_call_says_which_rule_it_was(walk: Walk, live: Live) -> None:
    walk.see("studio-domain-section-policy").click()
    walk.see("studio-rule-add").click()
    walk.see("studio-rule-resource").fill("prod-*")
    walk.see("studio-rule-why").fill("production is <b>changed</b> by admins")
    expect(walk.see("studio-rule-sentence")).to_have_text("Editors may not deploy and change endpoints named prod-*.")
    walk.see("studio-dialog-accept").click()
    rule = walk.see("studio-domain-page-policy").get_by_role("listitem").filter(has_text="named prod-*")
    expect(rule).to_contain_text("production is <b>changed</b> by admins")
    answer = walk.see("studio-explain-answer")
    for name, said in (("prod-rain", "Denied"), ("rain", "Allowed")):
        walk.see("studio-explain-user").select_option("bo")
        walk.see("studio-explain-resource").fill(name)
        walk.see("studio-explain-ask").click()
        expect(answer).to_contain_text(said)
    token = live.key("demo", "bo")
    with httpx.Client(base_url=live.address, headers={"authorization": f"Bearer {token}"}, trust_env=False) as program:
        refused = program.delete("/api/v1/domains/demo/endpoints/prod-rain")
        assert refused.status_code == 403
        assert "production is <b>changed</b> by admins" in refused.json()["error"]["message"]
        assert program.delete("/api/v1/domains/demo/endpoints/rain").status_code == 404
    walk.see("studio-domain-section-audit").click()
    walk.see("studio-audit-outcome").select_option("denied")
    row = walk.see("studio-table-audit").get_by_role("row").filter(has_text="endpoint/prod-rain")
    expect(row.first).to_contain_text("bo")
    walk.see("studio-domain-section-policy").click()
    rule.get_by_role("button", name="Take this rule out").click()
    walk.see("studio-dialog-accept").click()
    expect(rule).to_have_count(0)


def test_who_runs_the_installation_makes_a_domain_in_one_dialog(browser: Browser, live: Live) -> None:
    rich_domain.add_people(live)
    with window(browser) as page:
        walk = Walk(page, live)
        walk.sign_in()
        page.goto(f"{live.address}/?new")
        dialog = page.get_by_role("dialog", name="New domain")
        name, create = dialog.get_by_label("Name", exact=True), dialog.get_by_role("button", name="Create and open")
        for wrong, said in (
            ("Rain", "a-z, 0-9 and hyphens"),
            ("-rain", "beginning and ending"),
            ("demo", "already a domain"),
        ):
            name.fill(wrong)
            expect(dialog).to_contain_text(said)
            expect(create).to_be_disabled()
        name.fill("rain-lab")
        expect(dialog).to_contain_text(f"http://rain-lab.localhost:{urlsplit(live.address).port}")
        dialog.get_by_label("Title").fill("Rain <b>lab</b>")
        dialog.get_by_text("None", exact=True).click()
        dialog.get_by_label("Role of bo").select_option("viewer")
        # Its lab is not started: it would run beside all that follows.
        page.route("**/open?domain=rain-lab", lambda route: route.fulfill(body="its lab"))
        create.click()
        expect(page.get_by_text("its lab")).to_be_visible()
        with live.operator() as api:
            made = until(lambda: _found(api, "rain-lab"), "the new domain")
            assert (made["title"], made["network_mode"]) == ("Rain <b>lab</b>", "none")
            assert {(item["user"], item["role"]) for item in made["members"]} >= {("bo", "viewer")}
            with pytest.raises(NotFound):
                api.post("domains", {"name": "half-made", "members": [{"user": "nobody-there", "role": "editor"}]})
            assert "half-made" not in {item["name"] for item in api.get("domains")}
        assert walk.problems == []


def _found(api: Rest, name: str) -> Any:
    return next((api.get(f"domains/{item['name']}") for item in api.get("domains") if item["name"] == name), None)


def test_somebody_else_sees_who_can(browser: Browser, live: Live) -> None:
    rich_domain.add_people(live)
    with window(browser) as page:
        walk = Walk(page, live)
        walk.sign_in("emil")
        page.goto(f"{live.address}/?new")
        expect(page.get_by_text("made by who runs this installation")).to_be_visible()
        expect(page.get_by_role("button", name="New domain")).to_have_count(0)
