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
    """`why`: what goes wrong where it is found. `check` yields a finding for each place."""

    code: str
    title: str
    why: str
    check: Callable[[Subject], Iterator[Problem]]


UNUSED, NO_REASON = "EC001", "EC002"
ABOUT_IGNORES: Mapping[str, tuple[str, str]] = {
    UNUSED: ("An ignore comment that ignores nothing", "What it was written for has been mended, or stands elsewhere."),
    NO_REASON: ("An ignore comment without a reason", "Who reads it next year has to know why it was right."),
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
    LintRule("EC103", "A path without what is below it", "`/admin` covers neither `/admin/` nor `/admin/users`, and a "
             "wider rule lets everybody in there.", _RULES.exact_path_only),
    LintRule("EC104", "A rule that is never reached", "No request that an application sees can meet it.",
             _RULES.never_reached),
    LintRule("EC105", "A method that is said twice", "GET includes HEAD.", _RULES.head_beside_get),
    LintRule("EC106", "A deny that never fires", "It looks like a protection and is none.", _RULES.deny_never_fires),
    LintRule("EC107", "An allow behind a deny of everybody", "The deny wins, so the allow beside it says nothing.",
             _RULES.deny_always_fires),
    LintRule("EC108", "An allow that never holds", "Nobody is let in by it; leave the rule out, or say whom it is for.",
             _RULES.allow_never_holds),
    LintRule("EC109", "A refusal that nobody reads", "The rule lets everybody in, with every method.",
             _RULES.refusal_never_read),
    LintRule("EC110", "Everybody but somebody", "An allow that is made of `not` alone lets in everybody who is not "
             "named, also people who come later.", _RULES.everybody_but),
    LintRule("EC111", "`anyone` among other conditions", "In `any` it makes the others idle, in `all` it says nothing.",
             _RULES.anyone_among_others),
    LintRule("EC112", "The same condition twice", "One of the two was meant to be another.", _RULES.said_twice),
    LintRule("EC113", "An expression of a literal", "`~menu` is slower than `menu`, and goes after it.",
             _RULES.expression_of_a_literal),
    LintRule("EC114", "Anchors in an expression", "An expression covers the whole of its segment in any case.",
             _RULES.anchors_in_an_expression),
    LintRule("EC115", "Paths that differ by case alone", "An application that knows no case serves both under either "
             "rule.", _RULES.case_that_never_comes),
    LintRule("EC116", "More people deeper than above", "The most specific path decides, so everybody who is signed in "
             "passes here, and above it some alone. Right for a help page; else repeat the conditions of the path "
             "above.", _RULES.signed_in_inside_fewer),
    LintRule("EC128", "A secret in a condition", "Everyone who reads the repository knows it, and it identifies "
             "nobody.", _RULES.secret_in_a_condition),
    # providers and people
    LintRule("EC201", "A group that no provider asserts", "The rule waits for people who cannot come; most often it is "
             "a spelling mistake.", _PEOPLE.group_nobody_asserts),
    LintRule("EC202", "A value that no provider asserts", "As for groups, of claims and mandates: "
             "`asserts.attributes` of each provider lists other values.", _PEOPLE.value_nobody_asserts),
    LintRule("EC203", "A domain that no provider asserts", "Every provider of the application is bounded to other "
             "e-mail domains.", _PEOPLE.domain_nobody_asserts),
    LintRule("EC204", "A provider without a perimeter", "A person who runs it, or breaks into it, can sign in as "
             "anybody.", _PEOPLE.provider_without_perimeter),
    LintRule("EC205", "A tenant without bounds", "The provider may announce people in the name of organisations that "
             "are not its own.", _PEOPLE.tenant_without_bounds),
    LintRule("EC206", "Addresses without bounds", "Applications often know people by their address: this provider may "
             "announce anybody's.", _PEOPLE.mail_without_bounds),
    LintRule("EC207", "Groups without bounds", "The provider may make anybody a member of any group, also of those "
             "that open an administration.", _PEOPLE.groups_without_bounds),
    LintRule("EC208", "A provider that no application lists", "Its people can sign in nowhere.",
             _PEOPLE.provider_nobody_lists),
    LintRule("EC209", "An attribute that nothing uses", "What is not needed is not asked for: GDPR article 5(1)(c).",
             _PEOPLE.attribute_nobody_uses),
    LintRule("EC210", "Two providers of one label", "People cannot tell them apart where they choose.",
             _PEOPLE.same_label),
    LintRule("EC211", "A provider listed twice", "One of the two was meant to be another.", _PEOPLE.provider_twice),
    LintRule("EC212", "A seat longer than every session", "The session ends first, so this limit is never met.",
             _PEOPLE.seat_longer_than_session),
    LintRule("EC213", "`then: sign_in` without a limit", "Nothing ends the seat, so nothing follows its end.",
             _PEOPLE.sign_in_without_limits),
    LintRule("EC214", "A very long session", "A person who leaves a computer, or an organisation, stays signed in.",
             _PEOPLE.long_session),
    LintRule("EC215", "A large skew", "Tokens and assertions are believed for so long after their end.",
             _PEOPLE.large_skew),
    LintRule("EC216", "A public client", "The gateway can keep a secret, so it should have one.",
             _PEOPLE.public_client),
    LintRule("EC217", "A short client secret", "It protects every sign-in at this provider, and a short one can be "
             "guessed.", _PEOPLE.short_client_secret),
    LintRule("EC218", "SAML metadata near their end", "Nobody renews a file: once its `validUntil` has passed, in less "
             "than 30 days or already, every sign-in at this provider is refused (`saml.metadata.expired`).",
             _PEOPLE.metadata_near_their_end),
    LintRule("EC233", "Ways of signing in that nobody compares", "The provider may answer with a class that it deems "
             "stronger, and is refused: only between the levels of eIDAS is it known which is.",
             _PEOPLE.classes_of_no_scale),
    LintRule("EC236", "An address under another name", "A upn, a preferred_username or a NameID is an address at many "
             "providers: an application that knows people by it takes another organisation's for its own.",
             _PEOPLE.address_in_disguise),
    LintRule("EC237", "Scoped attributes without scopes", "A provider writes its metadata itself, and with them the "
             "scopes (shibmd:Scope).", _PEOPLE.scope_without_bounds),
    LintRule("EC238", "A directory that no application lists", "It is read and kept, and nobody is known by it: most "
             "often the application's `directories:` was forgotten.", _PEOPLE.directory_nobody_lists),
    LintRule("EC250", "Two providers for one organisation", "Its people have to know which of the two is theirs.",
             _ORGANISATIONS.two_serve_one),
    LintRule("EC251", "Organisations that no provider serves", "Their people find their organisation and no way to "
             "sign in.", _ORGANISATIONS.served_by_nobody),
    # applications
    LintRule("EC301", "Headers beyond 8 KB", "Tomcat, IIS and nginx refuse such a request with a page that says "
             "nothing of the cause.", _APPS.header_budget),
    LintRule("EC302", "Accents without an encoding", "Most old applications read ISO 8859-1 and show `LebÅ“uf`, of a "
             "name as of a text of the file.", about_encodings.name_without_encoding),
    LintRule("EC303", "Several values and no join", "A person with two values is refused.",
             _APPS.several_values_without_join),
    LintRule("EC304", "A value that holds the separator", "A person with such a value is refused: the application "
             "would read two values.", _APPS.separator_in_a_value),
    LintRule("EC305", "A value that cannot be encoded", "A person with such a value is refused.",
             _APPS.value_not_encodable),
    LintRule("EC306", "Transliteration of what is compared", "`Śliwa` and `Sliwa` become one account.",
             _NAMES.compared_and_transliterated),
    LintRule("EC307", "A secret as a constant", "It is in the repository and in every copy of it.",
             _APPS.constant_secret),
    LintRule("EC308", "An application that is told nothing", "People sign in, and the application cannot know who they "
             "are.", _APPS.told_nothing),
    LintRule("EC309", "Plain http beyond this machine", "Headers that say who is calling can be read and forged on the "
             "way.", _APPS.http_upstream),
    LintRule("EC310", "One upstream behind two applications", "A request to the host of one goes round the rules of "
             "the other.", _APPS.upstream_of_two),
    LintRule("EC312", "An application on the portal's host", "Its scripts run where people sign in, its cookies are "
             "sent there.", _APPS.app_on_the_portal),
    LintRule("EC313", "A timeout beyond the whole exchange", "`timeouts.total` of gateway.yaml ends it before.",
             _APPS.patience_beyond_the_whole),
    LintRule("EC314", "A leniency that no rule needs", "With each looser reading, the gateway and the application may "
             "read a path differently.", _APPS.lenient_about_nothing),
    LintRule("EC317", "A method hidden in a form", "Rails, Laravel and Symfony take the method from the field "
             "`_method` of a form, and its body is not looked at: a rule for POST then decides about PUT, PATCH and "
             "DELETE.",
             _APPS.method_hidden_in_a_form),
    LintRule("EC320", "ASP.NET that tells capitals apart", "It stands on Windows, which knows no case: to it "
             "`/Admin` is `/admin`, whose rule is not met.", _APPS.aspnet_with_case),
    LintRule("EC321", "An application without a name for people", "Every page of ours says which application was asked "
             "for: without `label:` it says the name of the file's key, which is written for machines.",
             _APPS.without_a_label),
    LintRule("EC337", "A sign-out call without a cookie", "Where a provider or time ends a session, no browser brings "
             "one: without `logout.cookies`, nothing says which of its sessions the application is to end.",
             _APPS.sign_out_without_cookies),
    LintRule("EC338", "A sign-out call without the hidden cookie", "Where no browser signs out, the call carries what "
             "`logout.cookies` names alone: by a cookie that no browser has (`cookies.hidden`), the application's "
             "session goes on.", _APPS.sign_out_without_the_hidden),
    LintRule("EC341", "A name in letters that may be lacking", "ISO 8859-1 has neither `œ` nor `ř`: with `unencodable: "
             "refuse`, whoever has one in their name is refused.", about_encodings.free_text_refused),
    LintRule("EC342", "Addresses that lead inside", "What knows itself by another name writes it into redirects and "
             "cookies, where no browser can reach it.", _APPS.addresses_that_lead_inside),
    LintRule("EC343", "An internal address that is another application's", "Every link to that application would lead "
             "here.", _APPS.address_of_another),
    LintRule("EC346", "WebSockets from pages that travel in the clear", "Whoever is between writes into such a page, "
             "and opens one as the person who reads it.", _APPS.tunnel_from_the_clear),
    LintRule("EC347", "A deviation: TLS from before 2008", "Its ciphers, hashes and keys can be broken. It is there "
             "for a server that cannot be renewed, for as long as that is so.", _APPS.legacy_tls),
    LintRule("EC348", "A deviation: responses whose end is told loosely", "RFC 9112 has each reader find the same end. "
             "Here one reading is chosen, and the connection to the server is closed behind it.", _APPS.loose_framing),
    LintRule("EC351", "A token that lives long", "Nothing calls a token back: it is believed until its end, also after "
             "the sign-out.", _TOKENS.long_lived),
    LintRule("EC352", "A short secret of HTTP Basic", "It opens every account of the application.",
             _TOKENS.short_secret),
    LintRule("EC353", "One key for two applications", "What seals or signs for one application seals and signs for the "
             "other.", _TOKENS.shared_by_two),
    LintRule("EC354", "A subject that two people may have", "A provider's subject is its own: a person of another "
             "one may have the same, and is then taken for them.", _NAMES.subject_of_two_providers),
    LintRule("EC355", "A part of a name", "`a@x` and `a@y` are both `a`: whoever has one account has the other.",
             _NAMES.part_of_a_name),
    LintRule("EC356", "A template that two people may fill alike", "With `{provider}-{subject}`, `b-1` of the provider "
             "`a` and `1` of the provider `a-b` are both `a-b-1`: the application takes one for the other.",
             _NAMES.filled_alike),
    LintRule("EC357", "An LTPA2 token", "Its signature and its cipher are weaker than what ANSSI's guides ask for: who "
             "breaks either is anybody to the application.", _TOKENS.ltpa2),
    LintRule("EC361", "A form that is seen again", "The application's session ends by itself one day: without "
             "`expired`, nobody notices but the person in front of its login form.", _FORMS.no_expiry),
    LintRule("EC362", "As many tries as it takes to lock an account", "`tries` is there so that the gateway stops "
             "before the application does.", _FORMS.many_tries),
    LintRule("EC363", "Two counts of one account", "Where two applications of one server have the same accounts, each "
             "is given `tries` of its own, and the two together may lock one.", _FORMS.counted_by_two),
    LintRule("EC364", "A domain that is not counted", "`helene@ville.example` may be another name of `helene`, and is "
             "counted with it; where every login has a domain, people of two domains share their tries.",
             _FORMS.domains_of_mail),
    LintRule("EC365", "A sign-in that nobody looks at", "Where a refusal leads to where a success does, the password "
             "is sent with each script and frame of a page, until the application locks the account. With `check`, "
             "each sign-in is looked at before the next.", _FORMS.no_check),
    LintRule("EC371", "What a front cannot hold", "A server in front asks here about each request and passes it on "
             "itself: what is open (downloads, WebSockets) outlives a sign-out, and the application's answers are not "
             "looked at.", _APPS.behind_a_front),
    LintRule("EC372", "Applications that divide a host", "To a browser they are one site, and one session opens them "
             "all: a script of one reads the pages of the others.", _APPS.one_origin),
    LintRule("EC373", "A rate that one page exceeds", "A page asks for its images, scripts and styles at once: whoever "
             "opens it is answered 429 for some of them.", _RATES.less_than_a_page),
    # the gateway
    LintRule("EC401", "Development settings", "`development: true` gives up https and secrets in files of their own.",
             _GATEWAY.development),
    LintRule("EC402", "Sessions in memory", "A restart signs everybody out, and one worker does all the work.",
             _GATEWAY.memory_store),
    LintRule("EC403", "Too many trusted proxies", "Clients write `X-Forwarded-For` themselves, and are believed.",
             _GATEWAY.trusts_everybody),
    LintRule("EC404", "Plain http for everybody", "Cookies and pages travel in the clear.",
             _GATEWAY.plain_http_for_everybody),
    LintRule("EC405", "A certificate near its end", "In less than 30 days, or already, browsers refuse every page, "
             "or an application, a provider or a directory refuses the gateway that shows it.",
             _GATEWAY.certificate_near_its_end),
    LintRule("EC406", "A host that no certificate names", "Browsers refuse its pages.",
             _GATEWAY.certificate_of_other_names),
    LintRule("EC407", "A weak key", "RSA below 2048 bits, a curve below 256, a signature with SHA-1 or MD5.",
             _GATEWAY.weak_key),
    LintRule("EC408", "A store key that was not drawn", "It seals every session.", _GATEWAY.poor_store_key),
    LintRule("EC409", "One store key under two ids", "A rotation that changes nothing.", _GATEWAY.one_key_twice),
    LintRule("EC410", "A secret in the file", "It is in the repository, and in every copy of it.",
             _GATEWAY.secret_in_the_file),
    LintRule("EC411", "A secret that others can read", "Every program on this machine has it.",
             _GATEWAY.secret_readable_by_others),
    LintRule("EC412", "A secret in the policy folder", "The folder is kept in git.", _GATEWAY.secret_in_the_folder),
    LintRule("EC413", "State in the policy folder", "Sessions do not belong into git, and the watch would see each "
             "write.", _GATEWAY.state_in_the_folder),
    LintRule("EC414", "An absurd timeout", "Slow clients and applications hold connections of others.",
             _GATEWAY.absurd_timeout),
    LintRule("EC415", "Bodies without a limit", "One client can fill every application's disk.",
             _GATEWAY.no_limit_for_bodies),
    LintRule("EC416", "Headers almost without a limit", "They are kept in memory until their end.",
             _GATEWAY.headers_without_bounds),
    LintRule("EC417", "Plain http beside https", "Pages and cookies of people who type no scheme travel in the clear.",
             _GATEWAY.plain_http_beside_https),
    LintRule("EC418", "A store in the clear", "Its password and commands can be read and changed on their way.",
             _GATEWAY.store_in_the_clear),
    LintRule("EC419", "https that browsers do not keep to", "Who is between can take it off at the next visit.",
             _GATEWAY.https_that_is_not_kept_to),
    LintRule("EC420", "Pages without the notices that French law asks for", "The site of a public body says whose it "
             "is (LCEN article 1-1), what is done with people's data (GDPR article 13) and how accessible it is, with "
             "a link to its statement (decree 2019-768): each page of ours says so at its foot, by `theme:`.",
             _GATEWAY.pages_without_notices),
)  # fmt: skip

RULES: Mapping[str, LintRule] = {rule.code: rule for rule in _TABLE}
