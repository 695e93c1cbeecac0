// An OpenID Provider (npm oidc-provider) for the tests. One argument, a JSON object:
//   port      0 picks a free one; the line {"issuer": ...} on standard output says which
//   clients   client metadata of OpenID Connect Registration; client_id and redirect_uris at least
//   accounts  {login: {claim: value}}; another login is refused
//   claims    {scope: [claim, ...]}, beside openid, profile and email
//   features  merged into those of oidc-provider
//   options   merged into its configuration last ({"conformIdTokenClaims": false} puts claims into the ID token)
// It ends when its standard input does, so that it never outlives the test.
import { generateKeyPairSync } from 'node:crypto';
import dns from 'node:dns';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const { port = 0, clients, accounts, claims = {}, features = {}, options = {} } = JSON.parse(process.argv[2]);

// RFC 6761 6.3: what it calls back (back-channel logout) may be a name under .localhost.
const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest);

function key(type, parameters, members) {
  return { ...generateKeyPairSync(type, parameters).privateKey.export({ format: 'jwk' }), use: 'sig', ...members };
}

const server = createServer();
server.listen(port, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    claims: {
      openid: ['sub'],
      profile: ['name', 'family_name', 'given_name', 'preferred_username'],
      email: ['email', 'email_verified'],
      ...claims,
    },
    scopes: ['openid', 'profile', 'email', ...Object.keys(claims)],
    findAccount: (_, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
    cookies: { keys: ['of-the-tests'] },
    // Without the dispatcher that keeps it from calling this machine: here the client is on it.
    fetch: (url, { dispatcher, ...rest }) => fetch(url, rest),
    features: { devInteractions: { enabled: true }, ...features },
    jwks: {
      keys: [
        key('rsa', { modulusLength: 2048 }, { kid: 'rsa' }),
        key('ec', { namedCurve: 'P-256' }, { kid: 'ec', alg: 'ES256' }),
        key('ed25519', {}, { kid: 'ed', alg: 'EdDSA' }),
      ],
    },
    ...options,
  });
  server.on('request', provider.callback());
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
});

process.stdin.resume().on('end', () => process.exit(0));
