<?php
// What PHP makes of a request: its variables, in hexadecimal, for they may be any bytes.
header('Content-Type: application/json');
$found = ['server' => [], 'cookies' => []];
foreach ($_SERVER as $name => $value) {
    $found['server'][bin2hex((string) $name)] = bin2hex(is_string($value) ? $value : (string) json_encode($value));
}
foreach ($_COOKIE as $name => $value) {
    $found['cookies'][bin2hex((string) $name)] = bin2hex(is_string($value) ? $value : (string) json_encode($value));
}
echo json_encode($found);
