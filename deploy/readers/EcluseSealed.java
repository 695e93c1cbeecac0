// Reads in Java (17 or later, nothing but the JDK) what Écluse sends under a shared key (translate.sealed): sealed (JWE: dir,
// A256GCM) or signed (JWS: HS256).
//
// Map<String, Object> claims = EcluseSealed.read(cookie, List.of(key), "permis", "https://portail.example.org", now);
//
// keys: as the files have them, in base64; two while one takes the place of the other. now: seconds since 1970. A value is a
// String, a Long, or a List of Strings.

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

public final class EcluseSealed {
    /** The token is not believed. What is wrong is for the log, not for the browser. */
    public static final class Refused extends Exception {
        Refused(String why) {
            super(why);
        }
    }

    /** The claims of a token that is for this audience and has not ended. */
    public static Map<String, Object> read(String token, List<String> keys, String audience, String issuer, long now)
            throws Refused {
        try {
            String[] parts = token.split("\\.", -1);
            Map<String, Object> header = new Json(text(bytes(parts[0]))).object();
            byte[] key = key(keys, header.get("kid"));
            Map<String, Object> claims = new Json(text(opened(parts, header, key))).object();
            if (!audience.equals(claims.get("aud")) || !issuer.equals(claims.get("iss"))) {
                throw new Refused("for another application");
            }
            if (!(claims.get("exp") instanceof Long end) || end <= now) {
                throw new Refused("at its end");
            }
            return claims;
        } catch (IllegalArgumentException | IndexOutOfBoundsException broken) {
            throw new Refused("not a token");
        } catch (GeneralSecurityException broken) {
            throw new Refused("a seal that is not of this key");
        }
    }

    private static byte[] key(List<String> keys, Object kid) throws Refused, GeneralSecurityException {
        for (String one : keys) {
            byte[] key = Base64.getDecoder().decode(one.strip());
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update("ecluse key id\0".getBytes(StandardCharsets.US_ASCII));
            if (HexFormat.of().formatHex(digest.digest(key)).substring(0, 16).equals(kid)) {
                return key;
            }
        }
        throw new Refused("a key that is not known");
    }

    private static byte[] opened(String[] parts, Map<String, Object> header, byte[] key)
            throws Refused, GeneralSecurityException {
        Object alg = header.get("alg");
        if (parts.length == 3 && "HS256".equals(alg)) {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            byte[] made = mac.doFinal((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
            if (!MessageDigest.isEqual(made, bytes(parts[2]))) {
                throw new Refused("a signature that is not of this key");
            }
            return bytes(parts[1]);
        }
        if (parts.length != 5 || !parts[1].isEmpty() || !"dir".equals(alg) || !"A256GCM".equals(header.get("enc"))) {
            throw new Refused("neither sealed nor signed in a form that is known");
        }
        byte[] nonce = bytes(parts[2]);
        byte[] sealed = bytes(parts[3]);
        byte[] tag = bytes(parts[4]);
        if (nonce.length != 12 || tag.length != 16) {
            throw new Refused("a seal that is not of this key");
        }
        byte[] both = Arrays.copyOf(sealed, sealed.length + tag.length);
        System.arraycopy(tag, 0, both, sealed.length, tag.length);
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
        cipher.updateAAD(parts[0].getBytes(StandardCharsets.US_ASCII));
        return cipher.doFinal(both);
    }

    private static byte[] bytes(String part) {
        return Base64.getUrlDecoder().decode(part);
    }

    private static String text(byte[] content) {
        return new String(content, StandardCharsets.UTF_8);
    }

    /** The JSON that the gateway writes: one object of texts, whole numbers and lists of texts, without blanks. */
    private static final class Json {
        private final String text;
        private int at;

        Json(String text) {
            this.text = text;
        }

        Map<String, Object> object() {
            Map<String, Object> found = new LinkedHashMap<>();
            take('{');
            for (boolean more = text.charAt(at) != '}'; more; more = another()) {
                String name = string();
                take(':');
                if (found.put(name, value()) != null) {
                    throw new IllegalArgumentException("a name that stands twice");
                }
            }
            take('}');
            if (at != text.length()) {
                throw new IllegalArgumentException("more than an object");
            }
            return found;
        }

        private Object value() {
            char next = text.charAt(at);
            if (next == '"') {
                return string();
            }
            if (next == '[') {
                List<String> found = new ArrayList<>();
                take('[');
                for (boolean more = text.charAt(at) != ']'; more; more = another()) {
                    found.add(string());
                }
                take(']');
                return found;
            }
            int from = at;
            while (at < text.length() && Character.isDigit(text.charAt(at))) {
                at++;
            }
            return Long.valueOf(text.substring(from, at));
        }

        private boolean another() {
            if (text.charAt(at) != ',') {
                return false;
            }
            at++;
            return true;
        }

        private String string() {
            StringBuilder found = new StringBuilder();
            take('"');
            while (text.charAt(at) != '"') {
                char next = text.charAt(at++);
                if (next != '\\') {
                    found.append(next);
                    continue;
                }
                char escaped = text.charAt(at++);
                switch (escaped) {
                    case '"', '\\', '/' -> found.append(escaped);
                    case 'u' -> {
                        found.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                        at += 4;
                    }
                    default -> throw new IllegalArgumentException("an escape that is not written");
                }
            }
            at++;
            return found.toString();
        }

        private void take(char expected) {
            if (text.charAt(at++) != expected) {
                throw new IllegalArgumentException("not this JSON");
            }
        }
    }

    private EcluseSealed() {}
}
