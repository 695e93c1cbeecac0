<?php
// A form with a file and a token against forged requests; what came of it, once, as it is.
session_start();
header('Content-Type: text/html; charset=utf-8');
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$log = getenv('DEPOSITS');
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $raw = file_get_contents('php://input');
    $file = $_FILES['piece'] ?? null;
    $told = [
        'target' => $_SERVER['REQUEST_URI'],
        'type' => $_SERVER['CONTENT_TYPE'] ?? '',
        'length' => $_SERVER['CONTENT_LENGTH'] ?? '',
        'user' => $_SERVER['HTTP_X_REMOTE_USER'] ?? '',
        'origin' => $_SERVER['HTTP_ORIGIN'] ?? '',
        'referer' => $_SERVER['HTTP_REFERER'] ?? '',
        'cookies' => array_keys($_COOKIE),
        'fields' => $_POST,
        'token_is_good' => ($_POST['token'] ?? '') === ($_SESSION['token'] ?? 'none'),
        'file' => $file === null ? null : ['name' => $file['name'], 'size' => $file['size'],
            'sha256' => $file['error'] === 0 ? hash_file('sha256', $file['tmp_name']) : null],
        'sha256' => hash('sha256', $raw),
        'size' => strlen($raw),
    ];
    file_put_contents($log, json_encode($told) . "\n", FILE_APPEND | LOCK_EX);
    header('Content-Type: application/json');
    echo json_encode($told);
    return;
}
$_SESSION['token'] ??= bin2hex(random_bytes(16));
?><!doctype html><meta charset="utf-8"><title>Dépôt</title><h1>Dépôt</h1>
<form method="post" enctype="multipart/form-data" action="/depot?annee=2026">
<input type="hidden" name="token" value="<?= htmlspecialchars($_SESSION['token']) ?>">
<label>Objet <input name="objet"></label>
<label>Pièce <input type="file" name="piece"></label>
<button>Déposer</button>
</form>
