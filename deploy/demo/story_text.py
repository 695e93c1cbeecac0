"""What the story says, in both languages. `$name` in `steps` is the origin of an application."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """HTML, but for `notes`, `providers` and `columns`. `name`: the language's own name for itself."""

    language: str
    name: str
    title: str
    portal: str
    opening: str
    steps: str
    open: str
    close: str
    opened: str
    closed: str
    refused: str
    refused_title: str
    again: str
    elsewhere: str
    rule_title: str
    figures_title: str
    figures: str
    back: str
    people: str
    columns: tuple[str, ...]
    providers: Mapping[str, str]
    notes: Mapping[str, str]
    closing: str


ORGANISATIONS: Final[Mapping[str, str]] = {
    "20005374200009": "Région",
    "22590001800014": "Département du Nord",
    "22620001200012": "Département du Pas-de-Calais",
    "21590350100017": "Métropole du Nord",
    "21590512600011": "Roubaix",
    "21590017600011": "Armentières",
    "21590343600016": "Lesquin",
    "20004196000010": "Pévèle Carembault",
    "25590012800018": "Syndicat des eaux",
}

_FRENCH: Final = Words(
    language="fr",
    name="Français",
    title="Écluse en cinq minutes",
    portal="Le portail",
    opening="""
<p>Trois ministères ont des applications anciennes, qu’on ne peut plus modifier : elles croient ce que dit un
en-tête, ou n’ont
qu’un formulaire de connexion. Neuf collectivités ont chacune leur façon de se connecter. Écluse se tient entre les
deux : elle
connecte les personnes auprès de leur propre collectivité, décide page par page de ce qu’elles peuvent faire, et dit
à chaque
application ce qu’elle doit savoir, rien de plus.</p>
<p class="note">Les services de connexion de cette démonstration ne demandent aucun mot de passe : chaque personne
s’y choisit
dans une liste. Les applications et leurs données sont fictives.</p>
""",
    steps="""
<h2>L’histoire, étape par étape</h2>
<ol class="steps">
<li><strong>Connectez-vous comme maire.</strong> Ouvrez les <a href="$elections/">listes électorales</a>, choisissez
<em>ProConnect (démonstration)</em>, puis Marc Wibaux, maire de Lesquin. Le bouton
« Signer la liste » lui est réservé : cliquez dessus.</li>
<li><strong>Heurtez-vous à un refus.</strong> La <a href="$elections/listes/59343">liste elle-même</a> s’ouvre aux
seuls services
d’état civil. La page dit pourquoi, et donne une référence à dicter au téléphone : le journal la connaît.</li>
<li><strong>Renforcez votre connexion.</strong> Les <a href="$elections/listes/59343/procurations">procurations</a>
demandent un
second facteur. La page l’explique, et vous revenez là où vous vouliez aller.</li>
<li><strong>Voyez ce que l’application a reçu.</strong> Au bas de chaque page des <a href="$elections/">listes
électorales</a> : un
nom, rien d’autre. La passerelle le dit aussi, <a href="$elections/_ecluse/session">application par
application</a>.</li>
<li><strong>Passez d’une application à l’autre.</strong> Sur <a href="$portail/">le portail</a>, vos applications et
vos sessions.
La <a href="$astreinte/">main courante</a> (WebSocket) vous connaît déjà ; l’<a href="$avis/api/dossiers/7">API des
avis</a>
aussi.</li>
<li><strong>Devenez quelqu’un d’autre.</strong> <a href="$portail/_ecluse/logout">Déconnectez-vous</a>, puis ouvrez
les
<a href="$examens/">centres d’examen</a> comme Rose Delattre (<em>Roubaix, Armentières</em>, en SAML). Cette
application n’a qu’un
formulaire : la passerelle le remplit, vous ne le voyez pas. Iris Carlier, adjointe à Armentières, n’y entre
pas.</li>
<li><strong>Changez une règle.</strong> Théo Lepers, du syndicat des eaux, lit les <a
href="$avis/dossiers/7/avis">avis</a> et n’en
donne pas. Ce bouton change la règle, compare l’ancienne et la nouvelle pour toutes les personnes connues, et la met
en service sans
déconnecter personne. $button</li>
<li><strong>Regardez les mesures.</strong> <a href="/figures?lang=fr">Connexions, refus et sessions de cette
démonstration</a> ; la
supervision les lit à l’adresse <code>$admin</code>, sur cette machine seulement.</li>
</ol>
""",
    open="Laisser le syndicat des eaux donner son avis",
    close="Remettre la règle d’avant",
    opened="Le syndicat des eaux peut maintenant donner son avis. Voici ce qui change, et pour qui :",
    closed="La règle est de nouveau celle d’avant. Voici ce qui change, et pour qui :",
    refused="<p>La passerelle n’a pas pris ce changement : l’ancienne règle reste en vigueur, et le fichier est"
    " redevenu ce qu’il était. Voici pourquoi :</p>",
    refused_title="La règle n’a pas changé",
    again="Essayez comme Théo Lepers",
    elsewhere="<p>Cette demande ne vient pas de cette page : rien n’a changé.</p>",
    rule_title="La règle a changé",
    figures_title="Les mesures",
    figures="<p>Ce que la passerelle a compté depuis son démarrage, tel que la supervision le lit.</p>",
    back='<p><a href="/?lang=fr">Retour à l’histoire</a></p>',
    people="<h2>Les personnes</h2><p>Leurs droits tiennent à leur collectivité, à leur groupe, à leur mandat.</p>",
    columns=("Nom", "Collectivité", "Service de connexion", "Ce qui la distingue"),
    providers={
        "metropole": "Métropole du Nord (OpenID Connect)",
        "departement": "Département (OpenID Connect)",
        "region": "Région (SAML)",
        "syndicat": "Roubaix, Armentières (SAML mutualisé)",
        "proconnect": "ProConnect (démonstration)",
    },
    notes={},
    closing="""
<h2>Les applications</h2>
<ul>
<li>Ministère de l’Intérieur : <a href="$elections/">Listes électorales</a> (WSGI), <a href="$astreinte/">Main
courante
d’astreinte</a> (WebSocket)</li>
<li>Ministère de l’Éducation nationale : <a href="$ecoles/">Inscriptions scolaires</a> (WSGI), <a
href="$examens/">Centres
d’examen</a> (formulaire de connexion)</li>
<li>Ministère de la Transition écologique : <a href="$avis/">Avis sur les projets</a> (pages et REST)</li>
<li>Les collectivités elles-mêmes : <a href="$permis/">Permis de construire</a> (PHP), <a
href="$subventions/">Demandes de
subvention</a> (WSGI)</li>
</ul>
""",
)

