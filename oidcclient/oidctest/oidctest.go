// Package oidctest is a set of OpenID providers for tests: a generic one and
// one for each of iSHARE, BankID Norway, BlockID and Umbrella Faces, which
// behave as those systems are published. A [Provider] listens on loopback,
// needs no set-up, and refuses what the published provider refuses:
//
//	op, err := oidctest.New(oidctest.Config{
//		System:       oidctest.BankID,
//		RedirectURIs: []string{app.URL + "/callback"},
//	})
//	if err != nil {
//		t.Fatal(err)
//	}
//	defer op.Close()
//	registered := op.Client() // what the relying party has to be configured with
//
// Every login is approved at once as the first of the [Person] list, so that a
// test needs no browser; with Config.Interactive a page asks a human to choose.
// A test can look at what was sent ([Provider.Requests]) and can make the
// provider misbehave ([Provider.OnToken], [Provider.OnCallback],
// [Provider.Answer], [Provider.Down]), also in every way of a list that says how
// each must end ([Misbehaviours], [Provider.Misbehave]).
//
// The package shares no code with the client it tests: it signs, verifies and
// decrypts with the standard library only, so that a mistake on one side is not
// repeated on the other. It is not a provider for anything but tests: keys live
// in memory, persons are invented, and everybody who reaches the port may log in
// as any of them.
package oidctest

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A System names the published behaviour that a [Provider] has.
type System uint8

// The systems. The zero value is a generic OpenID provider.
const (
	// Generic is OpenID Connect Core with Discovery, RP-Initiated, Front-Channel
	// and Back-Channel Logout, PKCE (RFC 7636), the iss parameter (RFC 9207),
	// request objects by value and reference (RFC 9101), pushed authorization
	// requests (RFC 9126), DPoP (RFC 9449), client registration (RFC 7591) and
	// WebFinger. To a request without the scope openid it is an authorization server
	// of OAuth 2.0, with the same metadata also at the place of RFC 8414.
	Generic System = iota
	// IShare is an identity provider of the iSHARE scheme: party identifiers,
	// certificate chains in x5c, signed request objects in a posted form.
	IShare
	// BankID is BankID Norway: ES256, userinfo as a signed JWT on another origin.
	BankID
	// BlockID is BlockID by 1Kosmos: a tenant directory, and authorization by a
	// proof of authentication in the back channel or by browser.
	BlockID
	// Faces is Umbrella Faces: OAuth 2.0 with an ID token that is none.
	Faces
)

// Systems returns all systems in the order of their constants.
func Systems() []System { return []System{Generic, IShare, BankID, BlockID, Faces} }

// String returns the name of the system as configuration files write it:
// "oidc", "ishare", "bankid", "blockid" or "faces".
func (s System) String() string {
	if d, err := describe(s); err == nil {
		return d.name
	}
	return fmt.Sprintf("System(%d)", uint8(s))
}

