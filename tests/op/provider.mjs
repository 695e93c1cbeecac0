// An OpenID Provider (npm oidc-provider) for the tests. One argument, a JSON object:
//   port      0 picks a free one; the line {"issuer": ...} on standard output says which
//   keys      its signing keys, as private JWKs: Node 20 hangs now and then where it makes keys and exports them at once
//   clients   client metadata of OpenID Connect Registration; client_id and redirect_uris at least
//   accounts  {login: {claim: value}}; another login is refused. `login/acr` signs in at that level
//   claims    {scope: [claim, ...]}, beside openid, profile and email; {claim: null} for one of no scope
//   features  merged into those of oidc-provider
//   tls       {cert, key, ca}, PEM: a second door that asks for certificates (RFC 8705), announced as aliases
//   levels    {login: {acr, amr}}: how a person signs in
//   only      where given, the parameters of an authorization request that are not refused; nor is a secret taken
//             in a header then
//   deaf      those that are taken and forgotten
//   resources {indicator: {scope, accessTokenFormat, accessTokenTTL}}: for whom access tokens can be had (RFC 8707)
//   options   merged into its configuration last ({"conformIdTokenClaims": false} puts claims into the ID token)
// It ends when its standard input does, so that it never outlives the test.
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

import Provider, { errors } from 'oidc-provider';

const { port = 0, keys, clients, accounts, claims = {}, features = {}, tls, levels = {}, only, deaf = [], resources, options = {} } = JSON.parse(process.argv[2]);

// RFC 6761 6.3: what it calls back (back-channel logout) may be a name under .localhost.
const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest);

const doors = [createServer()];
if (tls) doors.push(createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }));
await Promise.all(doors.map((door, index) => once(door.listen(index ? 0 : port, '127.0.0.1'), 'listening')));

const issuer = `http://127.0.0.1:${doors[0].address().port}`;
const mutual = tls && {
  mTLS: {
    enabled: true,
    tlsClientAuth: true,
    getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.()?.toString(),
    certificateAuthorized: (ctx) => ctx.socket.authorized,
    certificateSubjectMatches: (ctx, property, expected) =>
      property === 'tls_client_auth_san_dns'
      && ctx.socket.getPeerX509Certificate().subjectAltName.split(', ').includes(`DNS:${expected}`),
  },
};
const aliases = tls && {
  mtls_endpoint_aliases: Object.fromEntries(
    Object.entries({ token: 'token', userinfo: 'me', revocation: 'token/revocation' }).map(([name, path]) => [
      `${name}_endpoint`, `https://127.0.0.1:${doors[1].address().port}/${path}`,
    ]),
  ),
};
const indicators = resources && {
  resourceIndicators: {
    enabled: true,
    getResourceServerInfo: (_, indicator) => {
      if (!resources[indicator]) throw new errors.InvalidTarget();
      return { audience: indicator, ...resources[indicator] };
    },
  },
};
const provider = new Provider(issuer, {
  clients,
  claims: {
    openid: ['sub'],
    profile: ['name', 'family_name', 'given_name', 'preferred_username'],
    email: ['email', 'email_verified'],
    ...claims,
  },
  scopes: ['openid', 'profile', 'email', ...Object.keys(claims).filter((scope) => claims[scope])],
  findAccount: (_, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  cookies: { keys: ['of-the-tests'] },
  // Without the dispatcher that keeps it from calling this machine: here the client is on it.
  fetch: (url, { dispatcher, ...rest }) => fetch(url, rest),
  features: { devInteractions: { enabled: true }, ...mutual, ...indicators, ...features },
  discovery: aliases ?? {},
  jwks: { keys },
  ...options,
});
// As ProConnect does: a page of its own instead of an answer.
provider.use((ctx, next) => {
  if (only && ctx.path === '/token' && ctx.get('authorization')) {
    ctx.status = 401;
    ctx.body = { error: 'invalid_client' };
    return undefined;
  }
  if (ctx.path !== '/auth') return next();
  const strange = only && Object.keys(ctx.query).find((name) => !only.includes(name));
  if (strange) {
    ctx.status = 400;
    ctx.body = `Y000400: ${strange}`;
    return undefined;
  }
  ctx.query = Object.fromEntries(Object.entries(ctx.query).filter(([name]) => !deaf.includes(name)));
  return next();
});
const finished = provider.interactionFinished.bind(provider);
provider.interactionFinished = (request, response, result, settings) => {
  if (result.login) Object.assign(result.login, levels[result.login.accountId]);
  return finished(request, response, result, settings);
};
// A person types `alice`, or `alice/eidas2` to sign in at that level of acr.
const { interactionFinished } = provider;
provider.interactionFinished = (req, res, result, ...rest) => {
  const [accountId, acr] = (result.login?.accountId ?? '').split('/');
  const login = result.login && { login: { ...result.login, accountId, ...(acr && { acr }) } };
  return interactionFinished.call(provider, req, res, { ...result, ...login }, ...rest);
};

for (const door of doors) door.on('request', provider.callback());
process.stdout.write(`${JSON.stringify({ issuer })}\n`);

process.stdin.resume().on('end', () => process.exit(0));
