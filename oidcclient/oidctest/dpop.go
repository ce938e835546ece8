package oidctest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The windows within which a proof and a nonce are good.
const (
	proofLifetime = time.Minute
	nonceLifetime = 5 * time.Minute
)

// proofAlgs are the algorithms of proofs (RFC 9449 §5.1).
func proofAlgs() []string { return []string{"ES256", "PS256", "EdDSA"} }

// proof checks the proof of possession of a request to the provider's own endpoint
// (RFC 9449 §4.3), and returns the thumbprint of its key; "" without a proof. accessToken is the one that
// is sent beside it, or "". The answer gets a new nonce where they are demanded.
func (p *Provider) proof(w http.ResponseWriter, r *http.Request, step Step, accessToken string) (string, *refusal) {
	proofs := r.Header.Values("DPoP")
	if len(proofs) == 0 || !p.desc.proofs {
		return "", nil
	}
	bad := refuse("invalid_dpop_proof", "proof is not valid")
	if len(proofs) > 1 {
		return "", bad
	}
	t, err := parseJWT(proofs[0])
	if err != nil || text(t.header, "typ") != "dpop+jwt" || !slices.Contains(proofAlgs(), t.alg()) || t.header["crit"] != nil {
		return "", bad
	}
	jwk, _ := t.header["jwk"].(map[string]any)
	key, thumbprint := publicKey(jwk)
	if key == nil || !t.verify(key) {
		return "", bad
	}
	now := p.now()
	issued, ok := seconds(t.claims, "iat")
	late := now.Sub(time.Unix(issued, 0))
	if !ok || late > proofLifetime || late < -proofLifetime {
		return "", bad
	}
	if text(t.claims, "htm") != r.Method || text(t.claims, "htu") != p.endpointURL(step) {
		return "", bad
	}
	sum := sha256.Sum256([]byte(accessToken))
	if accessToken != "" && text(t.claims, "ath") != b64.EncodeToString(sum[:]) {
		return "", bad
	}
	if p.config.DPoPNonces {
		known := p.spendNonce(text(t.claims, "nonce"))
		w.Header().Set("DPoP-Nonce", p.newNonce())
		if !known {
			return "", refuse("use_dpop_nonce", "proof needs the nonce of this answer")
		}
	}
	if jti := text(t.claims, "jti"); jti == "" || p.seenBefore("dpop "+jti, 2*proofLifetime) {
		return "", bad
	}
	return thumbprint, nil
}

// spendNonce reports whether a nonce was given out and not used yet.
func (p *Provider) spendNonce(nonce string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.state.nonces.take(p.now(), nonce)
	return ok
}

func (p *Provider) newNonce() string {
	nonce := random(16)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.nonces.put(p.now(), nonce, struct{}{}, nonceLifetime)
	return nonce
}

// publicKey reads the public key of a proof and makes its thumbprint (RFC 7638). A
// private key in its place, or a key of another kind, is none.
func publicKey(jwk map[string]any) (any, string) {
	if jwk["d"] != nil {
		return nil, ""
	}
	number := func(name string) []byte {
		raw, err := b64.DecodeString(text(jwk, name))
		if err != nil {
			return nil
		}
		return raw
	}
	thumbprint := func(canonical string) string {
		sum := sha256.Sum256([]byte(canonical))
		return b64.EncodeToString(sum[:])
	}
	switch text(jwk, "kty") + " " + text(jwk, "crv") {
	case "EC P-256":
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, number("x"), number("y")))
		if err != nil {
			return nil, ""
		}
		return key, thumbprint(`{"crv":"P-256","kty":"EC","x":"` + text(jwk, "x") + `","y":"` + text(jwk, "y") + `"}`)
	case "OKP Ed25519":
		if len(number("x")) != ed25519.PublicKeySize {
			return nil, ""
		}
		return ed25519.PublicKey(number("x")), thumbprint(`{"crv":"Ed25519","kty":"OKP","x":"` + text(jwk, "x") + `"}`)
	case "RSA ":
		n := new(big.Int).SetBytes(number("n"))
		if text(jwk, "e") != "AQAB" || n.BitLen() < 2048 {
			return nil, ""
		}
		return &rsa.PublicKey{N: n, E: 65537}, thumbprint(`{"e":"AQAB","kty":"RSA","n":"` + text(jwk, "n") + `"}`)
	}
	return nil, ""
}

// boundTo checks that the proof of a token request is of the key that was announced
// with the login (RFC 9449 §10), or that a public client's refresh token is bound to
// (§5).
func boundTo(announced, thumbprint string) *refusal {
	if announced != "" && announced != thumbprint {
		return refuse("invalid_dpop_proof", "proof is of another key")
	}
	return nil
}

// access returns the grant of the access token in the Authorization header (RFC
// 6750 §2.1, RFC 9449 §7.1); false with the challenge that the answer has to hold.
func (p *Provider) access(w http.ResponseWriter, r *http.Request, step Step) (*grant, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	p.mu.Lock()
	g, ok := p.state.access.get(p.now(), token)
	bound, _ := p.state.bound.get(p.now(), token)
	ok = ok && !g.revoked
	p.mu.Unlock()
	challenge := `Bearer error="invalid_token"`
	if p.desc.proofs && (bound != "" || strings.EqualFold(scheme, "DPoP")) {
		thumbprint, bad := p.proof(w, r, step, token)
		ok = ok && bad == nil && thumbprint != "" && thumbprint == bound && strings.EqualFold(scheme, "DPoP")
		challenge = `DPoP algs="` + strings.Join(proofAlgs(), " ") + `", error="invalid_token"`
		if bad != nil {
			challenge = `DPoP algs="` + strings.Join(proofAlgs(), " ") + `", error="` + bad.code + `"`
		}
	} else {
		ok = ok && strings.EqualFold(scheme, "Bearer")
	}
	if !ok {
		w.Header().Set("WWW-Authenticate", challenge)
		return nil, false
	}
	return g, true
}
