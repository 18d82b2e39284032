"""The components say what they are given, escaped, and never alone by colour."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from accounts.templatetags import look

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def rendered(source: str, **context: object) -> str:
    return Template("{% load look %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=12), "12 minutes ago"),
        (timedelta(days=3, hours=5), "3 days ago"),
        (-timedelta(hours=2), "in 2 hours"),
        (-timedelta(seconds=20), "just now"),
    ],
)
def test_a_time_is_said_as_people_say_it(before: timedelta, words: str) -> None:
    assert look.in_words(NOON - before, at=NOON) == words


def test_a_time_carries_the_exact_one() -> None:
    html = rendered("{% ago when %}", when=NOON)

    assert 'datetime="2026-11-23T12:00:00+00:00"' in html
    assert 'title="23 November 2026, 12:00:00 UTC"' in html


def test_no_time_is_said_in_words() -> None:
    assert "Not yet" in rendered('{% ago when never="Not yet" %}', when=None)


def test_an_identifier_is_there_in_full_to_be_copied() -> None:
    arn = "arn:aws:iam::111122223333:user/ledger-writer"

    html = rendered("{% identifier arn %}", arn=arn)

    assert f'title="{arn}"' in html
    assert 'aria-label="Copy identifier"' in html


def test_a_fact_says_where_it_is_known_from_and_since_when() -> None:
    html = rendered('{% fact 3 source="credential report" at=when %}', when=NOON)

    assert 'data-source="credential report"' in html
    assert "<time datetime=" in html


@pytest.mark.parametrize(
    "source",
    [
        "{% identifier evil %}",
        "{% fact evil source=evil %}",
        "{% page_header evil subtitle=evil badge=evil up_address=evil up_words=evil %}{{ evil }}{% endpage_header %}",
        "{% card evil words=evil %}{{ evil }}{% endcard %}",
        "{% dialog evil %}{{ evil }}{% enddialog %}",
        "{% empty evil %}{{ evil }}{% endempty %}",
        "{% menu evil id=evil %}{{ evil }}{% endmenu %}",
        '{% include "components/_badge.html" with words=evil tone=evil only %}',
        '{% include "components/_button.html" with words=evil address=evil icon=evil only %}',
        '{% include "components/_moment.html" with words=evil what=evil who=evil reason=evil state=evil only %}',
        '{% include "components/_toast.html" with words=evil only %}',
        '{% include "components/_notice.html" with words=evil title=evil only %}',
        '{% include "components/_progress.html" with words=evil done=evil total=evil only %}',
    ],
)
def test_what_people_and_aws_name_is_escaped(source: str) -> None:
    html = rendered(source, evil='"><script>alert(1)</script>')

    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_a_page_header_without_buttons_leaves_no_room_for_them() -> None:
    assert "page-actions" not in rendered('{% page_header "Team" %} {% endpage_header %}')
