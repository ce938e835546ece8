package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

func metadataFaults() []Misbehaviour {
	issuer := func(name, about string, change func(string) string) Misbehaviour {
		return Misbehaviour{
			Name: "discovery " + name, About: about, Class: "T54", Step: "discovery", Check: "issuer",
			fault: fault{step: StepDiscovery, answer: editObject(func(p *Provider, m map[string]any) { m["issuer"] = change(p.Issuer()) })},
		}
	}
	return []Misbehaviour{
		issuer("other issuer", "The metadata name another issuer.", func(string) string { return "https://other.example" }),
		issuer("issuer with slash", "The metadata name the issuer with a final slash.", func(s string) string { return s + "/" }),
	}
}

// editObject changes the members of an honest JSON answer.
func editObject(change func(*Provider, map[string]any)) answerFunc {
	return func(p *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
		m := map[string]any{}
		if err := json.Unmarshal(honest.body.Bytes(), &m); err == nil {
			change(p, m)
		}
		body, err := json.Marshal(m)
		if err != nil {
			honest.status = http.StatusInternalServerError
		}
		honest.send(w, body)
	}
}

func callbackFaults() []Misbehaviour {
	at := func(name, check, class, about string, change func(url.Values)) Misbehaviour {
		return Misbehaviour{Name: "callback " + name, About: about, Class: class, Step: "callback", Check: check, fault: fault{callback: change}}
	}
	twice := func(name string) Misbehaviour {
		return at("two "+name, "parameters", "T36", "The browser brings "+name+" twice.", func(v url.Values) { v.Add(name, v.Get(name)) })
	}
	return []Misbehaviour{
		twice("state"), twice("code"), twice("iss"),
		at("no state", "state", "T30", "The browser brings no state.", func(v url.Values) { v.Del("state") }),
		at("other state", "state", "T30", "The browser brings the state of another login.", func(v url.Values) { v.Set("state", "other") }),
		at("no iss", "iss", "T33", "The answer lacks the iss that the metadata promise.", func(v url.Values) { v.Del("iss") }),
		at("mix-up", "iss", "T33", "The answer is another issuer's.", func(v url.Values) { v.Set("iss", "https://other.example") }),
		at("error and code", "parameters", "T36", "The browser brings both a code and an error.", func(v url.Values) { v.Set("error", "access_denied") }),
		at("no code", "code", "T36", "The browser brings neither a code nor an error.", func(v url.Values) { v.Del("code") }),
	}
}

func tokenFaults() []Misbehaviour {
	at := func(name, class, step, check, about, grant string, change func(map[string]any)) Misbehaviour {
		return Misbehaviour{Name: name, About: about, Class: class, Step: step, Check: check, fault: fault{issue: func(_ *Provider, i *Issue) {
			if i.Step == StepToken && i.Grant == grant {
				change(i.Answer)
			}
		}}}
	}
	answer := func(name, class, step, about, grant string, give answerFunc) Misbehaviour {
		return Misbehaviour{Name: name, About: about, Class: class, Step: step, fault: fault{step: StepToken, grant: grant, answer: give}}
	}
	return []Misbehaviour{
		at("token type", "T53", "code exchange", "token_type", "The token is not of type Bearer.", "authorization_code", func(m map[string]any) { m["token_type"] = "mac" }),
		at("no access token", "T53", "code exchange", "", "The answer has no access token.", "authorization_code", func(m map[string]any) { delete(m, "access_token") }),
		at("refresh no access token", "T53", "refresh", "", "The refreshed answer has no access token.", "refresh_token", func(m map[string]any) { delete(m, "access_token") }),
		answer("token code used before", "T30", "code exchange", "The provider says that the code was used before.", "authorization_code", refuseGrant),
		answer("refresh token used before", "T37", "refresh", "The provider says that the refresh token was used before.", "refresh_token", refuseGrant),
		answer("token member twice", "T29", "code exchange", "The answer has an access token twice.", "authorization_code", memberTwice),
		at("access token as ID token", "T27", "identity", "shape", "The access token is in the place of the ID token.", "authorization_code", func(m map[string]any) { m["id_token"] = m["access_token"] }),
	}
}

func refuseGrant(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	honest.status = http.StatusBadRequest
	honest.send(w, []byte(`{"error":"invalid_grant","error_description":"not now"}`))
}

func memberTwice(_ *Provider, w http.ResponseWriter, _ *http.Request, honest *heldAnswer) {
	honest.send(w, append([]byte(`{"access_token":"not now",`), honest.body.Bytes()[1:]...))
}