_ENGLISH: Final = Words(
    language="en",
    name="English",
    title="Écluse in five minutes",
    portal="The portal",
    opening="""
<p>Three ministries have old applications that can no longer be changed: they believe what a header says, or have
nothing but a
login form. Nine local authorities each have their own way to sign in. Écluse stands in between: it signs people in
with their
own authority, decides page by page what they may do, and tells each application what it needs to know, and no
more.</p>
<p class="note">The sign-in services of this demonstration ask for no password: people pick themselves from a list.
Their pages and the applications are made up, and speak French.</p>
""",
    steps="""
<h2>The story, step by step</h2>
<ol class="steps">
<li><strong>Sign in as a mayor.</strong> Open the <a href="$elections/">electoral rolls</a>, choose <em>ProConnect
(demonstration)</em>, then Marc Wibaux, mayor of Lesquin. The button “Signer la liste” is his: press it.</li>
<li><strong>Be refused.</strong> The <a href="$elections/listes/59343">roll itself</a> is open to registry offices
alone. The page
says why, and gives a reference that can be told by telephone: the log knows it.</li>
<li><strong>Step up.</strong> The <a href="$elections/listes/59343/procurations">proxies</a> ask for a second
factor. The page
explains it, and you come back to where you wanted to go.</li>
<li><strong>See what the application got.</strong> At the foot of each page of the <a href="$elections/">electoral
rolls</a>: a name,
nothing else. The gateway says so too, <a href="$elections/_ecluse/session">application by application</a>.</li>
<li><strong>Go from one application to the next.</strong> <a href="$portail/">The portal</a> has your applications
and your sessions.
The <a href="$astreinte/">crisis logbook</a> (WebSocket) knows you already; so does the <a
href="$avis/api/dossiers/7">API of the
opinions</a>.</li>
<li><strong>Become somebody else.</strong> <a href="$portail/_ecluse/logout">Sign out</a>, then open the <a
href="$examens/">examination
centres</a> as Rose Delattre (<em>Roubaix, Armentières</em>, by SAML). This application has nothing but a login
form: the gateway fills
it in, and you see none. Iris Carlier, deputy mayor of Armentières, does not get in.</li>
<li><strong>Change a rule.</strong> Théo Lepers, of the water syndicate, reads the <a
href="$avis/dossiers/7/avis">opinions</a> and gives
none. This button changes the rule, compares the old and the new one for all people known, and puts it live; nobody
is signed
out. $button</li>
<li><strong>Look at the metrics.</strong> <a href="/figures?lang=en">Sign-ins, refusals and sessions of this
demonstration</a>; your
monitoring reads them at <code>$admin</code>, on this machine alone.</li>
</ol>
""",
    open="Let the water syndicate give its opinion",
    close="Put the rule back",
    opened="The water syndicate may give its opinion now. This is what changes, and for whom:",
    closed="The rule is what it was. This is what changes, and for whom:",
    refused="<p>The gateway has not taken this change: the old rule stays live, and the file is what it was. This is"
    " why:</p>",
    refused_title="The rule has not changed",
    again="Try it as Théo Lepers",
    elsewhere="<p>This request does not come from this page: nothing was changed.</p>",
    rule_title="The rule has changed",
    figures_title="Metrics",
    figures="<p>What the gateway has counted since it started, as a monitoring reads it.</p>",
    back='<p><a href="/?lang=en">Back to the story</a></p>',
    people="<h2>The people</h2><p>What they may do hangs on their authority, their group, their mandate.</p>",
    columns=("Name", "Local authority", "Sign-in service", "What to know"),
    providers={
        "metropole": "Northern Metropolis (OpenID Connect)",
        "departement": "County (OpenID Connect)",
        "region": "Region (SAML)",
        "syndicat": "Roubaix, Armentières (shared, SAML)",
        "proconnect": "ProConnect (demonstration)",
    },
    notes={
        "helene": "staff, administrator",
        "paul": "staff, no administrator",
        "intrus": "claims to speak for another organisation: refused",
        "maire": "elected to the county council",
        "camille": "examines building projects",
        "rose": "registry office",
        "iris": "deputy mayor",
        "marc": "mayor",
        "gilles": "mayor until 2020: mandates end by themselves",
        "parti": "was deputy mayor and has left: closed out",
        "vera": "staff",
        "theo": "staff",
        "wael": "staff",
    },
    closing="""
<h2>The applications</h2>
<ul>
<li>Ministry of the Interior: <a href="$elections/">Electoral rolls</a> (WSGI), <a href="$astreinte/">Crisis
logbook</a>
(WebSocket)</li>
<li>Ministry of Education: <a href="$ecoles/">School enrolments</a> (WSGI), <a href="$examens/">Examination
centres</a> (login
form)</li>
<li>Ministry of Ecological Transition: <a href="$avis/">Opinions on projects</a> (pages and REST)</li>
<li>The authorities themselves: <a href="$permis/">Building permits</a> (PHP), <a href="$subventions/">Grants</a>
(WSGI)</li>
</ul>
""",
)

TEXT: Final[Mapping[str, Words]] = {"fr": _FRENCH, "en": _ENGLISH}
