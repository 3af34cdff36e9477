"""Every address of the house, read from the resolver, with its parameters filled from real rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

_PARAMETER = re.compile(r"<(?:[a-z_]+:)?([a-z_0-9]+)>")
_GROUP = re.compile(r"\((?:\?P<([a-z0-9_]+)>)?[^()]*\)")  # of a pattern written as a regular expression


@dataclass(frozen=True)
class Address:
    """One route: its pattern, its name with the namespaces before it, and which parameters it takes."""

    pattern: str
    name: str

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with every parameter replaced; a parameter nobody knows is an error in the test."""
        nameless = iter(("object_id", "history_id"))
        text = _GROUP.sub(lambda found: values[found[1] or next(nameless)], re.sub(r"[\^$]", "", self.pattern))
        return "/" + _PARAMETER.sub(lambda found: values[found[1]], text)

    @property
    def is_admins_short_form(self) -> bool:
        """`/admin/app/model/7/`, which Django sends on to `.../7/change/`."""
        return self.name.startswith("admin:admin/") and self.pattern.endswith("/<path:object_id>/")

    @property
    def parameters(self) -> list[str]:
        return [found[1] for found in _PARAMETER.finditer(self.pattern)]


def every_address() -> list[Address]:
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, before: str, spaces: str) -> Iterator[Address]:
    for part in resolver.url_patterns:
        pattern = before + str(part.pattern)
        if isinstance(part, URLPattern):
            yield Address(pattern, spaces + (part.name or _nickname(pattern)))
        else:
            yield from _walk(part, pattern, f"{spaces}{part.namespace}:" if part.namespace else spaces)


def _nickname(pattern: str) -> str:
    """Routes without a name are called by their pattern; the one that catches all is called after what it does."""
    return "elsewhere" if pattern.endswith("(?P<url>.*)$") else pattern
