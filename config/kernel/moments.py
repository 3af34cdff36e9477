"""Dates and moments from outside, kept away from the ends of the calendar: a day more or another zone would leave it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django_filters.fields import IsoDateTimeField
from rest_framework import serializers

FIRST_YEAR, LAST_YEAR = 1900, 2999
OUTSIDE = _("日期要在 1900 年到 2999 年之间。")


def is_sane(when: date) -> bool:
    """Whether a date or moment lies in the years that anything here can be about."""
    return FIRST_YEAR <= when.year <= LAST_YEAR


def sane(when: date) -> None:
    """The same as a validator of forms."""
    if not is_sane(when):
        raise ValidationError(OUTSIDE)


class MomentField(serializers.DateTimeField):
    """A moment in the body of a request. A day alone is none, though Python reads it as its midnight."""

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and _is_day(value):
            self.fail("date")
        try:
            moment: datetime = super().to_internal_value(value)
        except OverflowError as error:  # our zone already leaves the calendar
            raise serializers.ValidationError(OUTSIDE) from error
        if not is_sane(moment):
            raise serializers.ValidationError(OUTSIDE)
        return moment


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


class _FilterField(IsoDateTimeField):
    def to_python(self, value: Any) -> Any:
        moment = super().to_python(value)
        if moment is not None:
            sane(moment)
        return moment


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A moment in the address of a list."""

    field_class = _FilterField
