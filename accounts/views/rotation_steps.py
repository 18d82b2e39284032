"""What pages say of a rotation: how far it is, and what is to be done next, by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.template.defaultfilters import date as date_in_words
from django.urls import reverse
from django.utils import timezone

from accounts.kinds import Kind
from accounts.models import AccessKey, Person, Rotation
from accounts.models.sealed import Bond, Purpose
from accounts.views.states import Shown
from portal.ledger.models import Entry
from portal.secrets.models import SealedSecret

State = Rotation.State

TONES = {
    State.STARTED: "pending",
    State.MADE: "waiting",
    State.DELIVERED: "waiting",
    State.PROVEN: "waiting",
    State.DEACTIVATED: "waiting",
    State.DONE: "ok",
    State.GIVEN_UP: "neutral",
    State.LAPSED: "neutral",
}


@dataclass(frozen=True)
class Step:
    """One step of a rotation: `place` is "done", "now", "later" or "left out"."""

    words: str
    place: str
    when: datetime | None = None
    who: str = ""
    note: str = ""

    @property
    def tone(self) -> str:
        """One of the badge's, whose shape says it without colour."""
        return {"done": "ok", "now": "waiting"}.get(self.place, "neutral")


@dataclass(frozen=True)
class Next:
    """The one thing that comes next. Without an address nobody needs to do anything, or somebody else does."""

    title: str
    words: str
    button: str = ""
    address: str = ""
    kind: str = "primary"
    is_dialog: bool = True


PROVE = Next("Put the new key in use, and prove that it works", "Both keys work now, so nothing breaks meanwhile.")
NOT_MADE = Next(
    "The new key could not be made",
    "Why not stands below. The old key works as before. Give the rotation up and begin again, or have it tried again.",
)
HELD_UP = Next("Something holds it up", "What it is, and what to do about it, stands below.")


def of_rotation(rotation: Rotation) -> Shown:
    """How far it is, in a badge."""
    return Shown(rotation.get_state_display(), TONES[State(rotation.state)], rotation.state == State.STARTED)


def sealed_of(rotation: Rotation, *, at: datetime) -> SealedSecret | None:
    """The new key's secret, while it waits to be opened."""
    if rotation.new_key is None or rotation.state != State.MADE:
        return None
    bond = Bond(Purpose.ACCESS_KEY, rotation.iam_user_id, rotation.new_key.access_key_id)
    ready = SealedSecret.objects.of(rotation.organization).ready().filter(expires_at__gt=at)
    return ready.filter(bound_to=str(bond)).first()


def next_of(rotation: Rotation, *, by: Person, at: datetime, sealed: SealedSecret | None) -> Next:
    """What comes next while nothing is on its way."""
    if rotation.state == State.MADE:
        return _opening(rotation, by, sealed)
    if rotation.state == State.DELIVERED:
        return PROVE
    if rotation.state == State.PROVEN:
        return _deactivating(rotation)
    if rotation.state == State.DEACTIVATED:
        return _deleting(rotation, at)
    if rotation.state == State.STARTED:
        return Next("The new key is on its way", "AWS is being asked for it. The old key works as before.")
    return _ended(rotation)


def in_short(rotation: Rotation, *, by: Person, at: datetime, is_stuck: bool) -> Next:
    """What a list says of it, in one query for the secret at most: its button leads to the rotation's page."""
    address = reverse("rotation", args=[rotation.pk])
    if is_stuck:
        return replace(HELD_UP, button="Show rotation", address=address, is_dialog=False)
    sealed = sealed_of(rotation, at=at) if rotation.recipient_id == by.pk else None
    step = next_of(rotation, by=by, at=at, sealed=sealed)
    if sealed is not None:
        return step
    words = "Go on" if step.kind != "secondary" else "Show rotation"
    return Next(step.title, step.words, words, address, is_dialog=False)


def _opening(rotation: Rotation, by: Person, sealed: SealedSecret | None) -> Next:
    if sealed is None:
        return Next(
            "Nobody opened the new key's secret in time",
            "The new key is being deleted, and the rotation ends by itself. The old key works as before; start again.",
        )
    until = moment_in_words(sealed.expires_at)
    if rotation.recipient_id != by.pk:
        return Next(
            f"{rotation.recipient} opens the new key's secret",
            f"It waits for them alone until {until}; then the new key is deleted. The old key works as before.",
        )
    return Next(
        "Open the new key's secret",
        "It is shown once, to you alone, for a minute: have the place ready where you keep it. "
        f"If you do not open it by {until}, the new key is deleted. The old key works as before.",
        "Show secret",
        reverse("secret", args=[sealed.pk]),
        is_dialog=False,
    )


