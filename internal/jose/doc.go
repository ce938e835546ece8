// Package jose has the JWS compact serialisation (RFC 7515) and the signature
// algorithms of JWA (RFC 7518 §3, RFC 8037) over the standard library's
// cryptography: what deciding on a token needs, and nothing else.
//
// There is no "none", and no key is ever taken from a header.
package jose
