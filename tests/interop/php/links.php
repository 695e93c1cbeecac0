<?php
// What applications of 2009 do: the base of every link is what the server says that it is.
$base = 'http://' . $_SERVER['HTTP_HOST'];
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/public/enter') {
    setcookie('panier', '7', 0, '/', $_SERVER['HTTP_HOST']);
    header('Location: ' . $base . '/public/menu', true, 302);
    exit;
}
if ($path === '/public/api') {
    header('Content-Type: application/json');
    echo json_encode(['next' => $base . '/public/menu']);
    exit;
}
header('Content-Type: text/html; charset=iso-8859-1');
header('ETag: "menu"');
for ($row = 0; $row < 300; $row++) {
    echo "<li><a href=\"$base/public/menu?row=$row\">Dossier n\xb0 $row</a>\n";
    flush();
}
echo "<script>var back = " . json_encode($base . '/public/menu') . ";</script>\n";
echo '<a href="/public/enter?to=' . urlencode($base . '/public/api') . '">', "\n";
