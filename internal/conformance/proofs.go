package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// ReadProof returns the claims of a DPoP proof and the thumbprint of its key; ok is
// false of one whose signature does not hold under the key in its own header (RFC
// 9449 §4.3).
func ReadProof(compact string) (claims map[string]any, thumbprint string, ok bool) {
	header, claims, ok := ReadJWT(compact, func(header map[string]any) crypto.PublicKey {
		jwk, _ := header["jwk"].(map[string]any)
		key, ok := publicKey(jwk)
		if !ok {
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

// publicKey reads a public JWK of P-256.
func publicKey(jwk map[string]any) (crypto.PublicKey, bool) {
	decode := func(member any) []byte {
		text, _ := member.(string)
		raw, _ := base64.RawURLEncoding.DecodeString(text) // a wrong length is no point
		return raw
	}
	point := append([]byte{4}, append(decode(jwk["x"]), decode(jwk["y"])...)...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	return key, err == nil && jwk["d"] == nil
}

// DemandProofs makes an OP bind its tokens to the proofs of their requests. Each proof
// needs the nonce that next made of the last one; without nonces, next returns "". The
// token endpoint and those that take access tokens have one each, as servers of their
// own would (RFC 9449 §8, §9).
func (op *OP) DemandProofs(next func(last string) string) {
	nonces, used := map[bool]string{false: next(""), true: next("")}, map[any]bool{}
	op.bind("DPoP", func(c *Call, access string) (string, *Answer) {
		claims, thumbprint, ok := ReadProof(c.Header.Get("DPoP"))
		sum, nonce := sha256.Sum256([]byte(access)), nonces[access != ""]
		switch {
		case !ok || claims["htm"] != c.Method || claims["htu"] != op.URL+c.Path || claims["jti"] == nil || used[claims["jti"]],
			access != "" && claims["ath"] != number(sum[:]):
			return "", refusal(http.StatusBadRequest, "invalid_dpop_proof")
		case nonce != "" && claims["nonce"] != nonce:
			nonce = next(nonce)
			nonces[access != ""] = nonce
			a := refusal(http.StatusBadRequest, "use_dpop_nonce")
			a.Header = http.Header{"Dpop-Nonce": {nonce}}
			return "", a
		}
		used[claims["jti"]] = true
		return thumbprint, nil
	})
}
