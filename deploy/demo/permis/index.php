<?php
// « Permis de construire », une application d'avant OpenID Connect : elle croit ce que disent les en-têtes.
// Servie par le serveur de PHP lui-même : php -S 127.0.0.1:9001 index.php

declare(strict_types=1);

// Un en-tête est une suite d'octets : UTF-8, ou ISO-8859-1 pour les plus anciens.
function lisible(string $valeur): string
{
    return preg_match('//u', $valeur) === 1 ? $valeur : iconv('ISO-8859-1', 'UTF-8', $valeur);
}

function texte(string $valeur): string
{
    return htmlspecialchars(lisible($valeur), ENT_QUOTES, 'UTF-8');
}

/** @param array<string, mixed> $valeurs */
function tableau(string $titre, array $valeurs): string
{
    ksort($valeurs);
    $lignes = '';
    foreach ($valeurs as $nom => $valeur) {
        $valeur = is_string($valeur) ? $valeur : (string) json_encode($valeur);
        $lignes .= '<tr><th scope="row">' . texte((string) $nom) . '</th><td>' . texte($valeur) . '</td><td>'
            . bin2hex($valeur) . "</td></tr>\n";
    }
    return "<table><caption>$titre</caption><thead><tr><th scope=\"col\">Nom</th><th scope=\"col\">Valeur</th>"
        . "<th scope=\"col\">Octets</th></tr></thead><tbody>\n$lignes</tbody></table>";
}

$chemin = (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$agent = $_SERVER['HTTP_X_REMOTE_USER'] ?? null;
$recus = array_filter($_SERVER, fn ($nom) => str_starts_with((string) $nom, 'HTTP_'), ARRAY_FILTER_USE_KEY);
$demande = [
    'REQUEST_METHOD' => $_SERVER['REQUEST_METHOD'],
    'REQUEST_URI' => $_SERVER['REQUEST_URI'],
    'REMOTE_ADDR' => $_SERVER['REMOTE_ADDR'],
];

$titre = 'Permis de construire';
$corps = '';
if ($chemin === '/') {
    $corps = '<p>Vos dossiers en cours apparaîtraient ici.</p>';
} elseif ($chemin === '/depot') {
    $titre = 'Déposer une demande';
    $corps = $_SERVER['REQUEST_METHOD'] === 'POST'
        ? '<p>Demande reçue.</p>' . tableau('Formulaire reçu', $_POST)
        : '<form method="post" action="/depot"><p><label for="parcelle">Parcelle</label>'
            . ' <input id="parcelle" name="parcelle" required></p><p><button>Envoyer</button></p></form>';
} elseif ($chemin === '/admin' || str_starts_with($chemin, '/admin/')) {
    $titre = 'Administration';
    $corps = '<p>Cette page est réservée aux administrateurs.</p>';
} elseif ($chemin === '/public/cookies') {
    $titre = 'Cookies de l\'application';
    $corps = '<p>Cette page pose son propre cookie, et tente de poser celui de la passerelle.</p>';
    header('Set-Cookie: PERMIS=a-elle; Path=/', false);
    header('Set-Cookie: __Host-ecluse=forge; Path=/; Secure; HttpOnly', false);
    header('Set-Cookie: __host-Ecluse-b=forge; Path=/; Secure', false);
} elseif ($chemin === '/public/lent') {
    $titre = 'Page lente';
    $corps = '<p>Cette page a pris son temps.</p>';
    sleep(max(0, min(5, (int) ($_GET['secondes'] ?? 1))));
} elseif ($chemin === '/public' || str_starts_with($chemin, '/public/')) {
    $titre = 'Pages publiques';
    $corps = '<p>Le plan local d\'urbanisme se lit sans compte.</p>';
} else {
    http_response_code(404);
    $titre = 'Page introuvable';
}
header('Content-Type: text/html; charset=utf-8');
?>
<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title><?= texte($titre) ?></title>
<style>
body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
nav li{display:inline;margin-right:1rem} table{border-collapse:collapse;margin:1rem 0}
caption{text-align:left;font-weight:bold} th,td{border:1px solid #767676;padding:.2rem .5rem;text-align:left}
td{overflow-wrap:anywhere}
</style></head>
<body>
<header><nav aria-label="Menu"><ul>
<li><a href="/">Accueil</a></li><li><a href="/depot">Déposer</a></li><li><a href="/admin/">Administration</a></li>
<li><a href="/public/">Pages publiques</a></li><li><a href="/_ecluse/logout">Se déconnecter</a></li>
</ul></nav></header>
<main><h1><?= texte($titre) ?></h1>
<p><?= $agent === null ? 'Personne n\'est annoncé.' : 'Bonjour ' . texte($agent) . '.' ?></p>
<?= $corps ?>

<?= tableau('Ce que l\'application reçoit', $recus) ?>

<?= tableau('La demande', $demande) ?>

</main></body></html>
