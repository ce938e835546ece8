package oidcclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/jwe"
)

// A Client logs people in at one provider. It is immutable and safe for
// concurrent use; it starts no goroutine that outlives a request by more than
// the request's time limit, and needs no closing.
type Client struct {
	cfg        Config
	issuer     string
	auth       *clientAuth
	requests   *assertion.Signer // of request objects, or nil
	nonces     nonces
	decrypt    []jwe.Key
	http       *http.Client
	now        func() time.Time
	log        *slog.Logger
	provider   atomic.Pointer[provider]
	finding    singleflight.Group
	algorithms []string
	late       *late        // nil where the configuration is complete
	own        *ownProofKey // of all clients that a late one completes in turn

	claimsProviders map[string]*idtoken.Verifier // that are configured, by issuer
	discovered      discovered                   // and others
}

// provider is what is known about the other side once its metadata are.
type provider struct {
	ProviderMetadata
	verifier *idtoken.Verifier       // of ID tokens, logout tokens, userinfo
	legacy   *idtoken.LegacyVerifier // instead of verifier's ID tokens, or nil
	remote   *idtoken.RemoteKeys     // where keys come from, or nil

	recipients *idtoken.RemoteKeys // where keys to encrypt to come from, or nil

	responses *idtoken.Verifier // of signed authorization responses, or nil
	userinfo  *idtoken.Verifier // of signed userinfo answers
	about     *idtoken.Verifier // of signed answers about tokens, or nil
}

// New checks a configuration as a whole and returns its client. It makes no
// network request: a provider that is down doesn't stop an application from
// starting. Its error is a [*ConfigError].
func New(config Config) (*Client, error) {
	c, err := newClient(config)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func newClient(cfg Config) (*Client, *ConfigError) {
	cfg = cfg.clone()
	cfg.fillFAPI()
	if cfg.isLate() {
		return newLate(cfg)
	}
	return newKnown(cfg)
}

// newKnown makes the client of a configuration that is complete.
func newKnown(cfg Config) (*Client, *ConfigError) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, issuer: cfg.Issuer, now: cfg.Clock, log: cfg.Logger, own: &ownProofKey{}}
	if cfg.Tenant != nil && c.issuer == "" {
		c.issuer = cfg.Profile.Tenant.issuer(*cfg.Tenant)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if c.http, err = fetch.NewClient(cfg.HTTPClient, cfg.ClientCertificate, cfg.RootCAs); err != nil {
		return nil, &ConfigError{Field: "HTTPClient", Reason: err.Error(), Err: err}
	}
	var wrong *ConfigError
	if c.auth, wrong = newClientAuth(cfg); wrong != nil {
		return nil, wrong
	}
	if cfg.carriage(&ProviderMetadata{}).signed() && cfg.RequestAlgorithm != algNone || cfg.BackchannelAlgorithm != "" {
		if c.requests, wrong = cfg.newSigner(); wrong != nil {
			return nil, wrong
		}
	}
	if c.decrypt, wrong = cfg.decryptionKeys(); wrong != nil {
		return nil, wrong
	}
	if c.claimsProviders, wrong = cfg.newClaimsProviders(); wrong != nil {
		return nil, wrong
	}
	c.algorithms = cfg.algorithms()
	return c, c.prepare()
}

// prepare builds what can be built without the network, so that a mistake
// shows now.
func (c *Client) prepare() *ConfigError {
	known := ProviderMetadata{}
	if c.cfg.Provider != nil {
		known = *c.cfg.Provider
	}
	known.Issuer = c.issuer
	if c.needs(&known) {
		// The key source is not known yet; everything else of a verifier is.
		known.JWKSURI = "https://localhost/jwks"
		if _, err := c.newProvider(known); err != nil {
			return err
		}
		return nil
	}
	if fault := c.cfg.checkFAPIProvider(&known); fault != nil {
		return &ConfigError{Field: "Provider", Reason: fault.Reason, Err: fault}
	}
	p, err := c.newProvider(known)
	if err != nil {
		return err
	}
	c.provider.Store(p)
	return nil
}

