package oidcclient

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/jose"
	"github.com/rely-go/rely/internal/strictjson"
)

// A ClaimsProvider says something about people in the place of the provider (OpenID
// Connect Core §5.6.2).
type ClaimsProvider struct {
	// Issuer is the iss of its JWTs.
	Issuer string
	// Algorithms sign them; nil means RS256.
	Algorithms []string
	// Keys verify them.
	Keys idtoken.KeySource
}

// A ClaimSource is what a Claims Provider says about the person of a session: claims
// that the provider passed on or pointed to, and that were verified.
type ClaimSource struct {
	// Issuer says so, and nobody else does.
	Issuer string `json:"iss"`
	// Values has the claims that the provider announced of this source, by name, as
	// JSON.
	Values map[string]json.RawMessage `json:"claims"`
}

// ClaimSources returns the aggregated and distributed claims that were believed when the
// login was completed. They are not among those of [Session.Claims] and
// [Session.UserInfoClaims], because somebody else says so.
func (s *Session) ClaimSources() []ClaimSource {
	var sources []ClaimSource
	if s.data.Sources == "" || strictjson.Unmarshal([]byte(s.data.Sources), &sources, maxDepth) != nil {
		return nil
	}
	return sources
}

// maxSources bounds the claim sources of one login, and maxSourced what is kept of
// them, in bytes.
const (
	maxSources = 8
	maxSourced = 64 << 10
)

// announced is what a provider says about claims from elsewhere.
type announced struct {
	Names   map[string]string `json:"_claim_names"`
	Sources map[string]struct {
		JWT         string `json:"JWT"`
		Endpoint    string `json:"endpoint"`
		AccessToken string `json:"access_token"`
	} `json:"_claim_sources"`
}

// withSources adds the claims from elsewhere that are believed. None of them is needed
// for a login: what is not believed, or can't be had, is left out and logged.
func (c *Client) withSources(ctx context.Context, found *provider, s *Session) *Session {
	if !s.Identified() {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout) // for all of them
	defer cancel()
	var believed []ClaimSource
	tried, size := 0, 0
	for _, read := range []func(any) error{s.Claims, s.UserInfoClaims} {
		var a announced
		if err := read(&a); err != nil {
			c.log.WarnContext(ctx, "claim sources not read", "client_id", c.cfg.ClientID)
			continue
		}
		for name, source := range a.Sources {
			if tried++; tried > maxSources {
				break
			}
			raw, err := source.JWT, error(nil)
			if raw == "" {
				raw, err = c.fetchClaims(ctx, source.Endpoint, source.AccessToken)
			}
			var got *ClaimSource
			if err == nil {
				got, err = c.believeClaims(ctx, found, raw, a.namesOf(name), s.Subject())
			}
			if err == nil && size+got.size() > maxSourced {
				err = providerFault(StepUserInfo, 0, "claims are too long to be kept")
			}
			if err != nil {
				c.log.WarnContext(ctx, "claim source not believed", "client_id", c.cfg.ClientID, "error", err)
				continue
			}
			believed, size = append(believed, *got), size+got.size()
		}
	}
	if len(believed) == 0 {
		return s
	}
	slices.SortFunc(believed, func(a, b ClaimSource) int { return strings.Compare(a.Issuer, b.Issuer) })
	text, err := json.Marshal(believed)
	if err != nil {
		return s // what strictjson has read can be written
	}
	fresh := *s
	fresh.data.Sources = string(text)
	return &fresh
}

// size is how long a source is as it is kept.
func (s *ClaimSource) size() int {
	text, err := json.Marshal(s)
	if err != nil {
		return maxSourced + 1 // what strictjson has read can be written
	}
	return len(text)
}

