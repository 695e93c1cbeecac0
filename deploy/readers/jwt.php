<?php
// Reads a token of Écluse in PHP (8.1 or later, with the openssl and sodium extensions), without a library.
//
// $claims = ecluse_jwt($_SERVER['HTTP_X_IDENTITY_TOKEN'], $keys, 'permis', 'https://portail.example.org');
//
// $keys: the key set of /_ecluse/app/jwks, decoded: json_decode(file_get_contents($url), true). Keep it for some minutes.

declare(strict_types=1);

/** The claims of a token for this audience. Throws RuntimeException for any other. */
function ecluse_jwt(string $token, array $keys, string $audience, string $issuer, ?int $now = null): array
{
    $parts = explode('.', $token);
    if (count($parts) !== 3) {
        throw new RuntimeException('not a token');
    }
    [$header, $claims] = array_map(fn ($part) => json_decode(ecluse_base64url($part), true), array_slice($parts, 0, 2));
    $key = null;
    foreach ($keys['keys'] as $one) {
        if (is_array($header) && $one['kid'] === ($header['kid'] ?? null)) {
            $key = $one;
        }
    }
    // The key says by which algorithm, never the token alone.
    if ($key === null || $key['alg'] !== ($header['alg'] ?? null) || !is_array($claims)) {
        throw new RuntimeException('a key that is not known');
    }
    if (!ecluse_signed($parts[0] . '.' . $parts[1], ecluse_base64url($parts[2]), $key)) {
        throw new RuntimeException('a signature that is not of this key');
    }
    if (($claims['aud'] ?? null) !== $audience || ($claims['iss'] ?? null) !== $issuer) {
        throw new RuntimeException('for another application');
    }
    if (!is_int($claims['exp'] ?? null) || $claims['exp'] <= ($now ?? time())) {
        throw new RuntimeException('at its end');
    }
    return $claims;
}

function ecluse_signed(string $body, string $signature, array $key): bool
{
    switch ($key['alg']) {
        case 'EdDSA':
            $public = ecluse_base64url($key['x']);
            return strlen($signature) === 64 && sodium_crypto_sign_verify_detached($signature, $body, $public);
        case 'ES256':
            if (strlen($signature) !== 64) {
                return false;
            }
            // RFC 7518 3.4: two numbers of 32 octets; OpenSSL reads them in DER.
            $der = ecluse_der(0x30, ecluse_number(substr($signature, 0, 32)) . ecluse_number(substr($signature, 32)));
            // RFC 5480: an uncompressed point on P-256.
            $point = "\x04" . str_pad(ecluse_base64url($key['x']), 32, "\0", STR_PAD_LEFT)
                . str_pad(ecluse_base64url($key['y']), 32, "\0", STR_PAD_LEFT);
            $public = hex2bin('3059301306072a8648ce3d020106082a8648ce3d030107034200') . $point;
            return openssl_verify($body, $der, ecluse_pem($public), OPENSSL_ALGO_SHA256) === 1;
        case 'RS256':
            // RFC 3279 2.3.1
            $numbers = ecluse_der(0x30, ecluse_number(ecluse_base64url($key['n'])) . ecluse_number(ecluse_base64url($key['e'])));
            $public = ecluse_der(0x30, hex2bin('300d06092a864886f70d0101010500') . ecluse_der(0x03, "\0" . $numbers));
            return openssl_verify($body, $signature, ecluse_pem($public), OPENSSL_ALGO_SHA256) === 1;
    }
    return false;
}

function ecluse_base64url(string $text): string
{
    return (string) base64_decode(strtr($text, '-_', '+/'), true);
}

function ecluse_number(string $octets): string
{
    $octets = ltrim($octets, "\0");
    return ecluse_der(0x02, $octets === '' || ord($octets[0]) > 0x7f ? "\0" . $octets : $octets);
}

function ecluse_der(int $tag, string $content): string
{
    $length = strlen($content);
    $octets = $length < 128 ? '' : ltrim(pack('N', $length), "\0");
    return chr($tag) . ($octets === '' ? chr($length) : chr(0x80 | strlen($octets)) . $octets) . $content;
}

function ecluse_pem(string $public): string
{
    return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($public), 64, "\n") . "-----END PUBLIC KEY-----\n";
}
