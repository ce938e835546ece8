package conformance

import (
	"crypto"
	"net/http"
	"slices"
	"strings"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authMethods are what an OP can be made to demand (OpenID Connect Core §9, RFC 8705 §2).
var authMethods = []string{"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"}

// besides reports whether a call authenticates its client in another way than by the
// named parameters.
func besides(c *Call, names ...string) bool {
	return c.Header.Get("Authorization") != "" || slices.ContainsFunc([]string{"client_secret", "client_assertion", "client_assertion_type"}, func(name string) bool {
		return c.Form.Has(name) && !slices.Contains(names, name)
	})
}

// SecretPosted authenticates the client by client_secret_post.
func SecretPosted(op *OP, c *Call) bool {
	return c.Form.Get("client_id") == op.Client.ID && c.Form.Get("client_secret") == op.Client.Secret && !besides(c, "client_secret")
}

// Unauthenticated takes a public client, which has to prove the challenge of its code
// (RFC 9700 §2.1.1).
func Unauthenticated(op *OP, c *Call) bool {
	return c.Form.Get("client_id") == op.Client.ID && !besides(c) && (c.Form.Get("grant_type") != "authorization_code" || c.Form.Has("code_verifier"))
}

// AssertedBy authenticates the client by private_key_jwt, or with the secret as the key by
// client_secret_jwt (OpenID Connect Core §9), in the form that FAPI 2.0 §5.3.3.1 gives it:
// one audience, the issuer. Each is good once.
func AssertedBy(key crypto.PublicKey) func(*OP, *Call) bool {
	used := map[any]bool{}
	return func(op *OP, c *Call) bool {
		_, claims, ok := ReadJWT(c.Form.Get("client_assertion"), func(map[string]any) crypto.PublicKey { return key })
		exp, _ := claims["exp"].(float64)
		id := claims["jti"]
		good := ok && c.Form.Get("client_assertion_type") == assertionType && !besides(c, "client_assertion", "client_assertion_type") &&
			claims["iss"] == op.Client.ID && claims["sub"] == op.Client.ID && claims["aud"] == op.Issuer &&
			exp > float64(op.Now.Unix()) && id != nil && !used[id]
		used[id] = true
		return good
	}
}

// CertifiedBy authenticates the client by its certificate in TLS (RFC 8705 §2).
func CertifiedBy(certificate []byte) func(*OP, *Call) bool {
	return func(op *OP, c *Call) bool {
		return shown(c) == string(certificate) && c.Form.Get("client_id") == op.Client.ID && !besides(c)
	}
}

// shown returns the certificate of a call's TLS connection, "" without one.
func shown(c *Call) string {
	if c.Request.TLS == nil || len(c.Request.TLS.PeerCertificates) == 0 {
		return ""
	}
	return string(c.Request.TLS.PeerCertificates[0].Raw)
}

// DemandCertificates binds an OP's tokens to the certificate of the token request (RFC
// 8705 §3).
func (op *OP) DemandCertificates() {
	op.bind("Bearer", func(c *Call, _ string) (string, *Answer) {
		if shown(c) == "" {
			return "", refusal(http.StatusUnauthorized, "invalid_token")
		}
		return shown(c), nil
	})
}

// bind makes tokens good for those who got them. judge says by a call who makes it,
// with an access token or, at the token endpoint, without; or it refuses the call.
func (op *OP) bind(tokenType string, judge func(c *Call, access string) (holder string, refused *Answer)) {
	holders := map[string]string{}
	op.Handle(Token, "/token", "token_endpoint", func(op *OP, c *Call) *Answer {
		holder, refused := judge(c, "")
		if refused != nil {
			return refused
		}
		a := op.token(c)
		if access, ok := a.Members["access_token"].(string); ok {
			holders[access] = holder
			a.Members["token_type"] = tokenType
		}
		return a
	})
	guarded := func(answer func(*Grant) map[string]any) func(*OP, *Call) *Answer {
		return func(op *OP, c *Call) *Answer {
			access, ok := strings.CutPrefix(c.Header.Get("Authorization"), tokenType+" ")
			if !ok || op.grants[access] == nil {
				return challenge(tokenType, refusal(http.StatusUnauthorized, "invalid_token"))
			}
			holder, refused := judge(c, access)
			switch {
			case refused != nil:
				return challenge(tokenType, refused)
			case holders[access] != holder:
				return challenge(tokenType, refusal(http.StatusUnauthorized, "invalid_token"))
			}
			return object(answer(op.grants[access]))
		}
	}
	op.Handle(UserInfo, "/userinfo", "userinfo_endpoint", guarded(op.Person))
	op.Handle(Accounts, "/accounts", "", guarded(accountsOf))
}

// challenge makes a refusal one of an API (RFC 6750 §3, RFC 9449 §7.1).
func challenge(scheme string, a *Answer) *Answer {
	a.Status = http.StatusUnauthorized
	if a.Header == nil {
		a.Header = http.Header{}
	}
	code, _ := a.Members["error"].(string)
	a.Header.Set("WWW-Authenticate", scheme+` error="`+code+`"`)
	return a
}

// accountsOf is what the accounts endpoint says, the API of the FAPI modules.
func accountsOf(g *Grant) map[string]any {
	return map[string]any{"accounts": []any{map[string]any{"owner": g.Subject}}}
}

func (op *OP) accounts(c *Call) *Answer {
	access, _ := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	if g := op.grants[access]; g != nil {
		return object(accountsOf(g))
	}
	return challenge("Bearer", refusal(http.StatusUnauthorized, "invalid_token"))
}