// needs reports whether discovery has to find something that was not given.
func (c *Client) needs(m *ProviderMetadata) bool {
	return slices.ContainsFunc(c.cfg.needed(), func(n need) bool { return n.of(m) == "" })
}

// lacks says which endpoint is missing from metadata that are all there is; nil where
// none is.
func (c *Client) lacks(m *ProviderMetadata) error {
	for _, need := range c.cfg.needed() {
		if need.of(m) == "" {
			return providerFault(StepDiscover, 0, "metadata lack "+need.name)
		}
	}
	return nil
}

// newProvider makes the verifiers for metadata that are complete.
func (c *Client) newProvider(m ProviderMetadata) (*provider, *ConfigError) {
	if c.cfg.ClientCertificate != nil {
		m = m.aliased()
	}
	published, wrong := c.keySource(m.JWKSURI)
	if wrong != nil {
		return nil, wrong
	}
	keys := published
	if slices.ContainsFunc(c.algorithms, isHMAC) {
		keys = nil // the secret is
	}
	p := &provider{ProviderMetadata: m}
	p.remote, _ = keys.(*idtoken.RemoteKeys)
	if p.recipients, wrong = c.newRecipients(p); wrong != nil {
		return nil, wrong
	}
	if c.cfg.DPoP && c.cfg.proofAlgorithm(&m) == "" {
		return nil, &ConfigError{Field: "Provider", Reason: "dpop_signing_alg_values_supported has no algorithm that proofs are made with"}
	}
	var err error
	if c.cfg.Profile.Identity == IdentifyByLegacyToken {
		p.legacy, err = idtoken.NewLegacyVerifier(idtoken.LegacyConfig{
			Issuer: c.issuer, Keys: keys, Clock: c.now,
			UnverifiedReason: c.cfg.UnverifiedLegacyIdentity, InsecureAcceptUnverified: c.cfg.InsecureAcceptUnverified,
		})
		if err != nil {
			return nil, &ConfigError{Field: "Keys", Reason: err.Error(), Err: err}
		}
		return p, nil
	}
	config := idtoken.Config{
		Issuer: c.issuer, ClientID: c.cfg.ClientID, Algorithms: c.algorithms,
		Keys: keys, Rules: c.cfg.Profile.Rules, Clock: c.now,
	}
	if slices.ContainsFunc(c.algorithms, isHMAC) {
		config.Secret = []byte(c.cfg.ClientSecret)
	}
	if p.verifier, err = idtoken.NewVerifier(config); err != nil {
		return nil, &ConfigError{Field: "Algorithm", Reason: err.Error(), Err: err}
	}
	p.userinfo = p.verifier
	if alg := c.cfg.UserInfoAlgorithm; alg != "" {
		if p.userinfo, err = idtoken.NewVerifier(c.otherVerifier(config, published, alg)); err != nil {
			return nil, &ConfigError{Field: "UserInfoAlgorithm", Reason: err.Error(), Err: err}
		}
	}
	if alg := c.cfg.IntrospectionAlgorithm; alg != "" {
		if p.about, err = idtoken.NewVerifier(c.otherVerifier(config, published, alg)); err != nil {
			return nil, &ConfigError{Field: "IntrospectionAlgorithm", Reason: err.Error(), Err: err}
		}
	}
	if isSignedMode(c.cfg.ResponseMode) {
		if p.responses, err = idtoken.NewVerifier(c.otherVerifier(config, published, c.cfg.responseAlgorithms()...)); err != nil {
			return nil, &ConfigError{Field: "ResponseAlgorithm", Reason: err.Error(), Err: err}
		}
	}
	return p, nil
}

// otherVerifier is as strict about other tokens as about ID tokens, but for what a
// profile tolerates in those. Each is verified with the provider's keys, or with the
// secret, by its own algorithm.
func (c *Client) otherVerifier(config idtoken.Config, published idtoken.KeySource, algs ...string) idtoken.Config {
	config.Algorithms, config.Rules, config.Secret, config.Keys = algs, idtoken.Rules{}, nil, published
	if slices.ContainsFunc(algs, isHMAC) {
		config.Secret, config.Keys = []byte(c.cfg.ClientSecret), nil
	}
	return config
}