def _deactivating(rotation: Rotation) -> Next:
    address = reverse("make_old_key_inactive", args=[rotation.pk])
    if rotation.old_key_was_used_since:
        return Next(
            "Find what still uses the old key",
            "Give that the new key too, and look again. To make the old key inactive all the same, say why.",
            "Make old key inactive",
            address,
            kind="secondary",
        )
    return Next(
        "Make the old key inactive",
        "The new key works. From then on AWS refuses whatever still has the old one. It can be undone, at once and "
        "as long as the old key is not deleted.",
        "Make old key inactive",
        address,
    )


def _deleting(rotation: Rotation, at: datetime) -> Next:
    address = reverse("delete_old_key", args=[rotation.pk])
    if rotation.is_watched(at=at) and rotation.watch_until is not None:
        return Next(
            f"Watch until {moment_in_words(rotation.watch_until)}",
            "What still has the old key is refused now. If something breaks, make the old key active again. "
            "If nothing does, delete the old key then. You can leave until that day.",
            "Delete old key",
            address,
            kind="secondary",
        )
    return Next(
        "Delete the old key",
        "It has been inactive for the whole time of watching. Once deleted it cannot be brought back.",
        "Delete old key",
        address,
        kind="danger",
    )


def _ended(rotation: Rotation) -> Next:
    if rotation.state == State.DONE:
        return Next("Done", f"{rotation.new_key} has taken the place of {rotation.old_key}. Nothing is left to do.")
    title = rotation.get_state_display()
    if rotation.iam_user.gone_at is not None:
        return Next(title, "AWS no longer holds the IAM user.")
    if rotation.old_key.gone_at is not None or rotation.old_key.status != AccessKey.Status.ACTIVE:
        return Next(title, "The old key was left as it was. By now it does not work any more.")
    address = reverse("start_rotation", args=[rotation.old_key_id])
    return Next(title, "The old key was left as it is, and can be rotated again.", "Rotate key", address)


def steps_of(rotation: Rotation, entries: Mapping[str, Entry]) -> list[Step]:
    """All steps from the start to the end; `entries` are the last of each kind that were decided in it."""
    if rotation.state in (State.GIVEN_UP, State.LAPSED):
        steps = [step for step in _steps(rotation, entries) if step.place == "done"]
        ended = entries.get(Kind.ROTATION_GIVEN_UP) or entries.get(Kind.ROTATION_ENDED)
        note = ended.details.get("words", "") if ended else ""
        who = _who(ended)
        return [*steps, Step(rotation.get_state_display(), "done", rotation.ended_at, who, note)]
    return _with_the_present(list(_steps(rotation, entries)))


def _steps(rotation: Rotation, entries: Mapping[str, Entry]) -> Iterator[Step]:
    started_by = str(rotation.started_by) if rotation.started_by else "the portal"
    yield Step("Rotation started", "done", rotation.started_at, started_by)
    yield _step("New key made", rotation.made_at)
    yield _step("Secret opened", rotation.opened_at, str(rotation.recipient))
    yield _step("New key proven", rotation.proven_at, note=f"By {rotation.get_proven_by_display()}")
    yield _step("Old key inactive", rotation.deactivated_at, _who(entries.get(Kind.ACCESS_KEY_DEACTIVATED)))
    yield _watched(rotation)
    yield _deleted(rotation, entries)


def _step(words: str, when: datetime | None, who: str = "", note: str = "") -> Step:
    return Step(words, "later") if when is None else Step(words, "done", when, who, note)


def _watched(rotation: Rotation) -> Step:
    is_over = rotation.state == State.DONE or (
        rotation.watch_until is not None and rotation.watch_until <= timezone.now()
    )
    until = f"Until {moment_in_words(rotation.watch_until)}" if rotation.watch_until else ""
    return Step("Watched", "done" if is_over else "later", note=until)


def _deleted(rotation: Rotation, entries: Mapping[str, Entry]) -> Step:
    ended_at = rotation.ended_at if rotation.state == State.DONE else None
    entry = entries.get(Kind.ACCESS_KEY_DELETED) or entries.get(Kind.ROTATION_ENDED)
    return _step("Old key deleted", ended_at, _who(entry), entry.details.get("words", "") if entry else "")


def _with_the_present(steps: list[Step]) -> list[Step]:
    """The first that is not done is the one at which it stands; what a later one overtook was left out."""
    last = max(place for place, step in enumerate(steps) if step.place == "done")
    return [_placed(step, place, last) for place, step in enumerate(steps)]


def _placed(step: Step, place: int, last: int) -> Step:
    if step.place == "done" or place > last + 1:
        return step
    return Step(step.words, "now" if place == last + 1 else "left out", note=step.note)


def _who(entry: Entry | None) -> str:
    return entry.by_name if entry is not None else ""


def moment_in_words(when: datetime) -> str:
    """Day and time, as a sentence wants it: "2 December at 11:45 UTC"."""
    return date_in_words(timezone.localtime(when), "j F \\a\\t H:i e")
