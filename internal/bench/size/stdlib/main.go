// Command stdlib is a relying party of the standard library alone, without most
// of the checks: what every program that logs people in links anyway.
package main

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

type metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	JWKSURI               string `json:"jwks_uri"`
}

type party struct {
	metadata
	clientID, secret, redirectURI string
	box                           cipher.AEAD
}

func (p *party) get(from string, into any) error {
	response, err := http.Get(from)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(into)
}

func (p *party) begin(w http.ResponseWriter, r *http.Request) {
	state, nonce, verifier := rand.Text(), rand.Text(), rand.Text()+rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	number := make([]byte, p.box.NonceSize())
	_, _ = rand.Read(number)
	sealed := p.box.Seal(number, number, []byte(state+" "+nonce+" "+verifier), nil)
	http.SetCookie(w, &http.Cookie{Name: "login", Value: base64.RawURLEncoding.EncodeToString(sealed), HttpOnly: true, Secure: true})
	query := url.Values{
		"response_type": {"code"}, "scope": {"openid"}, "client_id": {p.clientID}, "redirect_uri": {p.redirectURI}, "state": {state}, "nonce": {nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	http.Redirect(w, r, p.AuthorizationEndpoint+"?"+query.Encode(), http.StatusSeeOther)
}

func (p *party) callback(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("login")
	if err != nil {
		http.Error(w, "no login", http.StatusBadRequest)
		return
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(sealed) < p.box.NonceSize() {
		http.Error(w, "no login", http.StatusBadRequest)
		return
	}
	text, err := p.box.Open(nil, sealed[:p.box.NonceSize()], sealed[p.box.NonceSize():], nil)
	parts := strings.Fields(string(text))
	if err != nil || len(parts) != 3 || r.FormValue("state") != parts[0] {
		http.Error(w, "another login", http.StatusBadRequest)
		return
	}
	response, err := http.PostForm(p.TokenEndpoint, url.Values{
		"grant_type": {"authorization_code"}, "code": {r.FormValue("code")}, "redirect_uri": {p.redirectURI}, "client_id": {p.clientID}, "client_secret": {p.secret}, "code_verifier": {parts[2]},
	})
	if err != nil {
		http.Error(w, "no answer", http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&tokens); err != nil {
		http.Error(w, "no tokens", http.StatusBadGateway)
		return
	}
	subject, err := p.verify(tokens.IDToken, parts[1])
	slog.Info("login", "error", err)
	if err != nil {
		http.Error(w, "refused", http.StatusForbidden)
		return
	}
	_, _ = io.WriteString(w, subject)
}

var errToken = errors.New("token is not believed")

func (p *party) verify(raw, nonce string) (subject string, err error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return "", errToken
	}
	var decoded [3][]byte
	for i, part := range parts {
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return "", err
		}
	}
	var header struct{ Alg, Kid string }
	var claims struct {
		Iss, Sub, Aud, Nonce string
		Exp                  int64
	}
	if err := errors.Join(json.Unmarshal(decoded[0], &header), json.Unmarshal(decoded[1], &claims)); err != nil {
		return "", err
	}
	var set struct {
		Keys []struct{ Kid, N, X, Y string }
	}
	if err := p.get(p.JWKSURI, &set); err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, key := range set.Keys {
		number := func(text string) *big.Int {
			b, _ := base64.RawURLEncoding.DecodeString(text)
			return new(big.Int).SetBytes(b)
		}
		signed := false
		switch {
		case key.Kid != header.Kid:
		case header.Alg == "RS256":
			signed = rsa.VerifyPKCS1v15(&rsa.PublicKey{N: number(key.N), E: 65537}, crypto.SHA256, digest[:], decoded[2]) == nil
		case header.Alg == "PS256":
			signed = rsa.VerifyPSS(&rsa.PublicKey{N: number(key.N), E: 65537}, crypto.SHA256, digest[:], decoded[2], nil) == nil
		case header.Alg == "ES256" && len(decoded[2]) == 64:
			public, err := ecdsaKey(key.X, key.Y)
			signed = err == nil && ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(decoded[2][:32]), new(big.Int).SetBytes(decoded[2][32:]))
		}
		if signed && claims.Iss == p.Issuer && claims.Aud == p.clientID && claims.Nonce == nonce && claims.Exp > time.Now().Unix() {
			return claims.Sub, nil
		}
	}
	return "", errToken
}

func main() {
	p := &party{clientID: os.Args[1], secret: os.Args[2], redirectURI: os.Args[3]}
	block, err := aes.NewCipher([]byte(rand.Text())[:16])
	if err != nil {
		slog.Error("key", "error", err)
		return
	}
	if p.box, err = cipher.NewGCM(block); err != nil {
		slog.Error("key", "error", err)
		return
	}
	if err := p.get(os.Args[4]+"/.well-known/openid-configuration", &p.metadata); err != nil {
		slog.Error("metadata", "error", err)
		return
	}
	http.HandleFunc("/login", p.begin)
	http.HandleFunc("/callback", p.callback)
	slog.Error("served", "error", http.ListenAndServe("127.0.0.1:0", nil))
}