// identityFaults issue ID tokens that must not be believed.
func identityFaults() []Misbehaviour {
	at := func(name, check, class, about string, change func(*Provider, *Issue)) Misbehaviour {
		return Misbehaviour{Name: "ID token " + name, About: about, Class: class, Step: "identity", Check: check, fault: fault{issue: func(p *Provider, i *Issue) {
			if i.Step == StepToken && i.Grant == "authorization_code" {
				change(p, i)
			}
		}}}
	}
	claim := func(name, claim, check, class, about string, value any) Misbehaviour {
		return at(name, check, class, about, func(_ *Provider, i *Issue) { i.Claims[claim] = value })
	}
	header := func(name, member, check, class, about string, value any) Misbehaviour {
		return at(name, check, class, about, func(_ *Provider, i *Issue) { i.Header[member] = value })
	}
	return []Misbehaviour{
		header("alg none", "alg", "shape", "T01", "The token is not signed, and its third part is empty.", "none"),
		at("alg none with signature", "header", "T01", "The token says that it is not signed, and is.", func(_ *Provider, i *Issue) {
			i.Header["alg"] = "none"
			i.Rewrite = func(unsigned string) string { return unsigned + "AAAA" }
		}),
		at("HS256 with public key", "header", "T02", "The token is authenticated with the public keys as a secret.", func(p *Provider, i *Issue) { i.Header["alg"], i.Secret = "HS256", p.JWKS() }),
		header("access token type", "typ", "header", "T28", "The token's typ is an access token's.", "at+jwt"),
		header("unknown kid", "kid", "key", "T13", "The token names a key that nobody has published.", "no such key"),
		at("foreign key", "signature", "T09", "The token is signed with a key that is not the issuer's.", foreignKey),
		at("flipped signature", "signature", "T09", "A bit of the signature is wrong.", func(_ *Provider, i *Issue) { i.Rewrite = flipSignature }),
		claim("other issuer", "iss", "iss", "T20", "The token is another issuer's.", "https://other.example"),
		at("issuer with slash", "iss", "T20", "The issuer has a final slash.", func(p *Provider, i *Issue) { i.Claims["iss"] = p.Issuer() + "/" }),
		claim("other audience", "aud", "aud", "T21", "The token is for another client.", "foreign-client"),
		at("further audience", "aud", "T21", "The token is for this client and another one.", func(_ *Provider, i *Issue) { i.Claims["aud"] = []any{i.Claims["aud"], "foreign-client"} }),
		claim("other azp", "azp", "azp", "T21", "The token was issued to another client.", "foreign-client"),
		at("expired", "exp", "T22", "The token has expired a day ago.", func(p *Provider, i *Issue) { i.Claims["exp"] = p.now().Add(-24 * time.Hour).Unix() }),
		at("future", "iat", "T22", "The token was issued a day from now.", func(p *Provider, i *Issue) {
			i.Claims["iat"], i.Claims["exp"] = p.now().Add(24*time.Hour).Unix(), p.now().Add(25*time.Hour).Unix()
		}),
		at("no subject", "sub", "T23", "The token has no subject.", func(_ *Provider, i *Issue) { delete(i.Claims, "sub") }),
		claim("subject a number", "sub", "sub", "T23", "The subject is a number.", 1),
		claim("other nonce", "nonce", "nonce", "T24", "The token is of another login.", "other"),
		claim("other access token", "at_hash", "at_hash", "T25", "The token belongs to another access token.", "AAAAAAAAAAAAAAAAAAAAAA"),
	}
}

func foreignKey(_ *Provider, i *Issue) {
	if key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err == nil {
		i.Key = key
		i.Header["alg"] = "ES256"
	}
}

// flipSignature changes the first character of the signature, whose bits all count.
func flipSignature(compact string) string {
	dot := strings.LastIndexByte(compact, '.')
	first := "A"
	if strings.HasPrefix(compact[dot+1:], "A") {
		first = "B"
	}
	return compact[:dot+1] + first + compact[dot+2:]
}

func userInfoFaults() []Misbehaviour {
	return []Misbehaviour{{
		Name: "userinfo other subject", About: "The userinfo is about somebody else.", Class: "T23", Step: "userinfo", Check: "userinfo sub",
		fault: fault{issue: func(_ *Provider, i *Issue) {
			if i.Step == StepUserInfo {
				i.Claims["sub"] = "foreign-subject"
			}
		}},
	}}
}

// refreshFaults answer a refresh with somebody else's token (Core §12.2).
func refreshFaults() []Misbehaviour {
	at := func(name, claim, check string, value any) Misbehaviour {
		return Misbehaviour{
			Name: "refresh other " + name, About: "The refreshed token has another " + claim + ".", Class: "T37", Step: "refresh", Check: check,
			fault: fault{issue: func(_ *Provider, i *Issue) {
				if i.Step == StepToken && i.Grant == "refresh_token" {
					i.Claims[claim] = value
				}
			}},
		}
	}
	return []Misbehaviour{
		at("subject", "sub", "refresh", "foreign-subject"), at("issuer", "iss", "iss", "https://other.example"),
		at("audience", "aud", "aud", "foreign-client"), at("login", "auth_time", "refresh", 1),
	}
}
