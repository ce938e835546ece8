// Makes the test clients' private keys: one JSON file of JWKs, by the names that
// op.mjs and the Go tests use. The provider reads only the public halves.
//   node genkeys.mjs FILE
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';

function pair(alg, type, options, use = 'sig') {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: `client-${alg}`, alg, use };
}

const keys = {
  RS256: pair('RS256', 'rsa', { modulusLength: 2048 }),
  PS256: pair('PS256', 'rsa', { modulusLength: 2048 }),
  ES256: pair('ES256', 'ec', { namedCurve: 'P-256' }),
  EdDSA: pair('EdDSA', 'ed25519', {}),
  'RSA-OAEP-256': pair('RSA-OAEP-256', 'rsa', { modulusLength: 2048 }, 'enc'),
  'ECDH-ES': pair('ECDH-ES', 'ec', { namedCurve: 'P-256' }, 'enc'),
};
writeFileSync(process.argv[2], JSON.stringify(keys, null, 1), { mode: 0o600 });
