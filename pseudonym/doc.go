// Package pseudonym is for whoever stores, passes on or links people who logged
// in somewhere.
//
// An [Identity] is who a person is: an issuer and a subject, never one without
// the other. Use it as the key of a map or a table.
//
// A [Maker] derives a pseudonym of a person for one recipient: another service, a
// log, a broker's client. iSHARE asks of such a pseudonym that nobody can guess
// it, that it depends on the human, on the identity provider and on the
// recipient, and that who made it can find the human again:
//
//   - It is unpredictable, and unlinkable without the key: deterministic
//     authenticated encryption (AES-SIV, RFC 5297) or HMAC-SHA-256, under keys
//     derived from at least 256 random bits.
//   - It depends on the human and the provider: both are the plaintext, in the
//     injective text form of an Identity.
//   - It depends on the recipient, whose name is authenticated with it: two
//     recipients can't find out that they know the same person.
//   - Its maker finds the human again with [Maker.Reveal], or, where it was made
//     one-way, with a table of the people that there are and [Maker.Matches].
//   - It is the same each time for the same person and recipient, until keys
//     change; each pseudonym names its key, so that old ones stay readable.
//
// What it does not hide: that two pseudonyms of the same recipient are the same
// person (this is what it is for), which key made it, and the length of issuer
// and subject in steps of 64 bytes; a one-way pseudonym hides that too.
//
// # Construction
//
// Version 1, with K a key's secret and ‖ concatenation:
//
//	reversible  "p1r." ‖ key id ‖ "." ‖ base64url(AES-SIV(HKDF(K, "rely pseudonym v1 reversible", 64), pad(identity), "v1r" ‖ recipient))
//	one-way     "p1o." ‖ key id ‖ "." ‖ base64url(HMAC-SHA-256(HKDF(K, "rely pseudonym v1 one-way", 32), len(recipient) ‖ recipient ‖ identity))
//
// HKDF is that of RFC 5869 with SHA-256 and without salt; identity is the text of
// [Identity.MarshalText]; pad appends a byte 0x80 and zeros up to a multiple of 64
// bytes; len is eight bytes, big-endian. AES-SIV is misuse resistant: without the
// key, pseudonyms can't be told from random text, and none can be made that
// [Maker.Reveal] accepts. testdata/vectors.json has examples.
//
// # Linking
//
// [Accounts] joins identities that one person proved in one browser session to
// one account, never by e-mail address or name.
package pseudonym
