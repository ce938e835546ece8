package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// ReadProof returns the claims of a DPoP proof and the thumbprint of its key; ok is
// false of one whose signature does not hold under the key in its own header (RFC
// 9449 §4.3).
func ReadProof(compact string) (claims map[string]any, thumbprint string, ok bool) {
	decode := func(member any) []byte {
		text, _ := member.(string)
		raw, _ := base64.RawURLEncoding.DecodeString(text) // a wrong length is no point
		return raw
	}
	header, claims, ok := ReadJWT(compact, func(header map[string]any) crypto.PublicKey {
		jwk, _ := header["jwk"].(map[string]any)
		point := append([]byte{4}, append(decode(jwk["x"]), decode(jwk["y"])...)...)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil || jwk["d"] != nil {
			return struct{}{} // a key of no algorithm
		}
		x, _ := jwk["x"].(string)
		y, _ := jwk["y"].(string)
		sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`)) // RFC 7638 §3
		thumbprint = number(sum[:])
		return key
	})
	return claims, thumbprint, ok && header["typ"] == "dpop+jwt" && thumbprint != ""
}

// DemandProofs makes an OP bind its tokens to the proofs of their requests. Each proof
// needs the nonce that next made of the last one; without nonces, next returns "".
func (op *OP) DemandProofs(next func(last string) string) {
	nonce, bound := next(""), map[string]string{}
	judge := func(c *Call, access string) *Answer {
		claims, thumbprint, ok := ReadProof(c.Header.Get("DPoP"))
		sum := sha256.Sum256([]byte(access))
		switch {
		case !ok || claims["htm"] != c.Method || claims["htu"] != op.URL+c.Path || claims["jti"] == nil,
			access != "" && (claims["ath"] != number(sum[:]) || bound[access] != thumbprint):
			return refusal(http.StatusBadRequest, "invalid_dpop_proof")
		case nonce != "" && claims["nonce"] != nonce:
			nonce = next(nonce)
			a := refusal(http.StatusBadRequest, "use_dpop_nonce")
			a.Header = http.Header{"Dpop-Nonce": {nonce}}
			return a
		}
		return nil
	}
	op.Handle(Token, "/token", "token_endpoint", func(op *OP, c *Call) *Answer {
		if refused := judge(c, ""); refused != nil {
			return refused
		}
		a := op.token(c)
		if access, ok := a.Members["access_token"].(string); ok {
			_, bound[access], _ = ReadProof(c.Header.Get("DPoP"))
			a.Members["token_type"] = "DPoP"
		}
		return a
	})
	op.Handle(UserInfo, "/userinfo", "userinfo_endpoint", func(op *OP, c *Call) *Answer {
		access, isBound := strings.CutPrefix(c.Header.Get("Authorization"), "DPoP ")
		refused := judge(c, access)
		switch {
		case !isBound || op.grants[access] == nil:
			return refusal(http.StatusUnauthorized, "invalid_token")
		case refused != nil:
			refused.Status = http.StatusUnauthorized
			if refused.Header == nil {
				refused.Header = http.Header{}
			}
			code, _ := refused.Members["error"].(string)
			refused.Header.Set("WWW-Authenticate", `DPoP error="`+code+`"`)
			return refused
		}
		return object(op.Person(op.grants[access]))
	})
}
