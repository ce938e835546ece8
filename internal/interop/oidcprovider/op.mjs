// An OpenID provider on loopback around the npm package oidc-provider, for the Go
// tests of the folder above. It logs people in without asking anybody.
//   PORT   port of 127.0.0.1 to listen on; default 0, a free one
//   RP     origin of the relying party, which all redirect URIs are made of
//   KEYS   the file that genkeys.mjs wrote
//   TLS    folder with server.pem, server-key.pem, ca.pem and self-signed.pem: serve
//          https, and let two clients authenticate by certificate
// It prints one line, "ready ISSUER", when it serves, and ends when its standard
// input does. POST /rotate-keys gives it new signing keys and forgets the old ones.
import http from 'node:http';
import https from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate, generateKeyPairSync, randomBytes } from 'node:crypto';
import * as oidc from 'oidc-provider';

const { PORT = '0', RP: rp, KEYS: keyFile, TLS: tlsFolder } = process.env;
const tlsFile = (name) => readFileSync(join(tlsFolder, name));
const clientKeys = JSON.parse(readFileSync(keyFile, 'utf8'));

// ---- clients ---------------------------------------------------------------

const secret = 'a-secret-for-tests-only-that-is-longer-than-32-bytes';

function publicKeys() {
  const isPrivate = (name) => ['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(name);
  return {
    keys: Object.values(clientKeys).map((key) => Object.fromEntries(Object.entries(key).filter(([name]) => !isPrivate(name)))),
  };
}

const codeFlow = {
  redirect_uris: [`${rp}/callback`],
  post_logout_redirect_uris: [`${rp}/logged-out`],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};
const client = (id, extra) => ({ client_id: id, client_secret: secret, ...codeFlow, ...extra });

// encrypted asks for everything that can be encrypted.
const encrypted = (alg, enc) => ({
  id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc,
  userinfo_signed_response_alg: 'RS256', userinfo_encrypted_response_alg: alg, userinfo_encrypted_response_enc: enc,
  authorization_signed_response_alg: 'ES256', authorization_encrypted_response_alg: alg, authorization_encrypted_response_enc: enc,
});

const clients = [
  client('basic'),
  client('basic:odd/id', { client_secret: 'p@ss:w/rd %+&=~' }),
  client('post', { token_endpoint_auth_method: 'client_secret_post' }),
  client('secretjwt', { token_endpoint_auth_method: 'client_secret_jwt' }),
  { client_id: 'keyjwt', ...codeFlow, token_endpoint_auth_method: 'private_key_jwt', jwks: publicKeys() },
  // Its keys are fetched, and kept for a while.
  { client_id: 'keyjwt-uri', ...codeFlow, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `${rp}/jwks` },
  { client_id: 'public', ...codeFlow, token_endpoint_auth_method: 'none' },
  client('id-PS256', { id_token_signed_response_alg: 'PS256' }),
  client('id-ES256', { id_token_signed_response_alg: 'ES256' }),
  client('id-EdDSA', { id_token_signed_response_alg: 'EdDSA' }),
  client('id-HS256', { id_token_signed_response_alg: 'HS256' }),
  // The package wants a real-looking place for what comes with the code.
  { client_id: 'hybrid', client_secret: secret, redirect_uris: ['https://rp.example.test/callback'], response_types: ['code id_token', 'code token', 'code id_token token', 'id_token', 'id_token token'],
    grant_types: ['authorization_code', 'implicit', 'refresh_token'] },
  client('jarm', { authorization_signed_response_alg: 'ES256' }),
  client('encrypted-rsa', { jwks: publicKeys(), ...encrypted('RSA-OAEP-256', 'A256GCM') }),
  client('encrypted-ec', { jwks: publicKeys(), ...encrypted('ECDH-ES', 'A128CBC-HS256') }),
  // A token that is not bound is an error of theirs.
  client('dpop', { dpop_bound_access_tokens: true }),
  { client_id: 'dpop-public', ...codeFlow, token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true },
  { client_id: 'dpop-keyjwt', ...codeFlow, token_endpoint_auth_method: 'private_key_jwt', jwks: publicKeys(), dpop_bound_access_tokens: true },
  // What the profile demands is demanded of them alone, see fapi below.
  { client_id: 'fapi-dpop', ...codeFlow, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256', jwks: publicKeys(),
    id_token_signed_response_alg: 'PS256', authorization_signed_response_alg: 'PS256', request_object_signing_alg: 'PS256',
    require_pushed_authorization_requests: true, dpop_bound_access_tokens: true },
  { client_id: 'device', redirect_uris: [], response_types: [], token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'] },
  { client_id: 'ciba', client_secret: secret, redirect_uris: [], response_types: [], backchannel_token_delivery_mode: 'poll',
    grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'] },
  { client_id: 'ciba-signed', redirect_uris: [], response_types: [], token_endpoint_auth_method: 'private_key_jwt', jwks: publicKeys(),
    backchannel_token_delivery_mode: 'poll', backchannel_authentication_request_signing_alg: 'ES256', grant_types: ['urn:openid:params:grant-type:ciba'] },
  client('introspect', { introspection_signed_response_alg: 'ES256' }),
  client('pairwise', { subject_type: 'pairwise' }),
  client('signed-userinfo', { userinfo_signed_response_alg: 'RS256' }),
  client('logout', { backchannel_logout_uri: `${rp}/backchannel/logout`, backchannel_logout_session_required: true }),
  client('logout-sub', { backchannel_logout_uri: `${rp}/backchannel/logout-sub`, backchannel_logout_session_required: false }),
  { client_id: 'machine', client_secret: secret, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
];
if (tlsFolder) {
  const signed = { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256', jwks: publicKeys(),
    id_token_signed_response_alg: 'PS256', authorization_signed_response_alg: 'PS256', request_object_signing_alg: 'PS256',
    tls_client_certificate_bound_access_tokens: true };
  clients.push(
    { client_id: 'fapi1', ...codeFlow, ...signed, require_signed_request_object: true },
    { client_id: 'fapi1-hybrid', ...signed, redirect_uris: ['https://rp.example.test/callback'], response_types: ['code id_token'],
      grant_types: ['authorization_code', 'implicit', 'refresh_token'], require_signed_request_object: true },
    { client_id: 'fapi-tls', ...codeFlow, ...signed, require_pushed_authorization_requests: true },
  );
  const bound = { ...codeFlow, tls_client_certificate_bound_access_tokens: true };
  clients.push(
    { client_id: 'tls', ...bound, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=relying party' },
    { client_id: 'tls-self-signed', ...bound, token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [certificateKey()] } },
  );
}

function certificateKey() {
  const certificate = new X509Certificate(tlsFile('self-signed.pem'));
  return { ...certificate.publicKey.export({ format: 'jwk' }), x5c: [certificate.raw.toString('base64')], use: 'sig', kid: 'certificate' };
}

const certificateOf = (ctx) => ctx.socket.getPeerX509Certificate?.();
const mutualTLS = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: (ctx) => certificateOf(ctx)?.toString(),
  certificateAuthorized: (ctx) => ctx.socket.authorized === true,
  certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn' && certificateOf(ctx)?.subject === expected,
};

// ---- storage ---------------------------------------------------------------

// The package's own store forgets the oldest of 1000 records; this one keeps all,
// also when the keys change.
const kept = new Map();

class Store {
  constructor(kind) { this.kind = kind; }

  key(id) { return `${this.kind}:${id}`; }

  read(key) {
    const record = kept.get(key);
    return record && (!record.until || record.until > Date.now()) ? record.value : undefined;
  }

  async upsert(id, value, seconds) { kept.set(this.key(id), { value, until: seconds ? Date.now() + seconds * 1000 : 0 }); }

  async find(id) { return this.read(this.key(id)); }

  findBy(member, wanted) {
    for (const [key, record] of kept) {
      if (key.startsWith(`${this.kind}:`) && record.value[member] === wanted) return this.read(key);
    }
    return undefined;
  }

  async findByUid(uid) { return this.findBy('uid', uid); }

  async findByUserCode(userCode) { return this.findBy('userCode', userCode); }

  async consume(id) { const value = await this.find(id); if (value) value.consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { kept.delete(this.key(id)); }

  async revokeByGrantId(grantId) {
    for (const [key, record] of kept) if (record.value.grantId === grantId) kept.delete(key);
  }
}

// ---- the provider ----------------------------------------------------------

const people = {
  alice: { name: 'Alice Adams', preferred_username: 'alice', email: 'alice@example.test', email_verified: true },
  bob: { name: 'Bób Ünïcode 名前', preferred_username: 'bob', email: 'bob@example.test', email_verified: false },
};
const cookieKeys = [randomBytes(32).toString('hex')];
const nonceSecret = randomBytes(32);

// providerKeys are for tokens, and two more for requests that are encrypted to the provider.
function providerKeys() {
  const make = (alg, type, options, use = 'sig') => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), kid: `${alg}-${randomBytes(6).toString('hex')}`, alg, use,
  });
  return [
    make('RS256', 'rsa', { modulusLength: 2048 }),
    make('PS256', 'rsa', { modulusLength: 2048 }),
    make('ES256', 'ec', { namedCurve: 'P-256' }),
    make('EdDSA', 'ed25519', {}),
    make('RSA-OAEP-256', 'rsa', { modulusLength: 2048 }, 'enc'),
    make('ECDH-ES', 'ec', { namedCurve: 'P-256' }, 'enc'),
  ];
}

function settings() {
  return {
    adapter: Store,
    clients,
    jwks: { keys: providerKeys() },
    cookies: { keys: cookieKeys },
    // Without this the package refuses to call loopback, and no logout token would
    // reach a relying party on this machine.
    fetch: (url, { dispatcher, ...rest }) => fetch(url, rest),
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
    claims: { openid: ['sub'], acr: null, amr: null, auth_time: null, profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    scopes: ['openid', 'offline_access', 'api:read'],
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_ctx, id, { sectorIdentifier }) => `pairwise-${sectorIdentifier}-${id}`,
    acrValues: ['urn:test:loa1', 'urn:test:loa2'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none',
      ...(tlsFolder ? ['tls_client_auth', 'self_signed_tls_client_auth'] : [])],
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA', 'PS256'],
    },
    responseTypes: ['code', 'code id_token', 'code token', 'code id_token token', 'id_token', 'id_token token'],
    rotateRefreshToken: true,
    ttl: { AccessToken: 300, ClientCredentials: 300, RefreshToken: 3600, IdToken: 300, Session: 3600, Grant: 3600, Interaction: 600 },
    interactions: { url: (_ctx, { uid }) => `/answer/${uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      ciba: {
        enabled: true,
        deliveryModes: ['poll', 'ping'],
        processLoginHint: async (_ctx, hint) => (people[hint] ? hint : undefined),
        validateRequestContext: async () => {},
        verifyUserCode: async () => {},
        triggerAuthenticationDevice: decide,
      },
      claimsParameter: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true, userCodeInputSource: devicePage, userCodeConfirmSource: devicePage },
      fapi: { enabled: true, profile: fapiProfile },
      introspection: { enabled: true, allowedPolicy: async () => true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      jwtUserinfo: { enabled: true },
      ...(tlsFolder ? { mTLS: mutualTLS } : {}),
      dPoP: { enabled: true, nonceSecret, requireNonce: () => true },
      encryption: { enabled: true },
      jwtResponseModes: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      registration: { enabled: true, initialAccessToken: 'an-initial-access-token' },
      registrationManagement: { enabled: true },
      requestObjects: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      // client_credentials asks for a scope of a resource, not of the provider
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, { clientId }) => (clientId === 'machine' ? 'https://api.example.test' : undefined),
        getResourceServerInfo: async () => ({ scope: 'api:read', accessTokenFormat: 'opaque' }),
      },
    },
  };
}

function fapiProfile(_ctx, client) {
  if (client?.clientId.startsWith('fapi1')) return '1.0 Final';
  return client?.clientId.startsWith('fapi') ? '2.0' : undefined;
}

// The page on which a person types or confirms the code of a device.
async function devicePage(ctx, form) { ctx.body = `<!doctype html><title>device</title>${form}`; }

// The person at the other device has decided before the answer is sent: bob says no.
async function decide(ctx, request, account, client) {
  const { provider } = ctx.oidc;
  const stored = await provider.BackchannelAuthenticationRequest.find(request.jti);
  if (account.accountId === 'bob') return provider.backchannelResult(stored, new oidc.errors.AccessDenied('the test person said no'));
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope(stored.scope);
  await grant.save();
  return provider.backchannelResult(stored, grant, { acr: 'urn:test:loa1' });
}

// Answers in place of a person. login_hint says how: "deny" refuses to log in,
// "deny-consent" logs in and then refuses to consent, anything else is the user's
// name; without it the user is alice.
async function answer(provider, { req, res }) {
  const { prompt, params, grantId, session } = await provider.interactionDetails(req, res);
  const hint = params.login_hint;
  if (hint === 'deny' || (prompt.name === 'consent' && hint === 'deny-consent')) {
    return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'the test person said no' });
  }
  if (prompt.name === 'login') {
    const accountId = people[hint] ? hint : 'alice';
    const acr = params.acr_values?.split(' ')[0] ?? 'urn:test:loa1';
    return provider.interactionFinished(req, res, { login: { accountId, acr, amr: ['pwd'] } });
  }
  const grant = (grantId && await provider.Grant.find(grantId))
    || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes = {} } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) grant.addResourceScope(resource, scopes.join(' '));
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

function build(issuer) {
  const provider = new oidc.Provider(issuer, settings());
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/answer/')) return next();
    return answer(provider, ctx);
  });
  for (const name of ['server_error', 'authorization.error', 'grant.error', 'userinfo.error', 'end_session.error', 'backchannel.error']) {
    provider.on(name, (...args) => {
      const error = args.find((value) => value instanceof Error);
      console.error(name, error?.message, error?.error_detail ?? error?.error_description ?? '');
    });
  }
  return provider.callback();
}

const server = tlsFolder
  ? https.createServer({
    cert: tlsFile('server.pem'), key: tlsFile('server-key.pem'), ca: tlsFile('ca.pem'), requestCert: true, rejectUnauthorized: false,
  })
  : http.createServer();
server.listen(Number(PORT), '127.0.0.1', () => {
  const issuer = `${tlsFolder ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  let handler = build(issuer);
  server.on('request', (req, res) => {
    if (req.method === 'POST' && req.url === '/rotate-keys') {
      handler = build(issuer);
      res.writeHead(204).end();
      return;
    }
    handler(req, res);
  });
  console.log(`ready ${issuer}`);
});
process.stdin.resume().on('end', () => process.exit(0));
