"""The login form of an application as the plan has it."""

import hashlib

from gateway.config.check.form_login import SECRET
from gateway.config.compile.frozen import Material, frozen
from gateway.config.folder.files import team_of
from gateway.config.schema.app import AppFile
from gateway.config.schema.form_login import (
    FormLoginSection,
    FormStepSection,
    ResponseMarkSection,
    TrustedAccountSection,
)
from gateway.formlogin.spec import FormField, FormLogin, FormStep, ResponseMark, TrustedAccount
from gateway.model.directory import secret_attribute


def plan_form_login(line: int, file: str, model: AppFile, section: FormLoginSection, material: Material) -> FormLogin:
    steps = tuple(_step(step) for step in section.steps)
    upstream = model.upstream
    # A session from another server, or from other forms, is not sent to this server.
    place = repr((upstream.url.origin, upstream.host, steps, section.cookies))
    return frozen(
        FormLogin,
        section,
        steps=steps,
        signed_in=_marks(section.signed_in),
        refused=_marks(section.refused),
        expired=_marks(section.expired),
        line=line,
        base=_base(file, model, section),
        charset="cp1252" if section.encoding == "latin1" else "utf-8",
        fingerprint=hashlib.sha256(place.encode()).hexdigest()[:32],
        trusted=None if section.trusted is None else _trusted(section.trusted, material.get((file, SECRET), b"")),
    )


def _base(file: str, model: AppFile, section: FormLoginSection) -> str:
    """The name under which accounts are counted: `counted_with` of the team, else the address that the secret is sent
    to. So two files of one application count together."""
    if section.counted_with is not None:
        return f"{team_of(file)}/{section.counted_with}"
    there = model.upstream
    place = there.url.origin if there.socket is None else f"unix:{there.socket}"
    sent_to = next((step.sent_to for step in section.steps if "secret" in step.fields.values()), "")
    return f"{place}{there.url.rest}{sent_to}"


def _trusted(section: TrustedAccountSection, secret: bytes) -> TrustedAccount:
    own = None if section.secret_from is None else secret_attribute(section.secret_from)
    return TrustedAccount(section.source, section.value or "", secret.decode(), own)


def _step(step: FormStepSection) -> FormStep:
    fields = [FormField(name, holds) for name, holds in step.fields.items()]
    fields += [FormField(name, "text", value) for name, value in step.values.items()]
    return FormStep(step.page, step.sent_to, tuple(fields), step.form or "")


def _marks(sections: list[ResponseMarkSection]) -> tuple[ResponseMark, ...]:
    return tuple(ResponseMark(one.status, one.location or "", one.marker or "") for one in sections)
