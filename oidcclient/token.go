package oidcclient

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

// tokenResponse is a successful answer of the token endpoint (RFC 6749 §5.1).
type tokenResponse struct {
	accessToken  string
	tokenType    string
	refreshToken string
	idToken      string
	scope        string
	hasScope     bool
	details      string // authorization_details, JSON; "" when nothing is said of them
	received     time.Time
	expiry       time.Time // zero: not said
	all          strictjson.Object
	flaw         *Error // of a refresh: what is wrong with a member beside the tokens
}

// maxToken bounds each member of a token response, in bytes.
const maxToken = 64 << 10

// Token makes a token request for a grant that has no method of its own, such
// as client_credentials (RFC 6749 §4.4), with the client's authentication. form
// holds grant_type and the grant's parameters; Token doesn't change it. Members
// of the answer beyond RFC 6749 §5.1 are in the token's Extra.
func (c *Client) Token(ctx context.Context, form url.Values) (*oauth2.Token, error) {
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, err
	}
	own := url.Values{}
	for name, values := range form {
		own[name] = values
	}
	key, err := c.own.get(c, &found.ProviderMetadata)
	if err != nil {
		return nil, err
	}
	answered, err := c.requestToken(ctx, StepGrant, found, own, key)
	if err != nil {
		return nil, err
	}
	var extra map[string]any
	if err := answered.all.Decode(&extra); err != nil {
		return nil, providerFault(StepGrant, http.StatusOK, "token response is not readable")
	}
	return answered.oauth2Token().WithExtra(extra), nil
}

func (t *tokenResponse) oauth2Token() *oauth2.Token {
	return &oauth2.Token{AccessToken: t.accessToken, TokenType: t.tokenType, RefreshToken: t.refreshToken, Expiry: t.expiry}
}

// requestToken sends one POST to the token endpoint and reads its answer. The token
// has to be bound to key, where that is not nil.
func (c *Client) requestToken(ctx context.Context, step Step, found *provider, form url.Values, key *keptProofKey) (*tokenResponse, error) {
	got, err := c.post(ctx, step, found, found.TokenEndpoint, form, key)
	if err != nil {
		return nil, err
	}
	types := []string{typeBearer}
	if key != nil {
		types = []string{typeDPoP}
	}
	if form.Get("grant_type") == grantExchange {
		types = append(types, typeNone)
	}
	return readTokenResponse(step, got, types, c.now())
}

// What an exchange gives need not be an access token, and then has no type of one (RFC
// 8693 §2.2.1).
const (
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeNone      = "N_A"
)

// post sends a form with the client's authentication, and with a proof where there
// is a key for it. A provider that asks for a proof with its nonce has done nothing
// yet and gets the form once more (RFC 9449 §8).
func (c *Client) post(ctx context.Context, step Step, found *provider, endpoint string, form url.Values, key *keptProofKey) (*fetch.Answer, error) {
	if key == nil {
		return c.postOnce(ctx, step, found, endpoint, form, nil, "")
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, providerFault(step, 0, "endpoint is not a URL")
	}
	nonce := c.nonces.of(u)
	got, err := c.postOnce(ctx, step, found, endpoint, form, key.get(), nonce)
	if err != nil {
		return nil, err
	}
	given := c.nonces.learn(u, got.Header)
	if given == "" || given == nonce || !wantsNonce(got) {
		return got, nil
	}
	if got, err = c.postOnce(ctx, step, found, endpoint, form, key.get(), given); err != nil {
		return nil, err
	}
	c.nonces.learn(u, got.Header)
	return got, nil
}

func (c *Client) postOnce(ctx context.Context, step Step, found *provider, endpoint string, form url.Values, key *assertion.ProofKey, nonce string) (*fetch.Answer, error) {
	accepted := "application/json"
	if c.cfg.IntrospectionAlgorithm != "" && endpoint == found.IntrospectionEndpoint {
		accepted = typeIntrospection
	}
	header := http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
		"Accept":       {accepted},
	}
	if key != nil {
		proof, err := key.Sign(ctx, assertion.Proof{Method: http.MethodPost, URL: endpoint, Nonce: nonce, IssuedAt: c.now()})
		if err != nil {
			return nil, keyFails(ctx, step, "proof of possession can't be signed", err)
		}
		header.Set("DPoP", proof)
	}
	if err := c.auth.apply(ctx, form, header, endpoint, &found.ProviderMetadata); err != nil {
		return nil, keyFails(ctx, step, "client assertion can't be signed", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, providerFault(step, 0, "endpoint is not a URL")
	}
	// A POST with a code or a refresh token must not be sent twice: without
	// GetBody the transport can't repeat it on a connection that broke.
	req.GetBody = nil
	req.Header = header
	return roundTrip(c.http, step, req)
}

