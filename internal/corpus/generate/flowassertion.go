package main

import (
	"strings"
	"time"
)

func assertionCases(_ keyring, c *collection) {
	of := func(base object, expect string) func(name, about string, change ...any) entry {
		return func(name, about string, change ...any) entry {
			return entry{name: name, expect: expect, about: about, input: toJSON(with(base, change...))}
		}
	}
	usual := object{"client": client, "key": "rsa-1", "audience": issuer, "kid": "rsa-1"}
	secret := object{"client": client, "secret": strings.Repeat("secret-1", 4), "alg": "HS256", "audience": issuer}
	ok, bad := of(usual, "ok"), of(usual, "refused")
	okSecret, badSecret := of(secret, "ok"), of(secret, "refused")
	c.addAll("assertion", "T03",
		okSecret("secret of 32", "a secret as long as the hash"),
		okSecret("secret of 64", "a secret as long as the hash", "secret", strings.Repeat("secret-1", 8), "alg", "HS512"),
		badSecret("secret of 31", "a byte less than the hash", "secret", strings.Repeat("s", 31)),
		badSecret("secret of 47 for 384", "a byte less than the hash", "secret", strings.Repeat("s", 47), "alg", "HS384"),
		badSecret("secret of 63 for 512", "a byte less than the hash", "secret", strings.Repeat("s", 63), "alg", "HS512"),
		badSecret("empty secret", "no secret", "secret", ""),
		badSecret("secret and key", "a secret and a key", "key", "rsa-1"),
		badSecret("secret for rs256", "a secret for an algorithm with public keys", "alg", "RS256"),
		badSecret("secret with chain", "a secret and a naming by certificate", "naming", "x5c"),
	)
	for alg, key := range map[string]string{
		"RS256": "rsa-1", "RS384": "rsa-1", "RS512": "rsa-1", "PS256": "rsa-1", "PS384": "rsa-1", "PS512": "rsa-1",
		"ES256": "ec-1", "ES384": "ec-384", "ES512": "ec-521", "EdDSA": "ed-1",
	} {
		c.addAll("assertion", "T04", ok("good "+alg, "a key of its algorithm", "key", key, "alg", alg))
	}
	c.addAll("assertion", "T04",
		ok("algorithm of the key", "no algorithm named"),
		bad("none", "no signature", "alg", "none"),
		bad("unknown algorithm", "an algorithm that nobody knows", "alg", "RS257"),
		bad("algorithm in lower case", "rs256 is not RS256", "alg", "rs256"),
		bad("rsa for es256", "another kind of key", "alg", "ES256"),
		bad("ec for rs256", "another kind of key", "key", "ec-1", "alg", "RS256"),
		bad("p-256 for es384", "another curve", "key", "ec-1", "alg", "ES384"),
		bad("p-224", "a curve that no algorithm has", "key", "ec-224"),
		bad("ed for es256", "another kind of key", "key", "ed-1", "alg", "ES256"),
		bad("key for hs256", "a key in the place of a secret", "alg", "HS256"),
		bad("rsa of 1024", "a key that is too short", "key", "rsa-1024"),
	)
	c.addAll("assertion", "T55",
		ok("audience", "the issuer, as one string"),
		ok("audience with slash", "an issuer that ends in a slash", "audience", issuer+"/"),
		bad("no audience", "an assertion for nobody", "audience", ""),
	)
	c.addAll("assertion", "T59",
		entry{name: "nothing", expect: "refused", about: "nothing is configured", input: "{}"},
		bad("no client", "no client id", "client", ""),
		bad("no key", "no key", "key", gone{}),
		bad("unknown naming", "a naming that is none", "naming", "jwk"),
	)
	c.addAll("assertion", "T22",
		ok("short", "a second", "lifetime", 1),
		ok("long", "five minutes", "lifetime", 300),
		ok("dated back", "iat three seconds ago, and nbf", "backdate", 3, "nbf", true),
		bad("longer", "a second more than five minutes", "lifetime", 301),
		bad("negative lifetime", "an assertion that has ended", "lifetime", -1),
		bad("dated ahead", "iat in the future", "backdate", -1),
		bad("dated back too far", "four seconds", "backdate", 4),
	)
}

// certificateCases are about whose the certificates are.
func certificateCases(k keyring, c *collection) {
	p := k.pki()
	config := func(name, expect, about, key string, chain []holder, change ...any) entry {
		var text strings.Builder
		for _, h := range chain {
			text.WriteString(h.pem())
		}
		base := object{"client": party, "key": key, "audience": issuer, "naming": "x5c", "certificates": text.String()}
		return entry{name: name, expect: expect, about: about, input: toJSON(with(base, change...))}
	}
	good := []holder{p.rsa, p.sub, p.root}
	expired := issue(&p.sub, "leaf", k["rsa-1"], names(organization, ""), until(-time.Second))
	early := issue(&p.sub, "leaf", k["rsa-1"], names(organization, ""), from(time.Second))
	oldSub := issue(&p.root, "sub", k["sub"], authority, until(-time.Second))
	c.addAll("assertion", "T05",
		config("chain", "ok", "the chain of the key", "rsa-1", good),
		config("chain of ec", "ok", "the chain of an EC key", "ec-1", []holder{p.ec, p.sub, p.root}),
		config("bound chain", "ok", "the leaf names the client", "rsa-1", good, "bind", true),
		config("thumbprint", "ok", "the leaf by its thumbprint", "rsa-1", good, "naming", "x5t#S256"),
		config("chain of another key", "refused", "another key's chain", "rsa-2", good),
		config("chain of another kind", "refused", "an EC key with an RSA chain", "ec-1", good),
		config("no chain", "refused", "no certificate", "rsa-1", nil, "certificates", gone{}),
		config("root first", "refused", "the root first", "rsa-1", []holder{p.root, p.sub, p.rsa}),
		config("without root", "refused", "the root left out", "rsa-1", good[:2]),
		config("without middle", "refused", "the middle left out", "rsa-1", []holder{p.rsa, p.root}),
		config("out of order", "refused", "the root before the middle", "rsa-1", []holder{p.rsa, p.root, p.sub}),
		config("eleven certificates", "refused", "the root nine times", "rsa-1", append([]holder{p.rsa, p.sub}, p.root, p.root, p.root, p.root, p.root, p.root, p.root, p.root, p.root)),
		config("expired leaf", "refused", "a leaf that ended a second ago", "rsa-1", []holder{expired, p.sub, p.root}),
		config("leaf not yet", "refused", "a leaf that begins in a second", "rsa-1", []holder{early, p.sub, p.root}),
		config("expired middle", "refused", "an authority that ended a second ago", "rsa-1", []holder{p.rsa, oldSub, p.root}),
		config("bound to another", "refused", "the leaf names another party", "rsa-1", good, "bind", true, "client", parties+"NTRNL-12345679"),
		config("bound and not sent", "refused", "bound by a certificate that is not sent", "rsa-1", good, "bind", true, "naming", gone{}),
	)
}
