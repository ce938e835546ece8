package assertion

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/jwx"
)

// A RequestObject is an authorization request to be signed (RFC 9101 §4, OpenID
// Connect Core §6.1).
type RequestObject struct {
	// Audience is the provider's issuer, one string. Required.
	Audience string
	// Subject is sent as sub where a provider asks for one; "" sends none.
	Subject string
	// Params are the parameters of the authorization request. max_age becomes a
	// number, claims an object, and authorization_details an array; the others
	// stay strings, and one that is there several times becomes an array.
	Params url.Values
	// Encrypt, when not nil, encrypts the signed object to the provider.
	Encrypt *Encryption
}

// Encryption says how a signed request object is encrypted (RFC 7516).
type Encryption struct {
	// Algorithm is alg: RSA-OAEP-256, RSA-OAEP, ECDH-ES, ECDH-ES+A128KW,
	// ECDH-ES+A192KW or ECDH-ES+A256KW (RFC 7518 §4.1).
	Algorithm string
	// Encoding is enc: A128CBC-HS256, A192CBC-HS384, A256CBC-HS512, A128GCM, A192GCM
	// or A256GCM (RFC 7518 §5.1).
	Encoding string
	// Key is the provider's public key: an *rsa.PublicKey of 2048 to 8192 bits, an
	// *ecdsa.PublicKey of P-256, P-384 or P-521, or an *ecdh.PublicKey of X25519.
	Key crypto.PublicKey
	// KeyID is sent as kid; "" sends none.
	KeyID string
}

func (e *Encryption) check() error {
	if err := jwx.CheckEncryption(e.Algorithm, e.Encoding); err != nil {
		return err
	}
	return jwx.CheckRecipient(e.Algorithm, e.Key)
}

// reserved are members that the signer writes itself, or that must not be in a
// request object (RFC 9101 §4).
var reserved = []string{"iss", "sub", "aud", "jti", "iat", "nbf", "exp", "request", "request_uri", "client_secret", "client_assertion"}

// RequestObject returns a signed request object, or a JWE with one in it. It is
// as short-lived as an assertion: make it when the browser asks for it.
func (s *Signer) RequestObject(ctx context.Context, request RequestObject) (string, error) {
	if err := s.ready(request.Audience); err != nil {
		return "", err
	}
	if request.Encrypt != nil {
		if err := request.Encrypt.check(); err != nil {
			return "", fmt.Errorf("assertion: %w", err)
		}
	}
	payload, err := s.requestClaims(request)
	if err != nil {
		return "", err
	}
	signed, err := s.sign(ctx, s.object, payload)
	if err != nil || request.Encrypt == nil {
		return signed, err
	}
	e := request.Encrypt
	header := map[string]string{"typ": "JWT"}
	if s.config.Key.Naming != NameX5C {
		header["cty"] = "JWT"
	}
	if e.KeyID != "" {
		header["kid"] = e.KeyID
	}
	return jwx.Encrypt(e.Algorithm, e.Encoding, e.Key, header, []byte(signed))
}

// UnsignedRequestObject returns a request object without a signature (alg none, OpenID
// Connect Core §6.1), for a provider that takes no other. It says no more than the
// parameters themselves would: anybody may have written it, and RFC 9101 §4 knows none.
// The Key of config counts for nothing.
func UnsignedRequestObject(config Config, request RequestObject) (string, error) {
	s, err := newKeyless(config)
	switch {
	case err != nil:
		return "", err
	case request.Encrypt != nil:
		return "", errors.New("assertion: an unsigned request object is not encrypted")
	case request.Audience == "":
		return "", errors.New("assertion: audience is missing")
	}
	payload, err := s.requestClaims(request)
	if err != nil {
		return "", err
	}
	return jose.Encode([]byte(`{"alg":"none","typ":"`+typeRequest+`"}`)) + "." + jose.Encode(payload) + ".", nil
}

// BackchannelRequest returns a signed request for a login without a browser (OpenID
// Connect CIBA Core §7.1.1): params are its parameters, as strings, and audience is the
// provider's issuer. It is good for one request.
func (s *Signer) BackchannelRequest(ctx context.Context, audience string, params url.Values) (string, error) {
	if err := s.ready(audience); err != nil {
		return "", err
	}
	own := s.newClaims("", audience)
	members := map[string]any{
		"iss": own.Issuer, "aud": own.Audience, "jti": own.ID, "iat": own.IssuedAt, "nbf": own.IssuedAt, "exp": own.Expiry,
	}
	for name, values := range params {
		if slices.Contains(reserved, name) {
			return "", errors.New("assertion: a parameter can't be in a signed request: " + name)
		}
		value, err := parameter(name, values)
		if err != nil {
			return "", err
		}
		members[name] = value
	}
	payload, err := json.Marshal(members)
	if err != nil {
		return "", err
	}
	return s.sign(ctx, s.header, payload)
}

func (s *Signer) requestClaims(request RequestObject) ([]byte, error) {
	members := map[string]any{"client_id": s.config.ClientID}
	for name, values := range request.Params {
		if slices.Contains(reserved, name) {
			return nil, errors.New("assertion: a parameter can't be in a request object: " + name)
		}
		value, err := parameter(name, values)
		if err != nil {
			return nil, err
		}
		if name == "client_id" && value != s.config.ClientID {
			return nil, errors.New("assertion: client_id is another client's")
		}
		members[name] = value
	}
	own := s.newClaims(request.Subject, request.Audience)
	members["iss"], members["aud"], members["jti"] = own.Issuer, own.Audience, own.ID
	members["iat"], members["exp"] = own.IssuedAt, own.Expiry
	if own.Subject != "" {
		members["sub"] = own.Subject
	}
	if own.NotBefore != 0 {
		members["nbf"] = own.NotBefore
	}
	return json.Marshal(members)
}

// parameter returns the JSON form of a parameter (OpenID Connect Core §6.1).
func parameter(name string, values []string) (any, error) {
	switch {
	case len(values) > 1:
		return values, nil
	case len(values) == 0:
		return nil, errors.New("assertion: a parameter has no value: " + name)
	case name == "max_age":
		seconds, err := strconv.ParseUint(values[0], 10, 31)
		if err != nil {
			return nil, errors.New("assertion: max_age is not a number of seconds")
		}
		return seconds, nil
	case name == "claims" || name == "authorization_details":
		return jsonParameter(name, values[0])
	}
	return values[0], nil
}

// jsonParameter returns a parameter whose text is JSON: claims is an object
// (OpenID Connect Core §5.5), authorization_details an array (RFC 9396 §2).
func jsonParameter(name, text string) (any, error) {
	opening := "{"
	if name == "authorization_details" {
		opening = "["
	}
	if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), opening) {
		return nil, errors.New("assertion: parameter is not JSON of its kind: " + name)
	}
	return json.RawMessage(text), nil
}
