"""What a team's envelope asks of its IAM users besides what it hands out: the tags that they bear, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from accounts import access
from accounts.models import Envelope, IAMUser, Person, Team


class OutsideEnvelope(ValidationError):
    """The team may not have this; carries the form field that it was asked in."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__({field: message})


@dataclass(frozen=True)
class TagRule:
    """A tag that the team's IAM users bear, with one of the values; with any where there are none."""

    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key} = {' or '.join(self.values)}" if self.values else f"{self.key} = any value"

    def is_kept_by(self, tags: Mapping[str, str]) -> bool:
        """Whether the tags have it. In keys of IAM users' tags upper and lower case count as the same."""
        held = next((value for key, value in tags.items() if key.lower() == self.key.lower()), None)
        return held is not None and (held in self.values if self.values else True)


@dataclass(frozen=True)
class Room:
    """How many IAM users a team has, and how many it may have; None for any number."""

    taken: int
    limit: int | None

    def __str__(self) -> str:
        return f"{self.taken} IAM users" if self.limit is None else f"{self.taken} of {self.limit} IAM users"

    def with_one_more(self) -> Room:
        """Once one more was made."""
        return replace(self, taken=self.taken + 1)

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.taken >= self.limit


def tag_rules_of(team: Team) -> list[TagRule]:
    """The tags that the team's IAM users bear."""
    rules = Envelope.objects.filter(team=team).values_list("tag_rules", flat=True).first() or []
    return [TagRule(rule["key"], tuple(rule["values"])) for rule in rules]


def asked_tags(team: Team) -> str:
    """The tags that the team's IAM users bear, as a sentence; nothing where any will do."""
    rules = tag_rules_of(team)
    return f"IAM users of team {team} bear {'; '.join(str(rule) for rule in rules)}." if rules else ""


def room_of(team: Team) -> Room:
    """How many IAM users the team has in AWS or on their way there, and how many it may have."""
    limit = Envelope.objects.filter(team=team).values_list("iam_user_limit", flat=True).first()
    return Room(IAMUser.objects.present().filter(team=team).count(), limit)


def require_tags(*, by: Person, team: Team | None, tags: Mapping[str, str]) -> None:
    """Return when the person may leave an IAM user of the team with these tags.

    :raises OutsideEnvelope: at the tags, when a lead would leave out one that the envelope asks for.
    """
    if team is None or access.reaches_beyond_envelopes(by=by, organization=team.organization):
        return
    for rule in tag_rules_of(team):
        if not rule.is_kept_by(tags):
            raise OutsideEnvelope("tags", f"IAM users of team {team} bear the tag {rule}. An owner can change that.")


def require_room(*, by: Person, team: Team, more: int = 1) -> None:
    """Return when the person may have so many more IAM users in the team; inside the transaction that puts them there.

    :raises OutsideEnvelope: when the team has as many as it may, or would have more.
    """
    if access.reaches_beyond_envelopes(by=by, organization=team.organization):
        return
    # Locked until the commit: of two who make the last one that there is room for, the second counts the first one's.
    list(Envelope.objects.select_for_update(no_key=True).filter(team=team))
    room = room_of(team)
    if room.is_full:
        raise OutsideEnvelope("team", f"Team {team} has {room}, which is all it may have. An owner can change that.")
    if room.limit is not None and room.taken + more > room.limit:
        raise OutsideEnvelope("team", f"Team {team} has {room}: {more} more are too many. An owner can change that.")