// namesOf lists the claims that a source is announced to have. What an ID token says of
// itself comes from nowhere else.
func (a *announced) namesOf(source string) []string {
	own := []string{"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "acr", "amr", "auth_time", "sid", "_claim_names", "_claim_sources"}
	var names []string
	for name, from := range a.Names {
		if from == source && !slices.Contains(own, name) {
			names = append(names, name)
		}
	}
	return names
}

// fetchClaims gets distributed claims, from the origins that are configured only.
func (c *Client) fetchClaims(ctx context.Context, endpoint, token string) (string, error) {
	u, err := fetch.CheckURL(endpoint)
	if err != nil || !c.mayAsk(u) {
		return "", refuse(StepUserInfo, "distributed claims", "endpoint is at no origin that is listed")
	}
	req, err := fetch.Get(ctx, endpoint, "application/jwt")
	if err != nil {
		return "", refuse(StepUserInfo, "distributed claims", "endpoint is not a URL")
	}
	if token != "" {
		if !isBearer(token) {
			return "", refuse(StepUserInfo, "distributed claims", "access token has other characters than one may have")
		}
		req.Header.Set("Authorization", typeBearer+" "+token)
	}
	got, err := roundTrip(c.http, StepUserInfo, req)
	if err != nil {
		return "", err
	}
	if got.Status != http.StatusOK {
		return "", providerFault(StepUserInfo, got.Status, "claims are not there")
	}
	return string(got.Body), nil
}

// isBearer holds a token to what a header may have (RFC 6750 §2.1).
func isBearer(token string) bool {
	return len(token) <= maxToken && !slices.ContainsFunc([]byte(token), func(b byte) bool { return b <= ' ' || b > '~' })
}

func (c *Client) mayAsk(u *url.URL) bool {
	return slices.ContainsFunc(c.cfg.DistributedClaims, func(allowed string) bool {
		a, err := url.Parse(allowed)
		return err == nil && origin(a) == origin(u)
	})
}

// believeClaims verifies a JWT of claims, by the keys of who it says it is from, and
// takes those that were announced. Somebody else than the provider has another subject
// for the same person (OpenID Connect Core §5.6.2), but the provider itself does not.
func (c *Client) believeClaims(ctx context.Context, found *provider, raw string, names []string, subject string) (*ClaimSource, error) {
	issuer, err := claimedIssuer(raw)
	if err != nil {
		return nil, err
	}
	verifier, err := c.claimsVerifier(ctx, found, issuer)
	if err != nil {
		return nil, err
	}
	verified, err := verifier.VerifyClaims(ctx, raw)
	if err != nil {
		return nil, notBelieved(ctx, StepUserInfo, err)
	}
	var all map[string]json.RawMessage
	if err := verified.Claims(&all); err != nil {
		return nil, providerFault(StepUserInfo, 0, "claims are not readable")
	}
	if sub, there := all["sub"]; there && issuer == c.issuer && !isText(sub, subject) {
		return nil, refuse(StepUserInfo, idtoken.CheckSubject.String(), "claims are about somebody else")
	}
	source := &ClaimSource{Issuer: issuer, Values: map[string]json.RawMessage{}}
	for _, name := range names {
		if value, there := all[name]; there {
			source.Values[name] = value
		}
	}
	return source, nil
}

// isText reports whether a JSON value is this string.
func isText(value json.RawMessage, want string) bool {
	var text string
	return json.Unmarshal(value, &text) == nil && text == want
}

// claimedIssuer reads who claims are said to be from, which chooses the keys and is
// judged after the signature.
func claimedIssuer(raw string) (string, error) {
	bad := refuse(StepUserInfo, idtoken.CheckShape.String(), "claims are no JWT with an issuer")
	compact, err := jose.ParseCompact(raw, maxToken)
	if err != nil {
		return "", bad
	}
	object, err := strictjson.ParseObject(compact.Payload, maxDepth)
	if err != nil {
		return "", bad
	}
	issuer, _, err := object.String("iss")
	if err != nil || issuer == "" {
		return "", bad
	}
	return issuer, nil
}

// claimsVerifier returns the verifier of a Claims Provider: the provider itself, one
// that is configured, or one whose issuer is at an origin that may be asked.
func (c *Client) claimsVerifier(ctx context.Context, found *provider, issuer string) (*idtoken.Verifier, error) {
	if issuer == c.issuer && found.userinfo != nil {
		return found.userinfo, nil
	}
	if v := c.claimsProviders[issuer]; v != nil {
		return v, nil
	}
	u, err := fetch.CheckURL(issuer)
	if err != nil || !c.mayAsk(u) {
		return nil, refuse(StepUserInfo, "claims provider", "issuer of the claims is not known")
	}
	return c.discovered.verifier(issuer, func() (*idtoken.Verifier, error) {
		m, err := discover(ctx, c.http, issuer, "")
		if err != nil {
			return nil, at(StepUserInfo, err)
		}
		keys, err := idtoken.NewRemoteKeys(idtoken.RemoteKeysConfig{URL: m.JWKSURI, HTTPClient: c.http, Clock: c.now, Logger: c.log})
		if err != nil {
			return nil, providerFault(StepUserInfo, 0, "metadata of the claims provider have no jwks_uri")
		}
		return idtoken.NewVerifier(idtoken.Config{
			Issuer: issuer, ClientID: c.cfg.ClientID, Algorithms: []string{"RS256", "PS256", "ES256", "EdDSA"}, Keys: keys, Clock: c.now,
		})
	})
}

// discovered keeps the verifiers of Claims Providers whose keys were looked for. The
// zero value is empty. It is safe for concurrent use.
type discovered struct {
	mu    sync.Mutex // guards known
	known map[string]*idtoken.Verifier
}

func (d *discovered) verifier(issuer string, find func() (*idtoken.Verifier, error)) (*idtoken.Verifier, error) {
	d.mu.Lock()
	v := d.known[issuer]
	d.mu.Unlock()
	if v != nil {
		return v, nil
	}
	v, err := find()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= maxSources {
		d.known = map[string]*idtoken.Verifier{} // looked for again when it is needed
	}
	d.known[issuer] = v
	return v, nil
}

// newClaimsProviders makes the verifiers of those that are configured.
func (c *Config) newClaimsProviders() (map[string]*idtoken.Verifier, *ConfigError) {
	known := map[string]*idtoken.Verifier{}
	for _, p := range c.ClaimsProviders {
		v, err := idtoken.NewVerifier(idtoken.Config{Issuer: p.Issuer, ClientID: c.ClientID, Algorithms: p.Algorithms, Keys: p.Keys, Clock: c.Clock})
		if err == nil && p.Issuer == c.Issuer {
			err = errors.New("is the provider itself")
		}
		if err != nil {
			return nil, &ConfigError{Field: "ClaimsProviders", Reason: err.Error(), Err: err}
		}
		known[p.Issuer] = v
	}
	for _, allowed := range c.DistributedClaims {
		if u, err := fetch.CheckURL(allowed); err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
			return nil, wrong("DistributedClaims", "has something that is no origin of https")
		}
	}
	return known, nil
}