func (c *Client) keySource(jwksURI string) (idtoken.KeySource, *ConfigError) {
	switch {
	case c.cfg.Profile.Keys == KeysFromCertificates:
		source, err := idtoken.NewCertificateChain(idtoken.ChainConfig{
			Anchors: c.cfg.TrustAnchors, Issuer: c.issuer, Thumbprints: c.cfg.Thumbprints,
			Revocation: c.cfg.Revocation, PEMTail: c.cfg.Profile.deviates(RuleCertificateDER), Clock: c.now,
		})
		if err != nil {
			return nil, &ConfigError{Field: "TrustAnchors", Reason: err.Error(), Err: err}
		}
		return source, nil
	case c.cfg.Keys != nil:
		return c.cfg.Keys, nil
	case c.cfg.Profile.Keys == KeysPinned:
		return nil, nil
	}
	if jwksURI == "" { // of a client that has nothing to verify with keys
		return noKeys{}, nil
	}
	source, wrong := c.remoteKeys(jwksURI)
	if wrong != nil {
		return nil, wrong
	}
	return source, nil
}

func (c *Client) remoteKeys(jwksURI string) (*idtoken.RemoteKeys, *ConfigError) {
	source, err := idtoken.NewRemoteKeys(idtoken.RemoteKeysConfig{URL: jwksURI, HTTPClient: c.http, Clock: c.now, Logger: c.log})
	if err != nil {
		return nil, &ConfigError{Field: "Provider", Reason: "jwks_uri: " + err.Error(), Err: err}
	}
	return source, nil
}

// noKeys is the key source of a client that has nothing to verify.
type noKeys struct{}

// VerifySignature implements [idtoken.KeySource].
func (noKeys) VerifySignature(context.Context, string) ([]byte, error) {
	return nil, errors.New("oidcclient: provider's keys are not configured")
}