// A Config says what provider to start. The zero value is a generic provider on
// a free port that accepts no redirect URI yet.
type Config struct {
	// System is the published behaviour to show.
	System System

	// Addr is the address to listen on, a loopback address with port. Empty: a
	// free port of 127.0.0.1.
	Addr string

	// Clock tells the time of all tokens and checks. Nil: time.Now.
	Clock func() time.Time

	// RedirectURIs are the client's registered redirect URIs, compared exactly.
	// Empty: every login is refused until [Provider.SetRedirectURIs]. IShare
	// registers none (the signature protects them) and checks these only when
	// there are some.
	RedirectURIs []string

	// PostLogoutRedirectURIs are where the browser may be sent after logout
	// (OpenID Connect RP-Initiated Logout §3).
	PostLogoutRedirectURIs []string

	// BackChannelLogoutURI receives the logout tokens of
	// [Provider.BackChannelLogout].
	BackChannelLogoutURI string

	// FrontChannelLogoutURI is the base of [Provider.FrontChannelLogoutURL].
	FrontChannelLogoutURI string

	// ClientID and ClientSecret are the client's registration. Empty: made by
	// New; see [Provider.Client]. IShare derives the id from the certificate
	// that it makes for the client and has no secret.
	ClientID, ClientSecret string

	// InitialAccessToken is demanded of who registers a client under Generic. Empty:
	// nothing is. Whoever registers becomes the one client; its redirect URIs are
	// those of the latest registration.
	InitialAccessToken string

	// AuthMethod is the client's one token_endpoint_auth_method:
	// client_secret_basic, client_secret_post, client_secret_jwt,
	// private_key_jwt or none, as far as the system supports it. Empty: what the
	// system prefers.
	AuthMethod string

	// ClientKey verifies what the client signs (private_key_jwt, request
	// objects): an RSA, ECDSA P-256 or Ed25519 public key. Nil: New makes a key
	// pair and hands it out in [Client]. IShare always makes its own, because
	// the key needs a certificate.
	ClientKey crypto.PublicKey

	// ClientJWKSURI is where the client publishes its keys for signatures, of RSA, P-256
	// or Ed25519; they are used instead of ClientKey, by their kid, under every system
	// but IShare. What was fetched is good for ten minutes by Clock, and a key that
	// appears in between is not known, as with real providers.
	ClientJWKSURI string

	// SigningAlg signs ID tokens: RS256, PS256, ES256 or EdDSA under Generic,
	// RS256, RS384 or RS512 under IShare, ES256 or RS256 under BankID, RS256
	// elsewhere. Empty: the first of each of these lists.
	SigningAlg string

	// DPoPNonces demands a nonce of the provider's in each proof of possession (RFC
	// 9449 §8, §9), of which each is good for one request. Generic binds tokens to
	// the key of a proof wherever one is sent, with or without nonces; others know no
	// proofs.
	DPoPNonces bool

	// Persons can log in. Empty: two or three invented ones. The first is the
	// one that is approved without asking.
	Persons []Person

	// Interactive shows a page on which a human chooses the person. False: every
	// valid authorization request is approved at once.
	Interactive bool

	// IShare, BankID and BlockID hold what only these systems have.
	IShare  IShareOptions
	BankID  BankIDOptions
	BlockID BlockIDOptions
}

// IShareOptions are variants seen among iSHARE parties.
type IShareOptions struct {
	// EncryptedRequests demands that the request object is encrypted to the
	// provider's certificate (JWE with RSA-OAEP and A256GCM) after signing.
	EncryptedRequests bool
	// PEMTail writes the x5c elements after the leaf as base64 of PEM text, as
	// the scheme's published samples do, instead of base64 of DER.
	PEMTail bool
	// NumberDates writes exp, iat and auth_time of ID tokens as JSON numbers.
	// False: as strings, like the published sample.
	NumberDates bool
	// Refusals is the shape of refusals at the token endpoint.
	Refusals RefusalShape
}

// A RefusalShape is how an iSHARE party says no at its token endpoint.
type RefusalShape uint8

const (
	// RefuseOAuth answers 400 with {"error":…}, as RFC 6749 §5.2 and the scheme
	// say.
	RefuseOAuth RefusalShape = iota
	// RefuseWithOK answers 200 with {"status":false,"message":…}.
	RefuseWithOK
	// RefuseWithAccepted answers 202 with {"status":false,"message":…}.
	RefuseWithAccepted
)

// BankIDOptions are the variants of BankID's API generations.
type BankIDOptions struct {
	// StringAMR writes amr as one string, as API version 1 did.
	StringAMR bool
	// LowerCaseTokenType writes token_type as "bearer", as versions 1 and 2 did.
	LowerCaseTokenType bool
	// RefuseClientIDInBody refuses token requests that authenticate by Basic and
	// repeat client_id in the body, as the pilot of 2017 did.
	RefuseClientIDInBody bool
}

// BlockIDOptions are the variants of a BlockID tenant.
type BlockIDOptions struct {
	// Community is the name of the tenant's community. Empty: "devx".
	Community string
	// OmitFirstRefreshToken leaves refresh_token out of the answer to an
	// authorization code, as the published sample of that answer does, unless
	// offline_access was asked for.
	OmitFirstRefreshToken bool
}

// A Provider is one running provider. All methods may be called concurrently.
type Provider struct {
	config Config
	desc   *description
	clock  func() time.Time

	base         string // scheme, host and port
	userInfoBase string // the same of the second listener, else equal to base
	servers      []*http.Server
	serving      sync.WaitGroup
	outgoing     *http.Client
	spareKeys    sync.Once // when closed

	client *registration
	secret []byte // key of the pseudonyms
	pki    *pki   // certificates, where the system has them

	mu         sync.Mutex // guards what follows and the URIs in config
	keys       []signingKey
	clientKeys *clientKeys  // nil before they were fetched
	retired    []signingKey // the latest former keys
	state      state
	hooks      hooks
}

