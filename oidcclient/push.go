package oidcclient

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rely-go/rely/internal/strictjson"
)

// maxRequestURI bounds what a provider answers to a pushed request, in bytes: it
// travels in a URL.
const maxRequestURI = 2048

// push sends an authorization request to the provider, authenticated as every
// request of this client, and returns the reference that stands for it (RFC 9126
// §2). key, where it is not nil, says already now what the code will be bound to (RFC
// 9449 §10.1).
func (c *Client) push(ctx context.Context, found *provider, params url.Values, key *keptProofKey) (string, error) {
	if found.PushedAuthorizationRequestEndpoint == "" {
		return "", providerFault(StepPush, 0, "provider has no endpoint for pushed requests")
	}
	form := url.Values{}
	for name, values := range params {
		form[name] = values
	}
	form.Set("client_id", c.cfg.ClientID)
	got, err := c.post(ctx, StepPush, found, found.PushedAuthorizationRequestEndpoint, form, key)
	if err != nil {
		return "", err
	}
	switch {
	case got.Status == http.StatusOK:
		return "", providerFault(StepPush, got.Status, "answer is not 201 Created (RFC 9126 §2.2)")
	case got.Status != http.StatusCreated:
		return "", tokenError(StepPush, got)
	}
	if !got.IsJSON() {
		return "", providerFault(StepPush, got.Status, "answer is not JSON by its content type")
	}
	object, err := strictjson.ParseObject(got.Body, maxDepth)
	if err != nil {
		return "", providerFault(StepPush, got.Status, "answer is not one strict JSON object")
	}
	reference, _, err := object.String("request_uri")
	if err != nil || reference == "" || len(reference) > maxRequestURI || strings.ContainsAny(reference, " \t\r\n\"<>\\") {
		return "", providerFault(StepPush, got.Status, "answer has no request_uri that can be sent")
	}
	if lifetime, err := expiresIn(object); err != nil || lifetime <= 0 {
		return "", providerFault(StepPush, got.Status, "answer has no expires_in (RFC 9126 §2.2)")
	}
	return reference, nil
}
