"""The limits of a metadata tree, checked before copying or canonicalising.

An attacker without a key can bloat a document and keep the genuine signature. We would then canonicalise the whole
document, because only the digest at the end shows the change.
"""

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.document import DEEPEST, LONGEST_NAMESPACE, MOST_ATTRIBUTES, MOST_IN_SCOPE, MOST_NAMESPACES

# No known schema has a name of over 60 characters.
LONGEST_NAME = 256
# Elements and attributes held at once. An entity of 2 MB with texts in 20 languages has 60,000.
MOST_NODES = 200_000


def check_limits(root: etree._Element) -> None:
    """Check a part of a document, with what has been read of the next part. Raises
    GatewayError(saml_codes.METADATA)."""
    depth = nodes = declared = in_scope = 0
    for event, item in etree.iterwalk(root, events=("start", "end", "start-ns", "end-ns")):
        if event == "start":
            depth += 1
            declared = 0
            attributes = item.keys()
            nodes += 1 + len(attributes)
            _check_element(str(item.tag), attributes)
            if depth > DEEPEST or nodes > MOST_NODES:
                raise _refused(f"deeper than {DEEPEST} elements, or over {MOST_NODES} nodes in one entity")
        elif event == "end":
            depth -= 1
        elif event == "start-ns":
            declared += 1
            in_scope += 1
            _check_namespace(*item)
            if declared > MOST_NAMESPACES or in_scope > MOST_IN_SCOPE:
                most = f"{MOST_NAMESPACES} namespaces, or one with over {MOST_IN_SCOPE} in scope"
                raise _refused(f"an element that declares over {most}")
        else:
            in_scope -= 1


def _check_element(tag: str, attributes: list[str]) -> None:
    # libxml2 sorts attributes in quadratic time when it canonicalises: 80,000 in 790 KB took 24 s.
    if len(attributes) > MOST_ATTRIBUTES:
        raise _refused(f"an element with {len(attributes)} attributes, over {MOST_ATTRIBUTES}")
    for name in (tag, *attributes):
        if len(name) > LONGEST_NAME + LONGEST_NAMESPACE:
            raise _refused(f"a name of over {LONGEST_NAME} characters")


def _check_namespace(prefix: str, uri: str) -> None:
    # Exclusive canonicalisation repeats a namespace on each element that uses it: 250 KB came to 2.4 GB.
    if len(uri) > LONGEST_NAMESPACE:
        raise _refused(f"a namespace of {len(uri)} characters, over {LONGEST_NAMESPACE}")
    if len(prefix) > LONGEST_NAME:
        raise _refused(f"a prefix of over {LONGEST_NAME} characters")


def _refused(detail: str) -> GatewayError:
    return GatewayError(saml_codes.METADATA, f"metadata with {detail}")
