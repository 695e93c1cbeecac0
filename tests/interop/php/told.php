<?php
// What PHP was told, byte by byte: names as $_SERVER has them, values in hexadecimal.

declare(strict_types=1);

$target = (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (str_ends_with($target, '/download')) {
    // No Content-Length: PHP's server ends such an answer by closing.
    header('Content-Type: application/octet-stream');
    $block = implode('', array_map('chr', range(0, 255)));
    for ($sent = 0, $size = (int) $_GET['size']; $sent < $size; $sent += strlen($piece)) {
        $piece = substr(str_repeat($block, 256), 0, min(65536, $size - $sent));
        echo $piece;
    }
    return;
}
$headers = array_filter($_SERVER, fn ($name) => str_starts_with((string) $name, 'HTTP_'), ARRAY_FILTER_USE_KEY);
$body = (string) file_get_contents('php://input');
header('Content-Type: application/json');
header('X-Told: oui', false);
header('X-Told: aussi', false);
$told = json_encode([
    'method' => $_SERVER['REQUEST_METHOD'],
    'target' => $_SERVER['REQUEST_URI'],
    'remote_user' => bin2hex($_SERVER['REMOTE_USER'] ?? ''),
    'headers' => array_map('bin2hex', $headers),
    'form' => $_POST,
    'length' => strlen($body),
    'sha256' => hash('sha256', $body),
], JSON_THROW_ON_ERROR);
header('Content-Length: ' . strlen($told));
echo $told;
