package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
)

// A Kind says what a JWT of an OP is.
type Kind string

// The kinds of JWT.
const (
	FrontToken     Kind = "front ID token"     // beside or instead of the code
	CodeToken      Kind = "ID token"           // for the code
	RefreshedToken Kind = "refreshed ID token" // for the refresh token
	SignedUserInfo Kind = "userinfo"           // a signed userinfo answer
	LogoutToken    Kind = "logout token"       // of back-channel logout
	ResponseToken  Kind = "response"           // a signed authorization response

	Configuration Kind = "entity configuration"  // what an OP says about itself
	Subordinate   Kind = "subordinate statement" // what its trust anchor says about it
	Anchor        Kind = "trust anchor"          // what that says about itself
)

// A JWT is a token before it is signed.
type JWT struct {
	// Kind says what it is.
	Kind Kind
	// Header and Claims are of the JWT. The alg in Header signs: RS256, PS256,
	// ES256, EdDSA or HS256; with another one the signature is empty.
	Header, Claims map[string]any
	// Key signs: a private key, or []byte for HS256. Nil: the OP's own for the alg.
	Key any
	// Payload, where it is not "", stands in the place of Claims.
	Payload string
	// Rewrite, where it is not nil, changes the signed JWT.
	Rewrite func(string) string
}

// ChangeJWT lets f see and change every JWT of these kinds before it is signed.
func (op *OP) ChangeJWT(f func(*JWT), kinds ...Kind) {
	op.mu.Lock()
	defer op.mu.Unlock()
	for _, kind := range kinds {
		op.jwts[kind] = append(op.jwts[kind], f)
	}
}

// Sign signs claims as a JWT of a kind, with Alg and what the changes of that kind
// make of it.
func (op *OP) Sign(kind Kind, claims map[string]any) string {
	t := &JWT{Kind: kind, Header: map[string]any{"alg": op.Alg}, Claims: maps.Clone(claims)}
	if key, ok := op.key(op.Alg); ok && key.ID() != "" {
		t.Header["kid"] = key.ID()
	}
	return op.finish(t)
}

// finish signs a JWT, once it has been changed.
func (op *OP) finish(t *JWT) string {
	op.mu.Lock()
	changes := slices.Clone(op.jwts[t.Kind])
	op.mu.Unlock()
	for _, change := range changes {
		change(t)
	}
	return op.compact(t)
}

// compact is the compact serialization (RFC 7515 §7.1).
func (op *OP) compact(t *JWT) string {
	header, _ := json.Marshal(t.Header) // made of what can be encoded
	claims, _ := json.Marshal(t.Claims)
	if t.Payload != "" {
		claims = []byte(t.Payload)
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	alg, _ := t.Header["alg"].(string)
	key := t.Key
	if own, ok := op.key(alg); key == nil && ok {
		key = own.Private
	} else if key == nil && alg == "HS256" {
		key = []byte(op.Client.Secret)
	}
	signed := input + "." + base64.RawURLEncoding.EncodeToString(signature(alg, key, []byte(input)))
	if t.Rewrite != nil {
		signed = t.Rewrite(signed)
	}
	return signed
}

// signature is empty where key is none for alg.
func signature(alg string, key any, input []byte) []byte {
	sum := sha256.Sum256(input)
	var out []byte
	var err error
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if alg == "PS256" {
			out, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			out, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		}
	case *ecdsa.PrivateKey:
		r, s, failed := ecdsa.Sign(rand.Reader, key, sum[:])
		if err = failed; err == nil {
			out = make([]byte, 64)
			r.FillBytes(out[:32])
			s.FillBytes(out[32:])
		}
	case ed25519.PrivateKey:
		out = ed25519.Sign(key, input)
	case []byte:
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write(input) // never fails
		out = mac.Sum(nil)
	}
	if err != nil {
		panic("conformance: a good key does not sign: " + err.Error())
	}
	return out
}

