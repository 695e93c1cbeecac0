"""What a provider file of SAML cannot tell alone."""

from collections.abc import Iterator

from gateway.config.problems import Path, Problem, did_you_mean, key_path
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.provider import SamlProviderFile
from gateway.config.schema.saml import MetadataFromSection
from gateway.config.yaml.reader import YamlDocument


def check_saml_provider(
    document: YamlDocument, model: SamlProviderFile, gateway: GatewayFile | None
) -> Iterator[Problem]:
    """`gateway`: None where gateway.yaml has problems of its own."""

    def problem(path: Path, message: str, hint: str) -> Problem:
        return Problem(document.place(path), key_path(path), message, hint)

    subject, known = model.saml.subject_without_name_id, set(model.sources())
    if subject is not None and subject not in known:
        yield problem(("saml", "subject_without_name_id"), "no attribute has this name", did_you_mean(subject, known))
    if gateway is None:
        return
    if gateway.saml is None:
        why = "gateway.yaml has no saml: keys, with which we sign what we ask and open what is encrypted for us"
        yield Problem(document.place(("saml",), key=True), "saml", why, "add saml: {keys: [...]} to gateway.yaml")
    metadata = model.saml.metadata
    if isinstance(metadata, MetadataFromSection) and not gateway.development:
        for name in ("url", "aggregate", "mdq"):
            address: str | None = getattr(metadata, name)
            # Signed metadata need no TLS to be believed, but who listens in learns who asks.
            if address is not None and address.startswith("http:"):
                yield problem(
                    ("saml", "metadata", name), "metadata are fetched by https", "or development: true in gateway.yaml"
                )
    for index, name in enumerate(model.saml.common):
        if name in model.attributes:
            yield problem(("saml", "common", index), "attributes maps this name already", "leave one of them out")
