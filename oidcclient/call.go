package oidcclient

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
)

// An Endpoint is one of the provider's beyond those that a login needs, by its
// registered name in the metadata.
type Endpoint string

// The endpoints that [Client.Call] can reach.
const (
	EndpointDevice      Endpoint = "device_authorization_endpoint"       // RFC 8628
	EndpointBackchannel Endpoint = "backchannel_authentication_endpoint" // OpenID Connect CIBA Core
	EndpointIntrospect  Endpoint = "introspection_endpoint"              // RFC 7662
	EndpointRevoke      Endpoint = "revocation_endpoint"                 // RFC 7009
)

// Call posts a form to an endpoint with the client's authentication, which is
// made anew for each call. form is not changed, and sent signed where
// [Config.BackchannelAlgorithm] says so. The answer is one strict JSON object, or
// nothing where the endpoint answers 200 without a body, or revokes (RFC 7009 §2.2). The
// error is an [*Error] of StepGrant; its Code is the provider's.
//
// It is what package grants is made of, and serves endpoints that the package does
// not know.
func (c *Client) Call(ctx context.Context, endpoint Endpoint, form url.Values) ([]byte, error) {
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found.endpoints(), func(e [2]string) bool { return e[0] == string(endpoint) })
	if i < 0 || found.endpoints()[i][1] == "" {
		return nil, providerFault(StepGrant, 0, "provider has no "+string(endpoint))
	}
	own := url.Values{}
	for name, values := range form {
		own[name] = values
	}
	if endpoint == EndpointDevice {
		own.Set("client_id", c.cfg.ClientID) // RFC 8628 §3.1
	}
	if endpoint == EndpointBackchannel && c.cfg.BackchannelAlgorithm != "" {
		signed, err := c.requests.BackchannelRequest(ctx, found.Issuer, form)
		if err != nil {
			return nil, keyFails(ctx, StepGrant, "request can't be signed", err)
		}
		own = url.Values{"request": {signed}}
	}
	got, err := c.post(ctx, StepGrant, found, found.endpoints()[i][1], own, nil)
	if err != nil {
		return nil, err
	}
	if got.Status != http.StatusOK {
		return nil, tokenError(StepGrant, got)
	}
	if endpoint == EndpointIntrospect && c.cfg.IntrospectionAlgorithm != "" {
		return c.readIntrospection(ctx, found, got)
	}
	if len(got.Body) == 0 || endpoint == EndpointRevoke {
		return nil, nil
	}
	if _, err := readObject(StepGrant, got); err != nil {
		return nil, err
	}
	return got.Body, nil
}

// typeIntrospection is the media type of signed answers about tokens (RFC 9701 §4).
const typeIntrospection = "application/token-introspection+jwt"

// readIntrospection returns what the provider has signed about a token.
func (c *Client) readIntrospection(ctx context.Context, found *provider, got *fetch.Answer) ([]byte, error) {
	if got.MediaType != typeIntrospection {
		e := providerFault(StepGrant, got.Status, "answer about a token is not signed, and that was agreed (RFC 9701 §5)")
		e.Check = "introspection signature"
		return nil, e
	}
	raw, _, err := c.decrypted(ctx, StepGrant, c.cfg.IntrospectionEncrypted, string(got.Body))
	if err != nil {
		return nil, err
	}
	about, err := found.about.VerifyIntrospection(ctx, raw)
	if err != nil {
		return nil, notBelieved(ctx, StepGrant, err)
	}
	return about, nil
}

// LoginWithGrant logs a person in by a token request that no browser came back
// for, such as that of a device (RFC 8628) or of CIBA: form holds grant_type and
// the grant's parameters, and is not changed. The ID token is judged as in
// [Client.Complete], but for nonce and max_age, which nobody has sent, and for
// c_hash, as there is no code. want adds what it has to satisfy.
func (c *Client) LoginWithGrant(ctx context.Context, form url.Values, want GrantExpect) (*Session, error) {
	asked, refused := readAsked(want.Claims)
	if refused != nil {
		return nil, at(StepGrant, refused)
	}
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, err
	}
	if want.MinACR == "" {
		want.MinACR = c.cfg.MinACR
	}
	if c.cfg.Profile.Identity == IdentifyNobody && (want.MinACR != "" || want.Claims != "" || want.AuthRequestID != "") {
		return nil, refuse(StepGrant, "id_token", "client identifies nobody, so that nothing could hold this")
	}
	if c.cfg.Profile.Identity == IdentifyByLegacyToken && want.MinACR != "" {
		return nil, refuse(StepGrant, "acr", "a legacy identity says nothing of this")
	}
	own := url.Values{}
	for name, values := range form {
		own[name] = values
	}
	key, err := c.newProofKey(StepGrant, &found.ProviderMetadata)
	if err != nil {
		return nil, err
	}
	answered, err := c.requestToken(ctx, StepGrant, found, own, key)
	if err != nil {
		return nil, err
	}
	d := &pendingData{Scopes: want.Scopes, MinACR: want.MinACR, Asked: asked, DPoPKey: key.sealed()}
	session, err := c.identify(ctx, found, d, answered, "")
	if err != nil {
		return nil, err
	}
	if id := want.AuthRequestID; id != "" {
		if err := session.isForRequest(id); err != nil {
			return nil, notBelieved(ctx, StepIdentity, err)
		}
	}
	if c.cfg.UserInfo {
		if session, err = c.UserInfo(ctx, session); err != nil {
			return nil, err
		}
	}
	return c.withSources(ctx, found, session), nil
}

// GrantExpect is what the tokens of a grant have to satisfy. The zero value adds
// nothing.
type GrantExpect struct {
	// Scopes were asked for: what the access token is good for where the provider
	// says nothing.
	Scopes []string
	// MinACR is the least assurance that is accepted; "" means that of the
	// configuration.
	MinACR string
	// Claims is the claims request that was sent, or "": what it demands of the ID token
	// is checked, see [BeginOptions.Claims].
	Claims string
	// AuthRequestID, of CIBA, has to be in the ID token where that has the claim
	// urn:openid:params:jwt:claim:auth_req_id (OpenID Connect CIBA Core §10.3.1).
	AuthRequestID string
}

// Check refuses what [Client.LoginWithGrant] would refuse before it asks anybody, with its
// error: for those who ask a person first.
func (e GrantExpect) Check() error {
	if _, err := readAsked(e.Claims); err != nil {
		return at(StepGrant, err)
	}
	return nil
}

// isForRequest compares the request that an ID token names with the one that was
// made.
func (s *Session) isForRequest(id string) error {
	claims := map[string]any{}
	if err := s.Claims(&claims); err != nil {
		return err
	}
	named, there := claims["urn:openid:params:jwt:claim:auth_req_id"]
	if there && named != id {
		return &idtoken.Error{Check: idtoken.CheckNonce, Reason: "ID token is for another request"}
	}
	return nil
}
