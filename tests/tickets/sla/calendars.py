"""The calendars that the SLA tests share: the hospital's working day in Shanghai, with one National Day week."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tickets.sla.rules import WorkCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORKDAY = ((time(8), time(12)), (time(13, 30), time(17, 30)))
NATIONAL_DAYS = {date(2026, 10, 1) + timedelta(days=n): () for n in range(7)}
MAKE_UP_SATURDAY = date(2026, 10, 10)

HOSPITAL = WorkCalendar(
    SHANGHAI,
    dict.fromkeys(range(5), WORKDAY),
    {**NATIONAL_DAYS, MAKE_UP_SATURDAY: WORKDAY},
    dict.fromkeys([*NATIONAL_DAYS, MAKE_UP_SATURDAY], "国庆节"),
)
"""Monday to Friday 08:00-12:00 and 13:30-17:30; 1 to 7 October 2026 free, Saturday 10 October worked."""


def shanghai(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment of 2026 as the wall in Shanghai shows it."""
    return datetime(2026, month, day, hour, minute, second, tzinfo=SHANGHAI)


def hours(amount: float) -> timedelta:
    return timedelta(hours=amount)


def minutes(amount: float) -> timedelta:
    return timedelta(minutes=amount)