// readTokenResponse judges the answer of the token endpoint, which has to be of one of
// these token types (RFC 6749 §7.1). A refresh whose tokens are good keeps them, whatever
// is wrong beside them: they may be the only ones that are left.
func readTokenResponse(step Step, got *fetch.Answer, types []string, now time.Time) (*tokenResponse, error) {
	if got.Status != http.StatusOK {
		return nil, tokenError(step, got)
	}
	object, err := readObject(step, got)
	if err != nil {
		return nil, err
	}
	t := &tokenResponse{all: object, received: now.UTC().Round(0)}
	for name, into := range map[string]*string{"access_token": &t.accessToken, "token_type": &t.tokenType, "refresh_token": &t.refreshToken} {
		value, _, flaw := t.text(step, name)
		if flaw != nil {
			return nil, flaw
		}
		*into = value
	}
	if t.accessToken == "" {
		// Some answer 200 with an error in it.
		return nil, tokenError(step, got)
	}
	which := slices.IndexFunc(types, func(one string) bool { return strings.EqualFold(t.tokenType, one) })
	if which < 0 {
		e := providerFault(step, got.Status, "token response has another token_type than "+types[0])
		e.Check = "token_type"
		return nil, e
	}
	t.tokenType = types[which]
	if flaw := t.readRest(step, now); flaw != nil {
		if step != StepRefresh {
			return nil, flaw
		}
		t.flaw = flaw
	}
	return t, nil
}

// text reads a member that is a string where it is there.
func (t *tokenResponse) text(step Step, name string) (value string, ok bool, flaw *Error) {
	value, ok, err := t.all.String(name)
	if err != nil || len(value) > maxToken {
		return "", false, providerFault(step, http.StatusOK, "token response has a "+name+" that is no string or too long")
	}
	return value, ok, nil
}

// readRest reads every member beside the tokens, and says what is wrong with one.
func (t *tokenResponse) readRest(step Step, now time.Time) (flaw *Error) {
	t.idToken, _, flaw = t.text(step, "id_token")
	var wrong *Error
	if t.scope, t.hasScope, wrong = t.text(step, "scope"); wrong != nil {
		flaw = wrong
	}
	if details, ok := t.all.Raw("authorization_details"); ok {
		if _, good := readDetails(details); good && len(details) <= maxToken {
			t.details = details
		} else {
			flaw = providerFault(step, http.StatusOK, "token response has authorization_details that are none (RFC 9396 §7), or too long")
		}
	}
	lifetime, err := expiresIn(t.all)
	if err != nil {
		flaw = providerFault(step, http.StatusOK, "token response has an expires_in that is no number of seconds")
	}
	if lifetime > 0 {
		t.expiry = now.Add(lifetime).UTC().Round(0)
	}
	return flaw
}

// maxLifetime is as long as any token is taken to live, in seconds.
const maxLifetime = math.MaxInt32

// expiresIn reads a lifetime in seconds. Digits in a string occur and are
// unambiguous; 0 means that nothing was said.
func expiresIn(object strictjson.Object) (time.Duration, error) {
	text, ok, err := object.String("expires_in")
	if err == nil && ok && strings.Trim(text, "0123456789") != "" {
		return 0, errors.New("not digits")
	}
	if err != nil {
		number, _, err := object.Number("expires_in")
		if err != nil {
			return 0, err
		}
		text, ok = number.String(), true
	}
	if !ok {
		return 0, nil
	}
	seconds, err := strconv.ParseFloat(text, 64) // of 1e3, 1000.0 and 1000 alike
	if err != nil && !errors.Is(err, strconv.ErrRange) || seconds < 0 {
		return 0, errors.New("not a number of seconds")
	}
	return time.Duration(min(seconds, maxLifetime)) * time.Second, nil
}

// tokenError reads an error of the token endpoint (RFC 6749 §5.2), also in the
// envelopes that providers have of their own. Of the provider's words only the
// error code is kept.
func tokenError(step Step, got *fetch.Answer) *Error {
	e := &Error{Step: step, Fault: FaultProvider, Status: got.Status, Reason: "provider did not grant the request"}
	if got.Unavailable() {
		e.Fault = FaultOutage
		return e
	}
	object, err := strictjson.ParseObject(got.Body, maxDepth)
	if err != nil {
		e.Reason = "answer is no OAuth error"
		return e
	}
	code, _, err := object.String("error")
	if err != nil || code == "" {
		e.Reason = "answer is no OAuth error"
		if _, ok := object.Raw("status"); ok && got.Status < 300 {
			e.Reason = "answer has a status and no token"
		}
		return e
	}
	e.Code = safeCode(code)
	switch code {
	case "invalid_grant", "access_denied", "expired_token", "interaction_required", "login_required", "consent_required",
		"authorization_pending", "slow_down", "unknown_user_id", "transaction_failed", "expired_login_hint_token",
		"invalid_binding_message", "missing_user_code", "invalid_user_code", "invalid_id_token_hint", "expired_id_token_hint":
		e.Fault = FaultAnswer
		if step == StepRefresh && (code == "authorization_pending" || code == "slow_down") {
			e.Fault = FaultOutage // says to ask later, and nothing against the refresh token
		}
	case "temporarily_unavailable":
		e.Fault = FaultOutage
	}
	return e
}
