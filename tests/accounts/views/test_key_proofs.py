"""The dialog in which one shows that the new key works, and having AWS asked for its use."""

import shlex
import subprocess
import sys
from html import unescape
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, AccountImport, Person, Rotation
from accounts.usecases.rotation_proofs import USED_BEFORE
from accounts.views.key_proofs import request_command, use_command
from tests.accounts.bad_pastes import BAD, Pasting
from tests.accounts.proving import outside, pasting, rotation, trap
from tests.accounts.views.conftest import Enter

__all__ = ["outside", "pasting", "rotation", "trap"]


def address(rotation: Rotation) -> str:
    return reverse("prove_new_key", args=[rotation.pk])


@pytest.mark.parametrize("is_htmx", [False, True])
def test_the_dialog_shows_what_to_run_and_proves(
    enter: Enter, mia: Person, rotation: Rotation, pasting: Pasting, is_htmx: bool
) -> None:
    client, headers = enter(mia), {"HX-Request": "true"} if is_htmx else {}
    text = unescape(client.get(address(rotation), headers=headers).content.decode())
    assert use_command() in text
    assert request_command() in text
    assert pasting.new["AccessKeyId"] in text
    assert ("<html" in text) is not is_htmx

    answer = client.post(address(rotation), {"signed_request": pasting.good}, headers=headers)

    assert answer.headers["HX-Redirect" if is_htmx else "Location"] == reverse("rotation", args=[rotation.pk])
    assert Rotation.objects.get().state == "proven"


def test_what_the_command_prints_proves(
    enter: Enter, mia: Person, rotation: Rotation, pasting: Pasting, settings: Any
) -> None:
    command = shlex.split(request_command())
    keys = {
        "AWS_ACCESS_KEY_ID": pasting.new["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": pasting.new["SecretAccessKey"],
    }

    run = subprocess.run([sys.executable, *command[1:]], env=keys, capture_output=True, text=True, check=True)

    assert command[0] == "python3"
    assert enter(mia).post(address(rotation), {"signed_request": run.stdout}).status_code == 302
    assert Rotation.objects.get().state == "proven"


def test_where_the_portal_works_with_aws_itself_the_commands_name_no_place(settings: Any) -> None:
    settings.AWS_ENDPOINT_URL = None

    assert use_command() == "aws sts get-caller-identity --region us-east-1"
    assert "endpoint_url" not in request_command()


def test_every_bad_paste_is_told_in_the_dialog_and_not_shown_again(
    enter: Enter, mia: Person, rotation: Rotation, pasting: Pasting
) -> None:
    client = enter(mia)

    for name, (paste, begin) in BAD.items():
        pasted = paste(pasting)
        answer = client.post(address(rotation), {"signed_request": pasted})
        text = unescape(answer.content.decode())
        assert answer.status_code == 200, name
        assert begin in text or "Null characters" in text, name
        for secret in (pasting.new["SecretAccessKey"], *pasted.split("X-Amz-Signature=")[1:2]):
            assert secret[:64] not in text, name
    assert Rotation.objects.get().state == "delivered"


@pytest.mark.parametrize("pasted", ["", "   ", "\x00", "\ud800".encode("utf-16", "surrogatepass").decode("latin-1")])
def test_nothing_and_less_than_nothing_is_told(enter: Enter, mia: Person, rotation: Rotation, pasted: str) -> None:
    answer = enter(mia).post(address(rotation), {"signed_request": pasted})

    assert answer.status_code == 200
    assert Rotation.objects.get().state == "delivered"


def test_a_second_press_is_told_what_became_of_it(
    enter: Enter, mia: Person, rotation: Rotation, pasting: Pasting
) -> None:
    client, text = enter(mia), pasting.good
    client.post(address(rotation), {"signed_request": text})

    again = client.post(address(rotation), {"signed_request": text})
    assert "This cannot be done now: new key works." in again.content.decode()
    assert "There is nothing to show now: new key works." in client.get(address(rotation)).content.decode()

    Rotation.objects.update(state="delivered")
    assert USED_BEFORE in client.post(address(rotation), {"signed_request": text}).content.decode()


def test_a_question_is_asked_of_aws_and_who_may_not_prove_may_ask(
    enter: Enter, mia: Person, ada: Person, rotation: Rotation
) -> None:
    ask = reverse("refresh_rotation", args=[rotation.pk])
    enter(mia).post(ask, follow=True)

    assert AccountImport.objects.get().iam_user == rotation.iam_user
    assert enter(ada).get(address(rotation)).status_code == 403
    assert "is being read already" in enter(ada).post(ask, follow=True).content.decode()


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ({}, "AWS was not asked yet"),
        ({"last_used_read_at": timezone.now(), "last_used_source": "get_access_key_last_used"}, "AWS has seen no use"),
        ({"last_used_date": timezone.now(), "last_used_service": "sts"}, "The new key was last used"),
    ],
)
def test_the_part_of_the_rotation_s_page_says_what_is_known(
    rotation: Rotation, pasting: Pasting, read: dict[str, Any], words: str
) -> None:
    AccessKey.objects.filter(access_key_id=pasting.new["AccessKeyId"]).update(**read)
    rotation.refresh_from_db()

    text = render_to_string("accounts/_prove_new_key.html", {"rotation": rotation}, RequestFactory().get("/"))

    for part in (words, "The new key works", "Check its use in AWS", address(rotation)):
        assert part in text
