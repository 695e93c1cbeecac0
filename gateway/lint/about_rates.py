"""`limits.requests`, of gateway.yaml and of applications."""

from collections.abc import Iterator

from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import GatewayFile
from gateway.lint.subject import Of, Subject

# What a browser asks for at once on six connections, several times over.
_OF_A_PAGE = 20


def less_than_a_page(subject: Subject) -> Iterator[Problem]:
    files: tuple[Of[GatewayFile] | Of[AppFile], ...] = (subject.gateway, *subject.apps)
    for file in files:
        rates = file.model.limits.requests
        for name in () if rates is None else type(rates).model_fields:
            section = getattr(rates, name)
            burst = _OF_A_PAGE if section is None else section.burst or section.rate.number
            if burst < _OF_A_PAGE:
                say = f"{burst} requests at once are fewer than a page with its images needs"
                yield file.at("limits", "requests", name, say=say, write=f"burst: {_OF_A_PAGE} or more")
