"""Index of the app's tables."""

from dispatch.engineers.models import Engineer, EngineerQualification, EngineerSkill, TrackRecord
from dispatch.matching.models import Decision, DepartmentMode, Exclusion, Weights
from dispatch.roster.models import Leave, Shift

__all__ = [
    "Decision",
    "DepartmentMode",
    "Engineer",
    "EngineerQualification",
    "EngineerSkill",
    "Exclusion",
    "Leave",
    "Shift",
    "TrackRecord",
    "Weights",
]
