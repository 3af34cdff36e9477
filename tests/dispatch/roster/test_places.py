"""The board's roster names building and floor, in the reader's language, whatever room somebody was last seen in."""

import pytest
from django.utils import translation

from assets.models import Location
from dispatch.engineers.models import Engineer
from dispatch.roster.queries import OnDuty
from dispatch.roster.rules import Presence
from dispatch.roster.views import _places

pytestmark = pytest.mark.django_db


def test_a_bed_is_told_by_its_building_and_floor_in_one_query(engineer, django_assert_num_queries):
    Location.objects.create(code="SUR", kind="building", name="外科楼", name_en="Surgery Building")
    bed = Location.objects.create(code="SUR-5-3", kind="bed", name="3 床", building_code="SUR", floor=5)
    person = Engineer.objects.get(user=engineer)
    person.last_seen = bed
    line = OnDuty(person, Presence.ON_SITE, "primary", None, 0)

    with django_assert_num_queries(1):
        assert _places([line]) == {person.pk: "外科楼 5 层"}

    with translation.override("en"):
        assert _places([line]) == {person.pk: "Floor 5, Surgery Building"}
