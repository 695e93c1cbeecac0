<?php
// An application of 2008: a login form with a token against forgery, a session in a cookie, and accounts that are locked
// after five wrong passwords. What it has seen and what it is told to do stands in files of its folder.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$mood = @file_get_contents('mood') ?: '';
session_save_path(getcwd());
session_name('GRRSESSID');
session_start();

function note($line) {
    file_put_contents('seen', $line . "\n", FILE_APPEND | LOCK_EX);
}

function form($said = '') {
    global $mood;
    $_SESSION['csrf'] = bin2hex(random_bytes(8));
    $action = ['elsewhere' => 'https://evil.example/login.php', 'scheme' => 'ftp://permis.localhost/login.php',
        'path' => '/other.php'][$mood] ?? '/login.php';
    $base = $mood === 'base' ? '<base href="//evil.example/">' : '';
    $password = $mood === 'changed' ? 'pass_word' : 'password';
    header('Content-Type: text/html; charset=utf-8');
    echo "<html><head><title>Connexion</title>$base</head><body><p>$said</p>";
    echo '<form method="get" action="/search"><input name="q"></form>';
    echo "<form id=\"connexion\" method=\"post\" action=\"$action\">";
    echo "<input type=\"hidden\" name=\"csrf\" value=\"{$_SESSION['csrf']}\">";
    echo "<input name=\"user\"><input type=\"password\" name=\"$password\">";
    echo '<button name="go" value="1">Entrer</button></form></body></html>';
}

if ($path === '/who.php' || $path === '/secret.php') {
    // The same in two steps.
    if ($_SERVER['REQUEST_METHOD'] === 'GET' && $path === '/secret.php' && $mood !== '') {
        // The second page, as other applications have it for strangers.
        if ($mood === 'renamed') { echo '<form method="post" action="/secret.php"><input type="password" name="pass_word"></form>'; }
        elseif ($mood === 'first') { echo '<form method="post" action="/who.php"><input name="user"></form>'; }
        elseif ($mood === 'closed') { http_response_code(403); }
        elseif ($mood === 'inside') { header('Location: /who.php', true, 302); }
        elseif ($mood === 'outside') { header('Location: https://evil.example/who.php', true, 302); }
        else { http_response_code(404); }
    } elseif ($_SERVER['REQUEST_METHOD'] === 'GET') {
        $field = $path === '/who.php' ? '<input name="user">' : '<input type="password" name="password">';
        echo "<form method=\"post\" action=\"$path\">$field</form>";
    } elseif ($path === '/who.php') {
        $_SESSION['claimed'] = $_POST['user'] ?? '';
        header('Location: /secret.php', true, 303);
    } else {
        note('login ' . $_SESSION['claimed']);
        if (($_POST['password'] ?? '') === trim(file_get_contents('password'))) {
            session_regenerate_id(true);
            $_SESSION['user'] = $_SESSION['claimed'];
            header('Location: /index.php', true, 303);
        } else {
            header('Location: /who.php', true, 303);
        }
    }
    exit;
}
if ($path === '/login.php' && $_SERVER['REQUEST_METHOD'] === 'GET') {
    note('form');
    if ($mood === 'away') {
        header('Location: https://evil.example/login.php', true, 302);
    } elseif ($mood === 'huge') {
        echo str_repeat('<p>texte</p>', 100000);
    } elseif ($mood === 'slow') {
        for ($i = 0; $i < 60; $i++) { echo '<p>'; flush(); usleep(100000); }
    } else {
        form();
    }
    exit;
}
if ($path === '/login.php') {
    $user = $_POST['user'] ?? '';
    note("login $user " . ($_POST['go'] ?? ''));
    if ($mood === 'fails') { http_response_code(500); exit('panne'); }
    if ($mood === 'hangs') { sleep(60); }
    if ($mood === 'leads') { header('Location: https://evil.example/index.php', true, 302); exit; }
    $wrong = (int) (@file_get_contents("wrong-$user") ?: 0);
    $right = hash_equals($_SESSION['csrf'] ?? '', $_POST['csrf'] ?? '-')
        && ($_POST['password'] ?? '') === trim(file_get_contents(is_file("password-$user") ? "password-$user" : 'password'))
        && $wrong < 5;
    if (!$right) {
        file_put_contents("wrong-$user", $wrong + 1);
        // Wrong or right, it leads to one page: no answer to the form tells them apart.
        if (is_file('misfit')) { header('Location: /index.php', true, 302); exit; }
        form('Mot de passe incorrect.');
        exit;
    }
    session_regenerate_id(true);
    $_SESSION['user'] = $user;
    header('Location: /index.php', true, 302);
    exit;
}
if ($path === '/account.php') {
    // A page for signed-in people, in trouble or not for them alone.
    if ($mood === 'account fails') { http_response_code(500); exit('panne'); }
    if ($mood === 'account hangs') { sleep(60); }
    if ($mood === 'account leads') { header('Location: /charte.php', true, 302); exit; }
    if ($mood === 'account leads away') { header('Location: https://evil.example/account.php', true, 302); exit; }
    if ($mood === 'account is deep') { exit(str_repeat('<div>', 300) . '<form method="post"><input name="user">'); }
    if ($mood === 'account is public') { exit('<h1>Bonjour</h1>'); }
}
$who = $_SESSION['user'] ?? null;
note("{$_SERVER['REQUEST_METHOD']} $path " . ($who ?? '-'));
if ($path === '/api') {
    header('Content-Type: application/json');
    if ($who === null) { http_response_code(401); }
    echo json_encode(['user' => $who]);
} elseif ($who === null || $mood === 'forgets') {
    if ($path === '/marked') {
        header('Content-Type: text/html');
        echo '<p>Votre session a expir&eacute;</p>';
    } else {
        header('Location: /login.php?next=' . urlencode($path), true, 302);
    }
} else {
    if ($path === '/renew') { session_regenerate_id(true); }
    header('Content-Type: text/html; charset=utf-8');
    echo "<h1>Bonjour $who</h1><pre>", $_SERVER['HTTP_COOKIE'] ?? '', '</pre>';
}
