package main

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// sealingKey is the application's; strangeKey is somebody else's.
const (
	sealingKey = "sealing-key-of-the-corpus-000001"
	strangeKey = "sealing-key-of-somebody-else-001"
)

// sealed makes a sealed text: "v1.", and in base64url the id of the key, a salt
// and what AES-256-GCM makes of the text, under a key of HKDF from salt and
// purpose. The salt depends on all of it, so that files don't change.
func sealed(key, purpose, text, bound string) string {
	id := must(hkdf.Key(sha256.New, []byte(key), nil, "rely key id", 4))
	salt := digest(crypto.SHA256, key+"\n"+purpose+"\n"+bound+"\n"+text)[:24]
	block := must(aes.NewCipher(must(hkdf.Key(sha256.New, []byte(key), salt, "rely seal "+purpose, 32))))
	aead := must(cipher.NewGCM(block))
	return "v1." + encode(aead.Seal(append(id, salt...), make([]byte, 12), []byte(text), []byte(bound)))
}

// loginText is the stored form of a login with changes.
func loginText(change ...any) string {
	return toJSON(with(object{
		"v": 1, "client_id": client, "iss": issuer, "redirect_uri": "https://rp.example/callback/op", "state": state, "nonce": nonce,
		"code_verifier": strings.Repeat("verifier-", 5), "scopes": []string{"openid"}, "exp": time.Unix(now+600, 0).UTC().Format(time.RFC3339),
	}, change...))
}

// sessionText is the stored form of a session, with changes by name.
func sessionText(k keyring, change ...any) string {
	f := idTokenFamily()
	o := with(object{"v": 5, "sub": subject, "id_token": f.sign(k, token{})}, change...)
	return packed(o["v"], client, issuer, o["sub"], o["id_token"], "", "", accessToken, "", []string{}, 0, nanoseconds(now), nanoseconds(now), "", "", "", "", 0, "", "", "", []string{}, 0)
}

func pendingText(text string) string { return sealed(sealingKey, "pending", text, "") }

func pendingCases(k keyring, c *collection) {
	good := pendingText(loginText())
	refused := func(name, expect, about, input string) entry {
		return entry{name: name, expect: expect, about: about, input: input}
	}
	inside := func(name, about, text string) entry { return refused(name, "sealed", about, pendingText(text)) }
	last := good[:len(good)-1]
	c.addAll("pending", "T38",
		entry{name: "good", about: "the login of this browser", input: good},
		refused("tampered version", "sealed", "another version of the seal", "v2."+good[3:]),
		refused("no version", "sealed", "without the version", good[3:]),
		refused("tampered key id", "sealed", "the id of another key", "v1."+pendingOf(strangeKey)[3:8]+good[8:]),
		refused("own key id before another seal", "sealed", "what another key sealed under the id of ours", good[:8]+pendingOf(strangeKey)[8:]),
		refused("tampered salt", "sealed", "a character of the salt", good[:20]+other(good[20])+good[21:]),
		refused("tampered text", "sealed", "a character of the text", good[:80]+other(good[80])+good[81:]),
		refused("tampered tag", "sealed", "a character of the tag", good[:len(good)-10]+other(good[len(good)-10])+good[len(good)-9:]),
		refused("another last character", "sealed", "the last character", last+other(good[len(good)-1])),
		refused("another key", "sealed", "somebody else's key", pendingOf(strangeKey)),
		refused("truncated", "sealed", "half of it", good[:len(good)/2]),
		refused("only a version", "sealed", "nothing behind the version", "v1."),
		refused("only a head", "sealed", "a key id and a salt", good[:3+38]),
		refused("no tag", "sealed", "without the tag", good[:len(good)-22]),
		refused("empty", "sealed", "nothing", ""),
		refused("megabyte", "sealed", "a mebibyte of text", "v1."+strings.Repeat("AAAA", 1<<18)),
		refused("doubled", "sealed", "the same twice", good+good),
		refused("padded", "sealed", "padding behind it", good+"="),
		refused("line feed behind", "sealed", "a line feed behind it", good+"\n"),
		refused("line feed inside", "sealed", "a line feed in it", good[:40]+"\n"+good[40:]),
		refused("other alphabet", "sealed", "base64 with + and /", strings.NewReplacer("-", "+", "_", "/").Replace(good)+"+"),
		refused("plain json", "sealed", "the login unsealed", loginText()),
		refused("plain json in base64", "sealed", "the login in base64url", "v1."+encode([]byte(loginText()))),
		refused("jwt", "sealed", "a signed token", idTokenFamily().sign(k, token{})),
		refused("bound", "sealed", "sealed with bound data", sealed(sealingKey, "pending", loginText(), "x")),
	)
	c.addAll("pending", "T28",
		refused("a session", "sealed", "a sealed session", sealed(sealingKey, "session", beside("", sessionText(k)), "")),
		refused("login as session", "sealed", "a login sealed as a session", sealed(sealingKey, "session", beside("", loginText()), "")),
		inside("session as login", "a session sealed as a login", sessionText(k)),
		refused("part of a cookie", "sealed", "sealed for the cookie's second part", sealed(sealingKey, "weblogin login", loginText(), "")),
		refused("no purpose", "sealed", "sealed for no purpose", sealed(sealingKey, "", loginText(), "")),
	)
	c.addAll("pending", "T29",
		inside("another version inside", "a login of a later version", loginText("v", 2)),
		inside("version 0", "a login of no version", loginText("v", gone{})),
		inside("unknown member", "a member of another version", loginText("admin", true)),
		inside("double member", "a member twice", strings.Replace(loginText(), "{", `{"state":"x",`, 1)),
		inside("member in upper case", "State is not state", strings.Replace(loginText(), `"state"`, `"State"`, 1)),
		inside("no json", "a text that is no JSON", "v=1"),
		inside("empty inside", "an empty text", ""),
		inside("trailing data", "another login behind it", loginText()+loginText()),
	)
	c.addAll("pending", "T30",
		refused("another client", "pending", "another client's login", pendingText(loginText("client_id", "client-2"))),
		refused("another issuer", "pending", "a login at another provider", pendingText(loginText("iss", "https://evil.example"))),
		refused("another state", "state", "another login", pendingText(loginText("state", "state-of-another-login"))),
		refused("empty state", "state", "a login without state", pendingText(loginText("state", ""))),
		refused("expired", "expired", "a login that ends now", pendingText(loginText("exp", time.Unix(now, 0).UTC().Format(time.RFC3339)))),
		refused("no expiry", "expired", "a login without end of its time", pendingText(loginText("exp", "0001-01-01T00:00:00Z"))),
		entry{name: "last second", about: "a login that ends in a second", input: pendingText(loginText("exp", time.Unix(now+1, 0).UTC().Format(time.RFC3339)))},
	)
}

func pendingOf(key string) string { return sealed(key, "pending", loginText(), "") }

// other returns another character of base64url.
func other(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

// cookieName is that of a login's cookie.
func cookieName(state string) string {
	return "__Host-rely-login-" + hex.EncodeToString(digest(crypto.SHA256, state)[:16])
}