// Break spoils a signature: the first of its characters, whose bits all count.
func Break(compact string) string {
	dot := strings.LastIndexByte(compact, '.') + 1
	first := "A"
	if strings.HasPrefix(compact[dot:], first) {
		first = "B"
	}
	return compact[:dot] + first + compact[dot+1:]
}

// HalfHash is at_hash and its like (OpenID Connect Core §3.1.3.6).
func HalfHash(alg, value string) string {
	if alg == "EdDSA" {
		sum := sha512.Sum512([]byte(value))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// idToken signs an ID token (OpenID Connect Core §2), with the hashes of what came
// with it and the claims that were asked for.
func (op *OP) idToken(kind Kind, g *Grant, access, code string) string {
	claims := askedFor(g.Params)
	maps.Copy(claims, map[string]any{
		"iss": op.Issuer, "sub": g.Subject, "aud": op.Client.ID, "sid": g.SessionID,
		"iat": op.Now.Unix(), "exp": op.Now.Add(5 * time.Minute).Unix(), "auth_time": g.AuthTime.Unix(),
	})
	if nonce := g.Params.Get("nonce"); nonce != "" {
		claims["nonce"] = nonce
	}
	if access != "" {
		claims["at_hash"] = HalfHash(op.Alg, access)
	}
	if code != "" {
		claims["c_hash"] = HalfHash(op.Alg, code)
	}
	if state := g.Params.Get("state"); state != "" && kind == FrontToken {
		claims["s_hash"] = HalfHash(op.Alg, state) // FAPI 1.0 Advanced §5.2.2.1
	}
	if g.Params.Get("response_type") == "id_token" { // there is no userinfo for it (§5.4)
		maps.Copy(claims, op.Person(g))
	}
	token := op.Sign(kind, claims)
	op.issued[token] = true
	return token
}

// LogoutJWT signs a logout token (Back-Channel Logout §2.4) for a subject, a sid or
// both, with a member that nobody knows.
func (op *OP) LogoutJWT(subject, sid string) string {
	claims := map[string]any{
		"iss": op.Issuer, "aud": op.Client.ID, "jti": random(),
		"iat": op.Now.Unix(), "exp": op.Now.Add(2 * time.Minute).Unix(), "unknown": "to be ignored",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if subject != "" {
		claims["sub"] = subject
	}
	if sid != "" {
		claims["sid"] = sid
	}
	return op.Sign(LogoutToken, claims)
}

// ReadJWT returns the header and the claims of a client's JWT whose signature holds
// under the key that choose takes for its header: ES256 by an ECDSA key, RS256 or PS256
// by an RSA key, EdDSA by an Ed25519 key, HS256 by []byte; a nil key demands alg none. ok
// is false of any other.
func ReadJWT(compact string, choose func(header map[string]any) crypto.PublicKey) (header, claims map[string]any, ok bool) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, nil, false
	}
	decode := base64.RawURLEncoding.DecodeString
	head, badHead := decode(parts[0])
	body, badBody := decode(parts[1])
	sig, badSig := decode(parts[2])
	if badHead != nil || badBody != nil || badSig != nil || json.Unmarshal(head, &header) != nil || json.Unmarshal(body, &claims) != nil {
		return nil, nil, false
	}
	alg, _ := header["alg"].(string)
	return header, claims, holds(alg, choose(header), []byte(parts[0]+"."+parts[1]), sig)
}

func holds(alg string, key crypto.PublicKey, input, sig []byte) bool {
	sum := sha256.Sum256(input)
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return alg == "ES256" && len(sig) == 64 &&
			ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
	case *rsa.PublicKey:
		return alg == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil ||
			alg == "PS256" && rsa.VerifyPSS(key, crypto.SHA256, sum[:], sig, nil) == nil
	case ed25519.PublicKey:
		return alg == "EdDSA" && ed25519.Verify(key, input, sig)
	case []byte:
		return alg == "HS256" && hmac.Equal(sig, signature(alg, key, input))
	}
	return key == nil && alg == "none" && len(sig) == 0
}
