"""The records room changes nothing, whatever is sent to it."""

from django.contrib import admin
from django.test import Client

from accounts.models import Person
from tests.accounts.admin.conftest import Enter, World, Worlds, address, models

# Everything that Django's admin can be told to do by a form.
FORM = {"post": "yes", "_save": "Save", "name": "changed", "user_name": "changed", "is_active": "", "reason": "changed"}


def everything() -> dict[str, list[dict[str, object]]]:
    """All rows of all models of the records room."""
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in admin.site._registry}


def pages(name: str, world: World) -> list[str]:
    pk = world[name].pk
    return [address(name), address(name, "add"), *(address(name, view, pk) for view in ("change", "delete", "history"))]


def test_an_owner_changes_nothing_here(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client, before = enter(olive), everything()

    for name in models():
        for page in pages(name, worlds.payments):
            client.post(page, FORM)
        assert client.get(address(name, "add")).status_code == 403
        assert client.post(address(name, "change", worlds.payments[name].pk), FORM).status_code == 403
        assert client.post(address(name, "delete", worlds.payments[name].pk), FORM).status_code == 403

        assert everything() == before


def test_no_action_is_taken_on_many_rows(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client, before = enter(olive), everything()

    for name in models():
        chosen = [worlds.payments[name].pk, worlds.globex[name].pk]

        client.post(address(name), {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})

        assert everything() == before
        assert "delete_selected" not in client.get(address(name)).content.decode()


def test_a_page_offers_nothing_to_type_or_save(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client = enter(olive)

    for name in models():
        page = client.get(address(name, "change", worlds.payments[name].pk)).content.decode()

        for control in ('name="_save"', 'name="_continue"', "deletelink", "<textarea", 'type="text"', "<select"):
            assert control not in page.partition('id="content')[2], control


def test_history_is_the_ledger(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client: Client = enter(olive)

    answer = client.get(address("iamuser", "history", worlds.payments["iamuser"].pk), follow=True)

    assert [row.pk for row in answer.context["cl"].result_list] == [worlds.payments["entry"].pk]


def test_history_takes_a_duty_that_includes_the_ledger(enter: Enter, hugo: Person, worlds: Worlds) -> None:
    answer = enter(hugo).get(address("iamuser", "history", worlds.payments["iamuser"].pk))

    assert answer.status_code == 403


def test_the_way_to_the_history_is_offered_to_those_who_may_go_it(
    enter: Enter, ada: Person, hugo: Person, worlds: Worlds
) -> None:
    page = address("iamuser", "change", worlds.payments["iamuser"].pk)

    assert "historylink" in enter(ada).get(page).content.decode()
    assert "historylink" not in enter(hugo).get(page).content.decode()
