// Package jwe decrypts JWEs in compact serialisation (RFC 7516) as a relying
// party gets them: with the key management of RFC 7518 §4 that uses a public key
// (RSA-OAEP-256, RSA-OAEP, ECDH-ES with and without key wrap; RFC 8037 §3.2 for
// X25519) and the content encryption of §5.
//
// There is no RSA1_5, dir, PBES2, symmetric key wrap or compression, and no key is
// taken from a header but the sender's ephemeral one. Once a key was used, all
// failures are one error and take one time: whoever sends tokens and watches
// learns nothing from them about the key.
//
// That a JWE could be decrypted says nothing about who made it: anyone can who
// has the public key. What is inside must be a signed token, and be verified.
package jwe