// found returns the provider, and the client that is complete: itself, unless there was
// something to find out first.
func (c *Client) found(ctx context.Context) (*Client, *provider, error) {
	c, err := c.resolve(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.foundProvider(ctx)
	return c, p, err
}

// foundProvider returns the provider, finding it first if that has not been done. The
// search is shared by all who wait, dies with none of them, and is done anew
// after it failed.
func (c *Client) foundProvider(ctx context.Context) (*provider, error) {
	if p := c.provider.Load(); p != nil {
		return p, nil
	}
	result := c.finding.DoChan("", func() (any, error) {
		if p := c.provider.Load(); p != nil {
			return p, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*requestTimeout)
		defer cancel()
		p, err := c.find(ctx)
		if err != nil {
			c.log.WarnContext(ctx, "provider not found", "issuer", c.issuer, "client_id", c.cfg.ClientID, "error", err, "cause", errors.Unwrap(err))
			return nil, err
		}
		c.provider.Store(p)
		return p, nil
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*provider), nil
	case <-ctx.Done():
		return nil, outage(ctx, StepDiscover, ctx.Err())
	}
}

func (c *Client) find(ctx context.Context) (*provider, error) {
	m := ProviderMetadata{}
	if c.cfg.Provider != nil {
		m = *c.cfg.Provider
	}
	m.Issuer = c.issuer
	if c.cfg.Profile.Discovery == DiscoverTenant && c.cfg.Tenant != nil {
		located, err := c.cfg.Profile.Tenant.lookup(ctx, c.http, *c.cfg.Tenant)
		if err != nil {
			return nil, err
		}
		m = m.over(located)
	}
	if c.needs(&m) {
		discovered, err := discover(ctx, c.http, c.issuer, c.cfg.discoveryURL())
		if err != nil {
			return nil, err
		}
		m = m.over(discovered)
	}
	if fault := c.cfg.checkFAPIProvider(&m); fault != nil {
		return nil, fault
	}
	if err := c.lacks(&m); err != nil {
		return nil, err
	}
	if err := c.suits(&m); err != nil {
		return nil, err
	}
	p, wrong := c.newProvider(m)
	if wrong != nil {
		return nil, providerFault(StepDiscover, 0, "metadata can't be used: "+wrong.Reason)
	}
	c.log.InfoContext(ctx, "provider found", "issuer", c.issuer, "client_id", c.cfg.ClientID)
	return p, nil
}

// suits refuses metadata that contradict the configuration. What a provider says
// of its authentication methods is not among it: the lists leave out what is
// enabled for single clients, and the provider refuses a wrong one itself.
func (c *Client) suits(m *ProviderMetadata) error {
	if m.RequirePushedAuthorizationRequests && m.PushedAuthorizationRequestEndpoint == "" && c.cfg.RedirectURI != "" {
		return providerFault(StepDiscover, 0, "provider demands pushed requests, and its metadata name no endpoint for them")
	}
	if m.CodeChallengeMethods != nil && !c.cfg.Profile.NoPKCE && !slices.Contains(m.CodeChallengeMethods, "S256") {
		return providerFault(StepDiscover, 0, "provider does not support PKCE with S256, by its metadata")
	}
	return nil
}

// ProviderMetadata returns what is known of the provider: what was configured, and what
// was discovered for the rest. It discovers it first where that was not done.
func (c *Client) ProviderMetadata(ctx context.Context) (ProviderMetadata, error) {
	_, found, err := c.found(ctx)
	if err != nil {
		return ProviderMetadata{}, err
	}
	return found.clone(), nil
}

// Ready reports whether a login could be completed now: nil when the provider's
// metadata and keys are there. It fetches what is missing, and nothing that is
// there and still good.
func (c *Client) Ready(ctx context.Context) error {
	_, p, err := c.found(ctx)
	if err != nil {
		return err
	}
	if p.remote == nil {
		return nil
	}
	if err := p.remote.Ready(ctx); err != nil {
		return notBelieved(ctx, StepIdentity, err)
	}
	return nil
}

// MeetsACR reports whether an authentication context class is at least the given
// one, in the order of the client's profile.
func (c *Client) MeetsACR(least, acr string) bool {
	return acr != "" && c.cfg.Profile.Rules.ACR.Satisfies(acr, least)
}

// Format shows nothing of a secret, under every verb of package fmt.
func (c *Client) Format(f fmt.State, verb rune) { c.cfg.Format(f, verb) }

// ClientID returns the client identifier; "" before a client has registered itself.
func (c *Client) ClientID() string { return c.current().cfg.ClientID }

// Issuer returns the expected issuer; "" before it was found by an account.
func (c *Client) Issuer() string { return c.current().issuer }

// RedirectURI returns the configured redirect URI.
func (c *Client) RedirectURI() string { return c.cfg.RedirectURI }

// Scopes returns what each login asks for.
func (c *Client) Scopes() []string { return slices.Clone(c.cfg.scopes()) }

// Profile returns a copy of the client's profile.
func (c *Client) Profile() Profile { return c.cfg.Profile.clone() }

// Deviations lists where the client is laxer than the standards, and why.
func (c *Client) Deviations() []Deviation {
	all := slices.Clone(c.cfg.Profile.Deviations)
	if kind := c.cfg.responseType(); kind.accessToken {
		all = append(all, Deviation{
			Rule: RuleFrontChannelToken, Reason: "response type " + kind.name + " was configured",
			URL: "https://www.rfc-editor.org/rfc/rfc9700#section-2.1.2",
		})
	}
	if c.cfg.RequestAlgorithm == algNone {
		all = append(all, Deviation{
			Rule: RuleRequestSignature, Reason: "request objects without a signature were configured",
			URL: "https://www.rfc-editor.org/rfc/rfc9101#section-4",
		})
	}
	return all
}

// algNone is the name of what is no signature (RFC 7518 §3.6).
const algNone = "none"

func isHMAC(alg string) bool { return len(alg) > 2 && alg[:2] == "HS" }
