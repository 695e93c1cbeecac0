"""The one table of lint rules. A code is never renamed nor given to another rule once released."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gateway.config.problems import Problem
from gateway.lint import (
    about_applications,
    about_encodings,
    about_forms,
    about_names,
    about_organisations,
    about_people,
    about_rates,
    about_rules,
    about_the_gateway,
    about_tokens,
)
from gateway.lint.subject import Subject


@dataclass(frozen=True, slots=True)
class LintRule:
    """`why`: the harm. `check`: yields a finding for each place."""

    code: str
    title: str
    why: str
    check: Callable[[Subject], Iterator[Problem]]


UNUSED, NO_REASON = "EC001", "EC002"
ABOUT_IGNORES: Mapping[str, tuple[str, str]] = {
    UNUSED: ("An ignore comment without effect", "The problem was corrected, or moved elsewhere."),
    NO_REASON: ("An ignore comment without a reason", "The next reader has to know why the exception is right."),
}

_RULES, _PEOPLE, _APPS, _GATEWAY = about_rules, about_people, about_applications, about_the_gateway
_TOKENS = about_tokens
_FORMS = about_forms
_NAMES = about_names
_ORGANISATIONS = about_organisations
_RATES = about_rates

_TABLE = (
    # access rules
    LintRule("EC101", "Public unless said otherwise", "`/**` with `allow: anyone`: everything that is added to the "
             "application later is public.", _RULES.public_by_default),
    LintRule("EC102", "A public path inside a private one", "The most specific path decides, so this part of a guarded "
             "area is open. Right for a style sheet, wrong for a folder that later holds more.",
             _RULES.public_inside_private),
    LintRule("EC103", "A path without the paths below it", "`/admin` covers neither `/admin/` nor `/admin/users`, and "
             "a wider rule lets everybody in there.", _RULES.exact_path_only),
    LintRule("EC104", "A rule that is never reached", "No request that reaches an application can meet it.",
             _RULES.never_reached),
    LintRule("EC105", "A method that is listed twice", "GET includes HEAD.", _RULES.head_beside_get),
    LintRule("EC106", "A deny that never fires", "It looks like a protection, but refuses nobody.",
             _RULES.deny_never_fires),
    LintRule("EC107", "An allow behind a deny of everybody", "The deny wins, so the allow beside it has no effect.",
             _RULES.deny_always_fires),
    LintRule("EC108", "An allow that never holds", "It admits nobody; leave the rule out, or say whom it is for.",
             _RULES.allow_never_holds),
    LintRule("EC109", "A refusal that nobody reads", "The rule admits everybody, with every method.",
             _RULES.refusal_never_read),
    LintRule("EC110", "Everybody except some people", "An allow made only of `not` admits everybody who is not named, "
             "including people who join later.", _RULES.everybody_but),
    LintRule("EC111", "`anyone` among other conditions", "In `any` it makes the other conditions useless, in `all` it "
             "has no effect.", _RULES.anyone_among_others),
    LintRule("EC112", "The same condition twice", "One of the two is probably a mistake.", _RULES.said_twice),
    LintRule("EC113", "An expression for a literal", "`~menu` is slower than `menu`, and comes after it.",
             _RULES.expression_of_a_literal),
    LintRule("EC114", "Anchors in an expression", "An expression always covers its whole segment.",
             _RULES.anchors_in_an_expression),
    LintRule("EC115", "Paths that differ only by case", "An application that ignores case serves both paths under "
             "either rule.", _RULES.case_that_never_comes),
    LintRule("EC116", "More people below than above", "The most specific path decides: everybody who is signed in may "
             "open this path, but only some people the path above. Right for a help page; otherwise repeat the "
             "conditions of the path above.", _RULES.signed_in_inside_fewer),
    LintRule("EC128", "A secret in a condition", "Everybody who reads the repository knows the secret, so it "
             "identifies nobody.", _RULES.secret_in_a_condition),
    # providers and people
    LintRule("EC201", "A group that no provider asserts", "The rule waits for people who cannot exist; most often it "
             "is a spelling mistake.", _PEOPLE.group_nobody_asserts),
    LintRule("EC202", "A value that no provider asserts", "As for groups, of claims and mandates: "
             "`asserts.attributes` of each provider lists other values.", _PEOPLE.value_nobody_asserts),
    LintRule("EC203", "A domain that no provider asserts", "Every provider of the application is limited to other "
             "e-mail domains.", _PEOPLE.domain_nobody_asserts),
    LintRule("EC204", "A provider without a perimeter", "A person who runs the provider, or breaks into it, can sign "
             "in as anybody.", _PEOPLE.provider_without_perimeter),
    LintRule("EC205", "A tenant without bounds", "The provider may announce people for organisations that are not its "
             "own.", _PEOPLE.tenant_without_bounds),
    LintRule("EC206", "Addresses without bounds", "Applications often identify people by their address: this provider "
             "may announce any address.", _PEOPLE.mail_without_bounds),
    LintRule("EC207", "Groups without bounds", "The provider may put anybody into any group, including groups of "
             "administrators.", _PEOPLE.groups_without_bounds),
    LintRule("EC208", "A provider that no application lists", "Its people can sign in nowhere.",
             _PEOPLE.provider_nobody_lists),
    LintRule("EC209", "An unused attribute", "Data that are not needed must not be collected: GDPR article 5(1)(c).",
             _PEOPLE.attribute_nobody_uses),
    LintRule("EC210", "Two providers with the same label", "People cannot tell the two apart when they choose.",
             _PEOPLE.same_label),
    LintRule("EC211", "A provider listed twice", "One of the two is probably a mistake.", _PEOPLE.provider_twice),
    LintRule("EC212", "A seat longer than every session", "The session ends first, so this limit has no effect.",
             _PEOPLE.seat_longer_than_session),
    LintRule("EC213", "`then: sign_in` without a limit", "The seat has no limit, so `then` has no effect.",
             _PEOPLE.sign_in_without_limits),
    LintRule("EC214", "A very long session", "A person who leaves a computer, or an organisation, stays signed in.",
             _PEOPLE.long_session),
    LintRule("EC215", "A large skew", "Tokens and assertions are accepted for this long after their end.",
             _PEOPLE.large_skew),
    LintRule("EC216", "A public client", "The gateway can keep a secret, so it should have one.",
             _PEOPLE.public_client),
    LintRule("EC217", "A short client secret", "It protects every sign-in at this provider, and can be guessed.",
             _PEOPLE.short_client_secret),
    LintRule("EC218", "SAML metadata near their end", "A file is not renewed by itself: once its `validUntil` has "
             "passed, in less than 30 days or already, every sign-in at this provider is refused "
             "(`saml.metadata.expired`).", _PEOPLE.metadata_near_their_end),
    LintRule("EC233", "Classes of authentication without an order", "The provider may answer with a class that it "
             "considers stronger, and is refused: only the levels of eIDAS have a known order.",
             _PEOPLE.classes_of_no_scale),
    LintRule("EC236", "An address under another name", "At many providers, a upn, a preferred_username or a NameID is "
             "an address: an application that identifies people by it can take another organisation's person for its "
             "own.", _PEOPLE.address_in_disguise),
    LintRule("EC237", "Scoped attributes without scopes", "A provider writes its own metadata, including the scopes "
             "(shibmd:Scope).", _PEOPLE.scope_without_bounds),
    LintRule("EC238", "A directory that no application lists", "The directory is read and kept, but nobody is looked "
             "up in it: most often the application's `directories:` was forgotten.", _PEOPLE.directory_nobody_lists),
    LintRule("EC250", "Two providers for one organisation", "Its people have to know which of the two providers is "
             "theirs.", _ORGANISATIONS.two_serve_one),
    LintRule("EC251", "Organisations that no provider serves", "Their people find their organisation, but no way to "
             "sign in.", _ORGANISATIONS.served_by_nobody),
    # applications
    LintRule("EC301", "Headers beyond 8 KB", "Tomcat, IIS and nginx refuse such a request with a page that does not "
             "name the cause.", _APPS.header_budget),
    LintRule("EC302", "Accents without an encoding", "Most old applications read ISO 8859-1 and show `LebÅ“uf`, for "
             "names and for fixed texts of the file.", about_encodings.name_without_encoding),
    LintRule("EC303", "Several values without join", "A person with two values is refused.",
             _APPS.several_values_without_join),
    LintRule("EC304", "A value that holds the separator", "A person with such a value is refused: the application "
             "would read two values.", _APPS.separator_in_a_value),
    LintRule("EC305", "A value that cannot be encoded", "A person with such a value is refused.",
             _APPS.value_not_encodable),
    LintRule("EC306", "Transliteration of an identifier", "`Śliwa` and `Sliwa` become one account.",
             _NAMES.compared_and_transliterated),
    LintRule("EC307", "A secret as a constant", "The secret is in the repository and in every copy of it.",
             _APPS.constant_secret),
    LintRule("EC308", "An application without the person's name", "People sign in, but the application cannot know who "
             "they are.", _APPS.told_nothing),
    LintRule("EC309", "Plain http beyond this machine", "The headers that identify people can be read and forged on "
             "the way.", _APPS.http_upstream),
    LintRule("EC310", "One upstream behind two applications", "A request to the host of one application bypasses the "
             "rules of the other.", _APPS.upstream_of_two),
    LintRule("EC312", "An application on the portal's host", "Its scripts run where people sign in, and it receives "
             "the portal's cookies.", _APPS.app_on_the_portal),
    LintRule("EC313", "A timeout longer than the whole exchange", "`timeouts.total` of gateway.yaml ends the exchange "
             "first.", _APPS.patience_beyond_the_whole),
    LintRule("EC314", "A leniency that no rule needs", "With each looser reading, the gateway and the application may "
             "read a path differently.", _APPS.lenient_about_nothing),
    LintRule("EC317", "A method hidden in a form", "Rails, Laravel and Symfony take the method from the field "
             "`_method` of a form. The gateway does not read bodies: a rule for POST then also decides about PUT, "
             "PATCH and DELETE.", _APPS.method_hidden_in_a_form),
    LintRule("EC320", "ASP.NET with case-sensitive paths", "It runs on Windows, which ignores case: there, `/Admin` is "
             "`/admin`, but the rule for `/admin` does not apply.", _APPS.aspnet_with_case),
    LintRule("EC321", "An application without a name for people", "Every page of the gateway names the application: "
             "without `label:`, people read the key of the file, which is written for machines.",
             _APPS.without_a_label),
    LintRule("EC337", "A sign-out call without a cookie", "When a provider or a time limit ends a session, no browser "
             "sends cookies: without `logout.cookies`, the application cannot know which of its sessions to end.",
             _APPS.sign_out_without_cookies),
    LintRule("EC338", "A sign-out call without the hidden cookie", "When no browser signs out, the call carries only "
             "the cookies of `logout.cookies`: without the hidden cookie (`cookies.hidden`), the application's session "
             "goes on.", _APPS.sign_out_without_the_hidden),
    LintRule("EC341", "A name in letters that may be lacking", "ISO 8859-1 has neither `œ` nor `ř`: with `unencodable: "
             "refuse`, people with such a name are refused.", about_encodings.free_text_refused),
    LintRule("EC342", "Internal addresses in responses", "An application that knows itself by another name writes that "
             "name into redirects and cookies, which browsers cannot reach.", _APPS.addresses_that_lead_inside),
    LintRule("EC343", "An internal address that is another application's", "Every link to that application would lead "
             "here.", _APPS.address_of_another),
    LintRule("EC346", "WebSockets from pages over plain http", "An attacker on the network can change such a page, and "
             "open a WebSocket in the name of its reader.", _APPS.tunnel_from_the_clear),
    LintRule("EC347", "A deviation: TLS from before 2008", "Its ciphers, hashes and keys can be broken. Use it only "
             "for a server that cannot be updated, and only until it is replaced.", _APPS.legacy_tls),
    LintRule("EC348", "A deviation: responses without a clear end", "RFC 9112 has every reader find the same end. Here "
             "the gateway chooses one reading, and closes the connection to the server afterwards.",
             _APPS.loose_framing),
    LintRule("EC351", "A token that lives long", "A token cannot be revoked: it is accepted until its end, even after "
             "the sign-out.", _TOKENS.long_lived),
    LintRule("EC352", "A short secret of HTTP Basic", "It opens every account of the application.",
             _TOKENS.short_secret),
    LintRule("EC353", "One key for two applications", "A token for one application is valid for the other.",
             _TOKENS.shared_by_two),
    LintRule("EC354", "A subject that two people may have", "A subject is unique at its provider only: a person of "
             "another provider may have the same subject, and is then taken for the first person.",
             _NAMES.subject_of_two_providers),
    LintRule("EC355", "A part of a name", "`a@x` and `a@y` both become `a`: each of the two people gets the other's "
             "account.", _NAMES.part_of_a_name),
    LintRule("EC356", "A template that two people may fill alike", "With `{provider}-{subject}`, `b-1` of the provider "
             "`a` and `1` of the provider `a-b` are both `a-b-1`: the application takes one for the other.",
             _NAMES.filled_alike),
    LintRule("EC357", "An LTPA2 token", "Its signature and its cipher are weaker than ANSSI's guides ask: an attacker "
             "who breaks either can be anybody to the application.", _TOKENS.ltpa2),
    LintRule("EC361", "A form without `expired`", "The application's session ends by itself at some time: without "
             "`expired`, only the person in front of its login form notices.", _FORMS.no_expiry),
    LintRule("EC362", "As many tries as lock an account", "`tries` is there to stop the gateway before the application "
             "locks the account.", _FORMS.many_tries),
    LintRule("EC363", "Two counters for one account", "If two applications of one server have the same accounts, each "
             "gets its own `tries`, and the two together may lock an account.", _FORMS.counted_by_two),
    LintRule("EC364", "A domain that is not counted", "`helene@ville.example` may be another name of `helene`, so the "
             "two are counted together; if every login has a domain, people of two domains share their tries.",
             _FORMS.domains_of_mail),
    LintRule("EC365", "A sign-in without a check", "If a refusal leads to the same page as a success, the password is "
             "sent again with each script and frame of a page, until the application locks the account. With `check`, "
             "each sign-in is verified before the next.", _FORMS.no_check),
    LintRule("EC371", "What a server in front cannot do", "A server in front asks here about each request and passes "
             "it on itself: open downloads and WebSockets outlive a sign-out, and the gateway does not see the "
             "application's answers.", _APPS.behind_a_front),
    LintRule("EC372", "Applications that divide a host", "To a browser they are one site with one session: a script of "
             "one application can read the pages of the others.", _APPS.one_origin),
    LintRule("EC373", "A rate that one page exceeds", "A page asks for its images, scripts and styles at once: some of "
             "them are answered 429.", _RATES.less_than_a_page),
    # the gateway
    LintRule("EC401", "Development settings", "`development: true` gives up https and allows secrets in the files.",
             _GATEWAY.development),
    LintRule("EC402", "Sessions in memory", "A restart signs everybody out, and only one worker can run.",
             _GATEWAY.memory_store),
    LintRule("EC403", "Too many trusted proxies", "Clients can write `X-Forwarded-For` themselves, and are believed.",
             _GATEWAY.trusts_everybody),
    LintRule("EC404", "Plain http for everybody", "Cookies and pages travel unencrypted.",
             _GATEWAY.plain_http_for_everybody),
    LintRule("EC405", "A certificate near its end", "In less than 30 days, or already, browsers refuse every page, "
             "or an application, a provider or a directory refuses the gateway that shows it.",
             _GATEWAY.certificate_near_its_end),
    LintRule("EC406", "A host that no certificate names", "Browsers refuse the pages of the host.",
             _GATEWAY.certificate_of_other_names),
    LintRule("EC407", "A weak key", "RSA below 2048 bits, a curve below 256, a signature with SHA-1 or MD5.",
             _GATEWAY.weak_key),
    LintRule("EC408", "A store key that is not random", "It protects every session, and can be guessed.",
             _GATEWAY.poor_store_key),
    LintRule("EC409", "One store key under two ids", "Such a rotation changes nothing.", _GATEWAY.one_key_twice),
    LintRule("EC410", "A secret in the file", "The secret is in the repository, and in every copy of it.",
             _GATEWAY.secret_in_the_file),
    LintRule("EC411", "A secret that other accounts can read", "Every program on this machine can read it.",
             _GATEWAY.secret_readable_by_others),
    LintRule("EC412", "A secret in the policy folder", "The folder is kept in git.", _GATEWAY.secret_in_the_folder),
    LintRule("EC413", "State in the policy folder", "Sessions do not belong into git, and `watch` would notice each "
             "write.", _GATEWAY.state_in_the_folder),
    LintRule("EC414", "An excessive timeout", "Slow clients and applications block connections for others.",
             _GATEWAY.absurd_timeout),
    LintRule("EC415", "Bodies without a limit", "One client can fill every application's disk.",
             _GATEWAY.no_limit_for_bodies),
    LintRule("EC416", "Very large limits for headers", "Headers are kept in memory until their end.",
             _GATEWAY.headers_without_bounds),
    LintRule("EC417", "Plain http beside https", "Pages and cookies of people who type no scheme travel unencrypted.",
             _GATEWAY.plain_http_beside_https),
    LintRule("EC418", "A store without TLS", "Its password and commands can be read and changed on their way.",
             _GATEWAY.store_in_the_clear),
    LintRule("EC419", "https without `hsts`", "An attacker on the network can remove https at the next visit.",
             _GATEWAY.https_that_is_not_kept_to),
    LintRule("EC420", "Pages without the notices that French law asks for", "The site of a public body names its owner "
             "(LCEN article 1-1), its use of people's data (GDPR article 13) and its accessibility, with a link to the "
             "statement (decree 2019-768). With `theme:`, the foot of each page does.", _GATEWAY.pages_without_notices),
)  # fmt: skip

RULES: Mapping[str, LintRule] = {rule.code: rule for rule in _TABLE}
