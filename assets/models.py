"""Index of the app's tables."""

from assets.places.models import Department, Location, Person, User
from assets.register.models import Device, DeviceGroup, DeviceType, FaultPreset, Qualification, Skill

__all__ = [
    "Department",
    "Device",
    "DeviceGroup",
    "DeviceType",
    "FaultPreset",
    "Location",
    "Person",
    "Qualification",
    "Skill",
    "User",
]