// New starts a provider. It fails on a configuration that the system does not
// have and on an address that is not a free one on loopback. The first ones in a
// process take some tenths of a second to generate keys; later ones take the keys of
// those that were closed.
func New(config Config) (*Provider, error) {
	desc, err := describe(config.System)
	if err != nil {
		return nil, err
	}
	config.RedirectURIs = slices.Clone(config.RedirectURIs)
	config.PostLogoutRedirectURIs = slices.Clone(config.PostLogoutRedirectURIs)
	config.Persons = slices.Clone(config.Persons)
	p := &Provider{config: config, desc: desc, clock: config.Clock, state: newState(), hooks: newHooks()}
	if p.clock == nil {
		p.clock = time.Now
	}
	if len(p.config.Persons) == 0 {
		p.config.Persons = desc.persons()
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.outgoing = &http.Client{
		Timeout:       5 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if err := p.makeKeys(); err != nil {
		return nil, err
	}
	if err := p.register(); err != nil {
		return nil, err
	}
	if err := p.checkPersons(); err != nil {
		return nil, err
	}
	if err := p.listen(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// check refuses a configuration that the system does not have.
func (p *Provider) check() error {
	if p.config.SigningAlg == "" {
		p.config.SigningAlg = p.desc.algs[0]
	}
	if !slices.Contains(p.desc.algs, p.config.SigningAlg) {
		return fmt.Errorf("oidctest: SigningAlg is not one of %s", strings.Join(p.desc.algs, ", "))
	}
	if p.config.AuthMethod == "" {
		p.config.AuthMethod = p.desc.authMethods[0]
	}
	if !slices.Contains(p.desc.authMethods, p.config.AuthMethod) {
		return fmt.Errorf("oidctest: AuthMethod is not one of %s", strings.Join(p.desc.authMethods, ", "))
	}
	return nil
}

// checkPersons refuses a person whom the system could not identify.
func (p *Provider) checkPersons() error {
	for i, person := range p.config.Persons {
		if person.Subject == "" || p.desc.subject(p, person) == "" {
			return fmt.Errorf("oidctest: Persons[%d] has no Subject or, under BlockID, no Username", i)
		}
	}
	return nil
}

// listen opens the listeners and starts serving.
func (p *Provider) listen() error {
	addr := p.config.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("oidctest: Addr is no address with port")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("oidctest: Addr is not on loopback")
	}
	main, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	p.base = "http://" + main.Addr().String()
	p.userInfoBase = p.base
	listeners := []net.Listener{main}
	if p.desc.userInfoApart {
		second, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return fmt.Errorf("oidctest: %w", errors.Join(err, main.Close()))
		}
		p.userInfoBase = "http://" + second.Addr().String()
		listeners = append(listeners, second)
	}
	for i, l := range listeners {
		s := &http.Server{Handler: p.handler(i == 1), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 17}
		p.servers = append(p.servers, s)
		p.serving.Go(func() { _ = s.Serve(l) }) // ends with http.ErrServerClosed in Close
	}
	return nil
}

// Close ends the listeners and all connections. It gives requests that are being
// answered half a second to end. Closing twice does no harm.
func (p *Provider) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
	defer cancel()
	var errs []error
	for _, s := range p.servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, s.Close())
		}
	}
	p.serving.Wait()
	p.outgoing.CloseIdleConnections()
	p.spareKeys.Do(p.giveKeys)
	return errors.Join(errs...)
}

// URL returns the base URL: scheme, host and port, without a final slash.
func (p *Provider) URL() string { return p.base }

// Issuer returns the issuer of the provider's ID tokens: a URL, or the party
// identifier under IShare. Faces' tokens name no issuer; for it this is the base
// URL, the value to configure as the relying party's own name of the provider.
func (p *Provider) Issuer() string { return p.desc.issuer(p) }

// Persons returns the persons who can log in.
func (p *Provider) Persons() []Person { return slices.Clone(p.config.Persons) }

func (p *Provider) now() time.Time { return p.clock() }
