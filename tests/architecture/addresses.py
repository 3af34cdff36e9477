"""Every address of the house, read from the resolver, with its parameters filled from real rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

_PARAMETER = re.compile(r"<(?:[a-z_]+:)?([a-z_0-9]+)>")
_GROUP = re.compile(r"\((?:\?P<([a-z0-9_]+)>)?[^()]*\)")


@dataclass(frozen=True)
class Address:
    """One route: its pattern, its name with the namespaces before it, and which parameters it takes."""

    pattern: str
    name: str

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with every parameter replaced; a parameter nobody knows is an error in the test."""
        text = _PARAMETER.sub(lambda found: values[found[1]], self.pattern.replace("^", "").replace("$", ""))
        return "/" + _GROUP.sub(lambda found: values[found[1] or "object_id"], text)

    @property
    def parameters(self) -> list[str]:
        return [found[1] for found in _PARAMETER.finditer(self.pattern)]


def every_address() -> list[Address]:
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, before: str, spaces: str) -> Iterator[Address]:
    for part in resolver.url_patterns:
        pattern = before + str(part.pattern)
        if isinstance(part, URLPattern):
            yield Address(pattern, spaces + (part.name or pattern))
        else:
            yield from _walk(part, pattern, f"{spaces}{part.namespace}:" if part.namespace else spaces)
