<?php
// Reads in PHP (8.1 or later, with the openssl extension) what Écluse sends under a shared key (translate.sealed): sealed
// (JWE: dir, A256GCM) or signed (JWS: HS256).
//
// $claims = ecluse_sealed($_COOKIE['APPSESSION'], [$key], 'permis', 'https://portail.example.org');
//
// $keys: as the files have them, in base64; two while one takes the place of the other.

declare(strict_types=1);

/** The claims of a token that is for this audience and has not ended. Throws RuntimeException for any other. */
function ecluse_sealed(string $token, array $keys, string $audience, string $issuer, ?int $now = null): array
{
    $parts = explode('.', $token);
    $header = ecluse_object($parts[0]);
    $key = null;
    foreach ($keys as $one) {
        $bytes = base64_decode(trim($one), true);
        if (substr(hash('sha256', "ecluse key id\0" . $bytes), 0, 16) === ($header['kid'] ?? null)) {
            $key = $bytes;
        }
    }
    if ($key === null) {
        throw new RuntimeException('a key that is not known');
    }
    $how = [$header['alg'] ?? null, $header['enc'] ?? null];
    if (count($parts) === 3 && $how === ['HS256', null]) {
        $made = hash_hmac('sha256', $parts[0] . '.' . $parts[1], $key, true);
        if (!hash_equals($made, ecluse_bytes($parts[2]))) {
            throw new RuntimeException('a signature that is not of this key');
        }
        $claims = ecluse_object($parts[1]);
    } elseif (count($parts) === 5 && $parts[1] === '' && $how === ['dir', 'A256GCM']) {
        [$nonce, $sealed, $tag] = array_map('ecluse_bytes', array_slice($parts, 2));
        // openssl_decrypt takes a shorter tag for a whole one.
        $text = strlen($nonce) === 12 && strlen($tag) === 16
            ? openssl_decrypt($sealed, 'aes-256-gcm', $key, OPENSSL_RAW_DATA, $nonce, $tag, $parts[0])
            : false;
        if ($text === false) {
            throw new RuntimeException('a seal that is not of this key');
        }
        $claims = json_decode($text, true);
    } else {
        throw new RuntimeException('neither sealed nor signed in a form that is known');
    }
    if (($claims['aud'] ?? null) !== $audience || ($claims['iss'] ?? null) !== $issuer) {
        throw new RuntimeException('for another application');
    }
    if (!is_int($claims['exp'] ?? null) || $claims['exp'] <= ($now ?? time())) {
        throw new RuntimeException('at its end');
    }
    return $claims;
}

function ecluse_object(string $part): array
{
    $found = json_decode(ecluse_bytes($part), true);
    if (!is_array($found)) {
        throw new RuntimeException('not a token');
    }
    return $found;
}

function ecluse_bytes(string $part): string
{
    $bytes = base64_decode(strtr($part, '-_', '+/'), true);
    if ($bytes === false) {
        throw new RuntimeException('not a token');
    }
    return $bytes;
}
