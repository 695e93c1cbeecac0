"""AES-GCM against the program xmlsec1 (Debian's): we open what it encrypts, and it opens what our tests encrypt."""

import subprocess
from pathlib import Path

import pytest
from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.names import saml
from tests.patience import PATIENCE
from tests.saml.idp import NS, XENC, XENC11, Way, assertion, build, encrypt, one, sign, written
from tests.saml.scene import KEY, OURS, SCENE, STRANGER, validated

pytestmark = pytest.mark.service

GCM = [f"{XENC11}aes{bits}-gcm" for bits in (128, 192, 256)]


def xmlsec1(*arguments: str | Path) -> bytes:
    command = ["xmlsec1", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE).stdout


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    (tmp_path / "key.pem").write_bytes(OURS.key)
    (tmp_path / "certificate.pem").write_bytes(OURS.certificate)
    (tmp_path / "stranger.pem").write_bytes(STRANGER.key)
    return tmp_path


# --- it encrypts, we open ---------------------------------------------------------------------------------------------


def template(algorithm: str, transport: str) -> str:
    return (
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{algorithm}"/><ds:KeyInfo xmlns:ds="{NS["ds"]}"><xenc:EncryptedKey>'
        f"{transport}<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"
    )


def encrypted_by_it(folder: Path, shape: str, algorithm: str, transport: str) -> bytes:
    """A Response whose signed Assertion xmlsec1 has encrypted to us."""
    root = build(SCENE, shape)
    element = assertion(root)
    sign(element, KEY)
    # Under its own prefix: lxml would give what is moved another one, and the signature would not hold.
    holder = etree.Element(saml("EncryptedAssertion"), nsmap={element.prefix: NS["a"]})
    parent = element.getparent()
    assert parent is not None
    parent.replace(element, holder)
    holder.append(element)
    (folder / "response.xml").write_bytes(written(root))
    (folder / "template.xml").write_text(template(algorithm, transport))
    bits = algorithm.removeprefix(f"{XENC11}aes").removesuffix("-gcm")
    return xmlsec1(
        "--encrypt", "--pubkey-cert-pem", folder / "certificate.pem", "--session-key", f"aes-{bits}",
        "--xml-data", folder / "response.xml", "--node-xpath", "//*[local-name()='Assertion']",
        folder / "template.xml",
    )  # fmt: skip


MGF1P = f'<xenc:EncryptionMethod Algorithm="{XENC}rsa-oaep-mgf1p"/>'


@pytest.mark.parametrize("algorithm", GCM)
@pytest.mark.parametrize("shape", ["shibboleth", "lemonldap", "keycloak", "pysaml2"])
def test_what_it_encrypts_signs_in(keys: Path, shape: str, algorithm: str) -> None:
    document = encrypted_by_it(keys, shape, algorithm, MGF1P)
    assert b"AuthnStatement" not in document
    assert algorithm.encode() in document
    assert validated(document).name_id.value


def test_a_byte_of_what_it_encrypted_is_not_changed(keys: Path) -> None:
    root = etree.fromstring(encrypted_by_it(keys, "shibboleth", GCM[2], MGF1P))
    value = root.xpath("//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", namespaces={"xenc": XENC})[0]
    value.text = value.text.strip()[:-8] + "AAAAAAA="
    with pytest.raises(GatewayError) as refused:
        validated(written(root))
    assert refused.value.code is saml_codes.DECRYPTION


# --- our tests encrypt, it opens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", GCM)
def test_what_our_tests_encrypt_is_what_it_reads(keys: Path, algorithm: str) -> None:
    root = build(SCENE)
    expected = etree.tostring(assertion(root), method="c14n", exclusive=True)
    encrypt(assertion(root), OURS, Way(content=algorithm))
    (keys / "encrypted.xml").write_bytes(written(root))
    opened = etree.fromstring(xmlsec1("--decrypt", "--privkey-pem", keys / "key.pem", keys / "encrypted.xml"))
    found = one(opened, "a:EncryptedAssertion/a:Assertion")
    assert etree.tostring(found, method="c14n", exclusive=True) == expected
    with pytest.raises(subprocess.CalledProcessError):
        xmlsec1("--decrypt", "--privkey-pem", keys / "stranger.pem", keys / "encrypted.xml")
