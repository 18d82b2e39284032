"""No secret is lost silently: each key and password that the long fault run made is known to somebody."""

from collections.abc import Iterator
from datetime import UTC, datetime

from accounts.models import AccessKey, IAMUser, LoginProfile, Person
from accounts.models.sealed import Bond, Purpose
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests.faults.rough_aws import Told
from tests.faults.stage import PATH, Stage


def told_secrets(stage: Stage) -> tuple[list[Told], list[str]]:
    """The newest secrets of what is there, and what is there of which nobody has the secret."""
    known, lost = _known(stage), []
    told: list[Told] = []
    for iam_user in IAMUser.objects.present().filter(path__startswith=PATH).select_related("account").order_by("pk"):
        for bond in _bonds(iam_user):
            if str(bond) in known:
                id = "" if bond.purpose is Purpose.PASSWORD else bond.id  # noqa: A001 -- the field's name
                told.append(Told(iam_user.account.account_id, iam_user.user_name, id, known[str(bond)]))
            elif str(bond) not in stage.unseen:
                lost.append(f"nobody has the secret of {bond.purpose} {bond.id} of {iam_user}")
    return told, lost


def _known(stage: Stage) -> dict[str, str]:
    """What was opened, and what waits: that is opened now."""
    waiting = {
        sealed.bound_to: seal.open_once(
            secret_id=sealed.pk, by=Person.objects.get(pk=sealed.recipient_id), at=datetime.now(UTC)
        ).reveal()
        for sealed in SealedSecret.objects.ready()
    }
    return {**stage.seen, **waiting}


def _bonds(iam_user: IAMUser) -> Iterator[Bond]:
    for key in AccessKey.objects.present().filter(iam_user=iam_user).values_list("access_key_id", flat=True):
        yield Bond(Purpose.ACCESS_KEY, iam_user.pk, key)
    if LoginProfile.objects.filter(iam_user=iam_user).exists():
        bound = f"{Purpose.PASSWORD.name}/{iam_user.pk}/"
        newest = SealedSecret.objects.filter(bound_to__startswith=bound).order_by("created_at").last()
        yield Bond.of(newest) if newest is not None else Bond(Purpose.PASSWORD, iam_user.pk, "never sealed")
