"""Of directories, and of whom a person acts for: invariant 5."""

from tests.mutations.defence import Defence

_TOKEN, _ACTING, _KNOWN = "directories/http_token.py", "portal/flow/acting.py", "identity/directories.py"
_WHATEVER = "directories/test_whatever_sources_answer.py"
_CHOICES = "portal/flow/test_acting.py"
_BY_DIRECTORIES = "portal/flow/test_acting_by_directories.py"

DEFENCES = (
    # --- whatever a source answers
    Defence(
        "a person of another key, of HTTP",
        "directories/json_rows.py",
        "if not all(is_same_key(found, wanted)",
        _WHATEVER,
        "if False and not all(is_same_key(found, wanted)",
    ),
    Defence(
        "a row of another key, of a database",
        "directories/sql_rows.py",
        "if not all(is_same_key(",
        _WHATEVER,
        "if False and not all(is_same_key(",
    ),
    Defence(
        "an entry of another key, of LDAP",
        "directories/ldap_reader.py",
        "if not all(is_same_key(",
        _WHATEVER,
        "if False and not all(is_same_key(",
    ),
    Defence("what is unknown is said to be so", _KNOWN, "left_out.update(attributes_of(given))", _WHATEVER, "pass"),
    # --- a login that a directory says
    Defence(
        "a provider's attribute is no login",
        "access/account.py",
        "values = said.values.get(source, ())",
        "access/test_account.py",
        "values = said.values.get(source, ()) or identity.attributes.get(source, ())",
    ),
    Defence(
        "a login that a provider may win",
        "config/check/account.py",
        'if one.wins == "provider":',
        "config/check/test_account.py",
        "if False:",
    ),
    # --- who has left
    Defence(
        "an outage forgets nobody",
        _KNOWN,
        'replace(finding, was_found=True) if finding.state == "away" and finding.directory in had else finding',
        "identity/test_directories.py",
        "finding",
    ),
    Defence(
        "an outage forgets nobody, in a session",
        "stores/codec.py",
        '({"was_found": True} if was_found else {})',
        "portal/flow/test_look_again.py",
        "{}",
    ),
    # --- who is active no more
    Defence(
        "a program's token that does not say whose it is",
        "portal/flow/active_people.py",
        "if not names and not of_client:",
        "portal/openid/test_programs.py",
    ),
    Defence(
        "a message that ends access and is wrong otherwise",
        "portal/scim/endpoint.py",
        "is_ended = ends(document) and await",
        "portal/scim/test_users.py",
        "is_ended = False and await",
    ),
    # --- a token of a source
    Defence(
        "a token that was just fetched is not asked for again",
        "directories/http_reader.py",
        "if is_new or refused.code is not directory_codes.DENIED:",
        "directories/test_http_token.py",
        "if refused.code is not directory_codes.DENIED:",
    ),
    Defence("the size of a token's answer", _TOKEN, "if len(body) > _LARGEST:", "directories/test_http_token.py"),
    Defence(
        "a redirect of a token endpoint",
        _TOKEN,
        "headers=headers, allow_redirects=False",
        "directories/test_http_token.py",
        "headers=headers",
    ),
    Defence(
        "the signs of a token",
        _TOKEN,
        "_TOKEN.fullmatch(token) is not None",
        "directories/test_http_token.py",
        "True",
    ),
    # --- for whom a person acts
    Defence(
        "a choice of another browser",
        _ACTING,
        "if parked is None or not request.holds(parked.browser):",
        _CHOICES,
        "if parked is None:",
    ),
    Defence(
        "a choice works once",
        _ACTING,
        "if await self._services.transactions.parked_sign_ins.take(id) is None:",
        _CHOICES,
    ),
    Defence(
        "what a browser remembers is one of the person's",
        _ACTING,
        "return chosen if chosen in among else None",
        _CHOICES,
        "return chosen",
    ),
    Defence(
        "the numbers of the other organisations",
        "identity/perimeter.py",
        "if (kept := tuple(value for value in found if value not in others and _number_in(value) not in others))",
        _CHOICES,
        "if (kept := found)",
    ),
    Defence("a change ends what was", _ACTING, "await self._services.revoker.revoked(ended)", _CHOICES, "pass"),
    # --- organisations that directories name
    Defence(
        "an organisation beyond those that the file lists",
        _KNOWN,
        "if value and given.acts_for is not None and not given.acts_for.holds(value):",
        "identity/test_acting.py",
        "if False:",
    ),
    Defence(
        "an organisation of a mandate beyond those that the file lists",
        _KNOWN,
        "if given.acts_for is not None and not all(given.acts_for.holds(term.organisation) for term in found):",
        "identity/test_acting.py",
        "if False:",
    ),
    Defence(
        "what a directory says of the other organisations",
        "identity/acting.py",
        "terms = tuple(term for term in terms if term.organisation == tenant)",
        _BY_DIRECTORIES,
        "pass",
    ),
    Defence(
        "a mandate that is over lets nobody act",
        "identity/acting.py",
        "terms = finding.terms if now is None else held(finding.terms, now)",
        _BY_DIRECTORIES,
        "terms = finding.terms",
    ),
    Defence(
        "a session in a name that nobody says ends",
        "portal/flow/look_again.py",
        "if await self._acts_no_more(after):",
        _BY_DIRECTORIES,
        "if False:",
    ),
    Defence(
        "rules see no organisation that nobody says",
        "config/snapshot.py",
        "if provider is None or not acts_for(provider, seat.identity, seat.tenant, self.naming, wall):",
        _BY_DIRECTORIES,
        "if False:",
    ),
    Defence(
        "a choice that a directory no longer allows",
        "portal/flow/establish.py",
        "if chosen is not None and person.tenant != chosen:",
        _BY_DIRECTORIES,
        "if False:",
    ),
    # --- élus
    Defence(
        "two accounts of one person",
        "directories/elus.py",
        "elif claimed[who] > 1:",
        "directories/test_elus.py",
        "elif False:",
    ),
    Defence(
        "one name in several communes",
        "directories/elus.py",
        "elif len({(one.of, one.commune) for one in found}) > 1:",
        "directories/test_elus.py",
        "elif False:",
    ),
)
