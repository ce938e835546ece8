package oidcclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

// UserInfo asks the userinfo endpoint with the session's access token (OpenID
// Connect Core §5.3) and returns the session with the answer; s stays as it is.
// An answer about another subject is refused (§5.3.2), and so is an unsigned one
// where the profile demands a signature.
func (c *Client) UserInfo(ctx context.Context, s *Session) (*Session, error) {
	c, found, err := c.found(ctx)
	if err != nil {
		return nil, at(StepUserInfo, err)
	}
	if s == nil || s.data.ClientID != c.cfg.ClientID || s.data.Issuer != c.issuer {
		return nil, refuse(StepUserInfo, "session", "session is another client's")
	}
	if !s.Identified() {
		return nil, refuse(StepUserInfo, "userinfo sub", "session identifies nobody whom the answer could be about")
	}
	if found.UserInfoEndpoint == "" {
		return nil, providerFault(StepUserInfo, 0, "provider has no userinfo endpoint")
	}
	if s.data.AccessToken == "" {
		return nil, refuse(StepUserInfo, "access_token", "session has no access token")
	}
	got, err := c.askUserInfo(ctx, found, s)
	if err != nil {
		return nil, err
	}
	claims, err := c.readUserInfo(ctx, found, s.data.Subject, got)
	if err != nil {
		return nil, err
	}
	if len(claims) > maxUserInfo {
		return nil, providerFault(StepUserInfo, got.Status, "userinfo is too long to be kept")
	}
	fresh := *s
	fresh.data.UserInfo = string(claims)
	return &fresh, nil
}

// maxUserInfo bounds userinfo, in bytes: a session has to be short enough to be sealed.
const maxUserInfo = 240 << 10

func (c *Client) askUserInfo(ctx context.Context, found *provider, s *Session) (*fetch.Answer, error) {
	ask := func(nonce string) (*http.Request, *fetch.Answer, error) {
		req, err := c.userInfoRequest(ctx, found, s, nonce)
		if err != nil {
			return nil, nil, err
		}
		got, err := roundTrip(c.http, StepUserInfo, req)
		return req, got, err
	}
	u, err := url.Parse(found.UserInfoEndpoint)
	if err != nil {
		return nil, providerFault(StepUserInfo, 0, "userinfo endpoint is not a URL")
	}
	nonce := c.nonces.of(u)
	req, got, err := ask(nonce)
	if err == nil && s.proofKey != nil {
		given := c.nonces.learn(req.URL, got.Header)
		if given != "" && given != nonce && wantsNonceAtAPI(got.Status, got.Header) {
			_, got, err = ask(given)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case got.Status == http.StatusUnauthorized || got.Status == http.StatusForbidden:
		return nil, &Error{Step: StepUserInfo, Fault: FaultAnswer, Check: "access_token", Status: got.Status, Reason: "provider refused the access token"}
	}
	return got, nil
}

// userInfoRequest shows the access token in the header, or in the body to a provider
// that takes it only there (RFC 6750 §2.1, §2.2).
func (c *Client) userInfoRequest(ctx context.Context, found *provider, s *Session, nonce string) (*http.Request, error) {
	rules := &c.cfg.Profile.UserInfo
	method, contentType, body := rules.Method, "", ""
	switch {
	case rules.TokenInBody:
		method, contentType = http.MethodPost, "application/x-www-form-urlencoded"
		body = url.Values{"access_token": {s.data.AccessToken}}.Encode()
	case method == http.MethodPost:
		contentType = "application/json"
	case method == "":
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, found.UserInfoEndpoint, strings.NewReader(body))
	if err != nil {
		return nil, providerFault(StepUserInfo, 0, "userinfo endpoint is not a URL")
	}
	req.Header.Set("Accept", "application/json, application/jwt")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if rules.TokenInBody {
		return req, nil
	}
	if err := s.AccessToken().authorize(ctx, req, nonce, c.now()); err != nil {
		return nil, keyFails(ctx, StepUserInfo, "proof of possession can't be signed", err)
	}
	return req, nil
}

// readUserInfo returns the claims of an answer that is believed.
func (c *Client) readUserInfo(ctx context.Context, found *provider, subject string, got *fetch.Answer) (json.RawMessage, error) {
	signed := got.MediaType == "application/jwt"
	if agreed := c.cfg.UserInfoEncrypted; agreed != nil && got.Status == http.StatusOK {
		inner, text, err := c.decrypted(ctx, StepUserInfo, agreed, string(got.Body))
		if err != nil {
			return nil, err
		}
		opened := *got
		// Where a signature was agreed it is there, whatever the sender calls it.
		opened.Body, opened.MediaType, signed = []byte(inner), "application/json", !text || c.cfg.UserInfoAlgorithm != ""
		got = &opened
	}
	if got.Status == http.StatusOK && signed && found.verifier != nil {
		claims, err := found.userinfo.VerifyUserInfo(ctx, string(got.Body), idtoken.UserInfoExpect{
			Issuers: c.userInfoIssuers(found), Subject: subject,
		})
		if err != nil {
			return nil, notBelieved(ctx, StepUserInfo, err)
		}
		var raw json.RawMessage
		if err := claims.Claims(&raw); err != nil {
			return nil, providerFault(StepUserInfo, got.Status, "userinfo is not readable")
		}
		return raw, nil
	}
	object, err := readObject(StepUserInfo, got)
	if err != nil {
		return nil, err
	}
	if c.cfg.Profile.UserInfo.Signed || c.cfg.UserInfoAlgorithm != "" {
		return nil, refuse(StepUserInfo, "userinfo signature", "answer is not signed")
	}
	if sub, _, err := object.String("sub"); err != nil || sub != subject {
		return nil, refuse(StepUserInfo, "userinfo sub", "answer is about another subject than the ID token")
	}
	if err := strictjson.Unmarshal(got.Body, &map[string]any{}, maxDepth); err != nil {
		return nil, providerFault(StepUserInfo, got.Status, "userinfo is not readable")
	}
	return json.RawMessage(got.Body), nil
}

// userInfoIssuers lists who may have signed a userinfo answer.
func (c *Client) userInfoIssuers(found *provider) []string {
	issuers := append(slices.Clone(c.cfg.UserInfoIssuers), c.issuer)
	if u, err := url.Parse(found.UserInfoEndpoint); err == nil && c.cfg.Profile.UserInfo.OriginIssues {
		origin := u.Scheme + "://" + u.Host
		issuers = append(issuers, origin, origin+"/", found.UserInfoEndpoint)
	}
	return issuers
}
