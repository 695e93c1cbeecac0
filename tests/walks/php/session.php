<?php
// An application that knows people by its own session: it takes another id when they come in, counts pages, and ends.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/page' && $path !== '/bye.php') {
    http_response_code(404);
    exit;
}
session_save_path(getcwd());
session_start();
if ($path === '/bye.php') {
    $left = $_SESSION['pages'] ?? 'none';
    $said = $_POST['action'] ?? '';
    session_destroy();
    file_put_contents('bye', "{$_SERVER['REQUEST_METHOD']} $said $left\n", FILE_APPEND);
    exit;
}
if (!isset($_SESSION['user'])) {
    session_regenerate_id(true);
    $_SESSION['user'] = $_SERVER['HTTP_X_REMOTE_USER'];
    setcookie('theme', 'dark');
    header('Location: /page', true, 302);
    exit;
}
$_SESSION['pages'] = ($_SESSION['pages'] ?? 0) + 1;
header('Content-Type: text/html');
echo "<title>Pages</title><p>{$_SESSION['user']}: {$_SESSION['pages']}</p>";
