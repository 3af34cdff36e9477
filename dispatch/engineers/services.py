"""What an engineer's work teaches: where they were last, and how their repairs went."""

from __future__ import annotations

import math

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from assets.places.models import Location
from config.kernel.errors import Invalid
from dispatch.engineers.models import Engineer, TrackRecord
from dispatch.engineers.rules import HALF_LIFE_DAYS


def seen_at(user_id: int, location: Location) -> bool:
    """Afterwards walks are counted from `location`. Only a scan says this: there is no tracking between scans."""
    return bool(Engineer.objects.filter(user_id=user_id).update(last_seen=location))


@transaction.atomic
def count_visit(user_id: int, *, category: str, fixed: bool, minutes: float) -> None:
    """One more attempt in this engineer's history of the category. Rivals add up; nothing is read first."""
    engineer = Engineer.objects.filter(user_id=user_id).first()
    if engineer is None:
        return
    category = category or "other"
    changes = {
        "attempts": F("attempts") + 1,
        "first_fixes": F("first_fixes") + int(fixed),
        "log_minutes_sum": F("log_minutes_sum") + math.log(max(minutes, 1.0)),
    }
    mine = TrackRecord.objects.filter(engineer=engineer, category=category)
    if mine.update(**changes):
        return
    try:
        with transaction.atomic():
            TrackRecord.objects.create(
                engineer=engineer,
                category=category,
                attempts=1,
                first_fixes=int(fixed),
                log_minutes_sum=math.log(max(minutes, 1.0)),
            )
    except IntegrityError:  # a rival made the row first
        mine.update(**changes)


def take_back_fix(user_id: int, *, category: str) -> None:
    """The same fault came back: that visit was no first-time fix after all."""
    TrackRecord.objects.filter(engineer__user_id=user_id, category=category or "other").update(
        first_fixes=Greatest(F("first_fixes") - 1, 0.0)
    )


def fade_history(days: float) -> int:
    """Old visits weigh less: all counts shrink by `days` of the half-life. Ratios, and so estimates, stay."""
    if days <= 0:
        raise Invalid(_("天数要大于 0。"), fields={"days": _("天数要大于 0。")})
    factor = 0.5 ** (days / HALF_LIFE_DAYS)
    return TrackRecord.objects.update(
        attempts=F("attempts") * factor,
        first_fixes=F("first_fixes") * factor,
        log_minutes_sum=F("log_minutes_sum") * factor,
    )
