package oidcclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// A RegistrationRequest makes a client register itself when it is first used (OpenID
// Connect Dynamic Client Registration, RFC 7591). What is registered lives as long as
// the [Client]: after a restart there is another one, and whoever has a session of the
// former logs in again.
type RegistrationRequest struct {
	// AccessToken is the initial access token, where the provider wants one.
	AccessToken string
	// Metadata are members beside those that follow from the [Config], or in their
	// place: what encoding/json makes of them is sent.
	Metadata map[string]any
}

// String shows no token.
func (r RegistrationRequest) String() string {
	return "oidcclient.RegistrationRequest{" + redacted + "}"
}

// Format keeps the token out of every verb of package fmt.
func (r RegistrationRequest) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue keeps the token out of logs.
func (r RegistrationRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalJSON keeps the token out of JSON.
func (r RegistrationRequest) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// late is what a client that is not complete at its beginning finds out at its first
// use: its issuer, its registration.
type late struct {
	resolving singleflight.Group
	known     atomic.Pointer[resolved]

	// The last registration, when it was made, and how long it is not made anew; for one
	// resolving at a time. Of those that can't be used there would be one for each login.
	registered   *Registration
	registeredAt time.Time
	rests        time.Duration

	found *FoundProvider // what the source said last; for one resolving at a time
}

// registrationRests is how long a registration that can't be used is not made anew: that
// first, twice as long after each further one, and at last the other.
const (
	registrationRests     = time.Minute
	registrationRestsMost = time.Hour
)

// resolved is the complete client, until its secret ends, or what is known of the
// provider.
type resolved struct {
	client *Client
	until  time.Time // zero: it doesn't
}

func (c *Config) isLate() bool {
	return c.Account != "" || c.Register != nil || c.ProviderSource != nil
}

// What stands for the unknown while everything else of a configuration is checked.
const (
	someIssuer = "https://issuer.invalid"
	someClient = "client"
	someSecret = "a secret that is not known yet, as long as any hash is: it stands in for another"
)

// newLate checks a configuration as far as it is known.
func newLate(cfg Config) (*Client, *ConfigError) {
	trial := cfg
	if cfg.Account != "" {
		if cfg.Issuer != "" || cfg.Tenant != nil || cfg.Provider != nil || cfg.DiscoveryURL != "" || cfg.Profile.Discovery != DiscoverWellKnown || cfg.Profile.PartyIssuer {
			return nil, wrong("Account", "stands beside another way to find the provider, or is not for this profile")
		}
		if _, _, err := webfingerResource(cfg.Account); err != nil {
			return nil, wrong("Account", "is neither an address nor a URL")
		}
		trial.Issuer, trial.Account = someIssuer, ""
	}
	if cfg.ProviderSource != nil {
		if cfg.Provider != nil || cfg.DiscoveryURL != "" || cfg.Keys != nil || cfg.Tenant != nil || cfg.Register != nil || cfg.Profile.Keys != KeysFromJWKS {
			return nil, wrong("ProviderSource", "stands beside another way to find the provider or its keys, or beside Register")
		}
		trial.ProviderSource = nil
	}
	if cfg.Register != nil {
		if cfg.ClientID != "" || cfg.ClientSecret != "" {
			return nil, wrong("Register", "stands beside an identifier or a secret of a client that is registered already")
		}
		if _, err := json.Marshal(cfg.Register.Metadata); err != nil {
			return nil, wrong("Register", "has metadata that can't be encoded")
		}
		trial.ClientID, trial.ClientSecret, trial.Register = someClient, someSecret, nil
	}
	c, err := newKnown(trial)
	if err != nil {
		return nil, err
	}
	c.cfg, c.issuer, c.late = cfg, cfg.Issuer, &late{}
	c.provider.Store(nil)
	return c, nil
}

// current is the complete client as far as it is known without asking anybody.
func (c *Client) current() *Client {
	if c.late == nil {
		return c
	}
	if r := c.late.known.Load(); r != nil {
		return r.client
	}
	return c
}

// resolve returns the complete client, completing it first where that was not done. The
// work is shared by all who wait, and done anew after it failed.
func (c *Client) resolve(ctx context.Context) (*Client, error) {
	if c.late == nil {
		return c, nil
	}
	good := func() *Client {
		if r := c.late.known.Load(); r != nil && (r.until.IsZero() || c.now().Before(r.until)) {
			return r.client
		}
		return nil
	}
	if known := good(); known != nil {
		return known, nil
	}
	result := c.late.resolving.DoChan("", func() (any, error) {
		if known := good(); known != nil {
			return known, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 4*requestTimeout)
		defer cancel()
		r, err := c.completed(ctx)
		if err != nil {
			c.log.WarnContext(ctx, "client not completed", "issuer", c.cfg.Issuer, "error", err)
			return nil, err
		}
		c.late.known.Store(r)
		return r.client, nil
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Client), nil
	case <-ctx.Done():
		return nil, outage(ctx, StepDiscover, ctx.Err())
	}
}

// hostsFault lays a refusal at the host's door: the account is the configuration's, and
// nobody who logs in has named it.
func hostsFault(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Fault != FaultAnswer {
		return err
	}
	theirs := *e
	theirs.Fault = FaultProvider
	return &theirs
}

// completed finds the issuer and registers, as far as these are open.
func (c *Client) completed(ctx context.Context) (*resolved, error) {
	cfg := c.cfg
	if cfg.Account != "" {
		issuer, err := FindIssuer(ctx, c.http, cfg.Account)
		if err != nil {
			return nil, hostsFault(err)
		}
		cfg.Issuer, cfg.Account = issuer, ""
	}
	r := &resolved{}
	var found *FoundProvider
	if cfg.ProviderSource != nil {
		var err error
		if found, err = c.consult(ctx, &cfg); err != nil {
			return nil, err
		}
		r.until = found.Until
		if known := c.late.known.Load(); known != nil && found.says(c.late.found) {
			r.client = known.client // with all that it has learned
			return r, nil
		}
	}
	if cfg.Register != nil {
		registered, err := c.register(ctx, &cfg)
		if err != nil {
			return nil, err
		}
		r.until = registered.SecretEndsAt
	}
	var wrong *ConfigError
	if r.client, wrong = newKnown(cfg); wrong != nil {
		return nil, &Error{Step: StepDiscover, Fault: FaultProvider, Check: "configuration", Reason: "what was found can't be used: " + wrong.Field + " " + wrong.Reason, Err: wrong}
	}
	r.client.own = c.own
	if cfg.Provider != c.cfg.Provider {
		if err := r.client.complies(); err != nil {
			return nil, err
		}
	}
	c.late.found, c.late.rests = found, min(c.late.rests, registrationRests)
	return r, nil
}

// register registers the client and puts what comes of it into cfg.
func (c *Client) register(ctx context.Context, cfg *Config) (*Registration, error) {
	m := ProviderMetadata{}
	if cfg.Provider != nil {
		m = *cfg.Provider
	}
	if m.RegistrationEndpoint == "" {
		found, err := discover(ctx, c.http, cfg.Issuer, cfg.discoveryURL())
		if err != nil {
			return nil, err
		}
		m = m.over(found)
		cfg.Provider = &m // read once
	}
	if m.RegistrationEndpoint == "" {
		return nil, providerFault(StepRegister, 0, "provider has no registration_endpoint")
	}
	metadata := c.RegistrationMetadata()
	if c.late.registered == nil || c.now().Sub(c.late.registeredAt) >= c.late.rests {
		registrar := Registrar{Endpoint: m.RegistrationEndpoint, AccessToken: cfg.Register.AccessToken, HTTPClient: c.http}
		registered, err := registrar.Register(ctx, metadata)
		if err != nil {
			return nil, err
		}
		c.late.registered, c.late.registeredAt = registered, c.now()
		c.late.rests = max(registrationRests, min(2*c.late.rests, registrationRestsMost))
	}
	registered := c.late.registered
	method, err := asRegistered(metadata, registered, cfg.AuthMethod == "")
	if err != nil {
		return nil, err
	}
	if ends := registered.SecretEndsAt; !ends.IsZero() && !c.now().Before(ends) {
		return nil, &Error{Step: StepRegister, Fault: FaultProvider, Check: "client_secret_expires_at", Reason: "provider registered a secret that has ended"}
	}
	cfg.ClientID, cfg.ClientSecret, cfg.AuthMethod, cfg.Register = registered.ClientID, registered.ClientSecret, method, nil
	return registered, nil
}

// RegistrationMetadata says what the configuration means, by the registered names
// (OpenID Connect Dynamic Client Registration §2, RFC 7591 §2): what [Config.Register]
// registers, and what a provider or a federation has to know otherwise. The caller may
// change what is returned.
func (c *Client) RegistrationMetadata() map[string]any {
	carriage := c.cfg.carriage(&ProviderMetadata{})
	m := map[string]any{"application_type": "web", "scope": strings.Join(c.cfg.scopes(), " "), "token_endpoint_auth_method": c.auth.method}
	set := func(name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	encrypted := func(name string, how *Encrypted) {
		if how != nil {
			m[name+"_alg"], m[name+"_enc"] = how.Algorithm, how.encoding()
		}
	}
	set("token_endpoint_auth_signing_alg", c.auth.algorithm())
	set("id_token_signed_response_alg", c.algorithms[0])
	set("userinfo_signed_response_alg", c.cfg.UserInfoAlgorithm)
	set("introspection_signed_response_alg", c.cfg.IntrospectionAlgorithm)
	set("backchannel_authentication_request_signing_alg", c.cfg.BackchannelAlgorithm)
	if isSignedMode(c.cfg.ResponseMode) {
		set("authorization_signed_response_alg", c.cfg.responseAlgorithms()[0])
	}
	if carriage.signed() {
		if set("request_object_signing_alg", c.cfg.RequestAlgorithm); c.cfg.RequestAlgorithm == "" {
			set("request_object_signing_alg", c.requests.Algorithm())
		}
		if e := c.cfg.RequestEncryption; e != nil {
			set("request_object_encryption_alg", e.Algorithm)
			set("request_object_encryption_enc", e.Encoding)
		}
	}
	encrypted("id_token_encrypted_response", c.cfg.IDTokenEncrypted)
	encrypted("userinfo_encrypted_response", c.cfg.UserInfoEncrypted)
	encrypted("authorization_encrypted_response", c.cfg.ResponseEncrypted)
	encrypted("introspection_encrypted_response", c.cfg.IntrospectionEncrypted)
	if keys, err := c.PublicJWKS(); err == nil && len(keys) > len(`{"keys":[]}`) {
		m["jwks"] = json.RawMessage(keys)
	}
	if carriage.pushed() {
		m["require_pushed_authorization_requests"] = true
	}
	switch {
	case c.cfg.DPoP:
		m["dpop_bound_access_tokens"] = true
	case c.cfg.FAPI != FAPINone && c.cfg.ClientCertificate != nil:
		m["tls_client_certificate_bound_access_tokens"] = true
	}
	if c.cfg.PostLogoutRedirectURI != "" {
		m["post_logout_redirect_uris"] = []string{c.cfg.PostLogoutRedirectURI}
	}
	given := map[string]any{}
	if c.cfg.Register != nil {
		given = c.cfg.Register.Metadata
	}
	maps.Copy(m, c.cfg.flows(given["backchannel_token_delivery_mode"] != nil))
	maps.Copy(m, given)
	if _, fetched := m["jwks_uri"]; fetched {
		delete(m, "jwks") // RFC 7591 §2: not both
	}
	return m
}

// flows says what the client uses: the flow of its response type where it has a redirect
// URI, logins without a browser (OpenID Connect CIBA Core §4), or else its own tokens.
func (c *Config) flows(backchannel bool) map[string]any {
	redirects, responses, grants := []string{}, []string{}, []string{}
	if kind := c.responseType(); c.RedirectURI != "" {
		redirects, responses = append(redirects, c.RedirectURI), append(responses, kind.name)
		if kind.code {
			grants = append(grants, "authorization_code", "refresh_token")
		}
		if kind.front() {
			grants = append(grants, "implicit")
		}
	}
	if backchannel {
		grants = append(grants, "urn:openid:params:grant-type:ciba")
	}
	if len(grants) == 0 {
		grants = append(grants, "client_credentials")
	}
	return map[string]any{"redirect_uris": redirects, "response_types": responses, "grant_types": grants}
}

// asRegistered holds what was registered against what was asked for, which a provider
// may change (RFC 7591 §3.2.1): another algorithm, redirect URI or response type is
// refused, and so is another client authentication unless the choice was open and it
// is one with the secret. It returns that method.
func asRegistered(asked map[string]any, r *Registration, open bool) (method string, err error) {
	var got map[string]json.RawMessage
	if err := r.Metadata(&got); err != nil {
		return "", providerFault(StepRegister, 201, "answer is not readable")
	}
	method, _ = asked["token_endpoint_auth_method"].(string)
	for name, value := range asked {
		text, there := got[name]
		if !there || string(text) == "null" {
			continue
		}
		refusal := providerFault(StepRegister, 201, "provider registered another "+name)
		refusal.Check = name
		switch want := value.(type) {
		case string:
			var is string
			if err := json.Unmarshal(text, &is); err != nil {
				return "", refusal
			}
			switch {
			case name == "token_endpoint_auth_method" && open && slices.Contains([]string{authBasic, authPost, authSecretJWT}, is):
				method = is
			case strings.HasSuffix(name, "_alg") || strings.HasSuffix(name, "_enc") || name == "token_endpoint_auth_method":
				if is != want {
					return "", refusal
				}
			}
		case []string:
			var list []string
			if err := json.Unmarshal(text, &list); err != nil {
				return "", refusal
			}
			lacks := func(value string) bool { return !slices.Contains(list, value) }
			if (name == "redirect_uris" || name == "response_types") && slices.ContainsFunc(want, lacks) {
				return "", refusal
			}
		}
	}
	return method, nil
}
