package oidcclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

// Registration is a client that a provider has registered (RFC 7591 §3.2.1, RFC
// 7592 §3). Keep it: the provider does not show it again, and its secrets are in it.
type Registration struct {
	// ClientID and ClientSecret are for [Config]; there may be no secret.
	ClientID, ClientSecret string
	// SecretEndsAt is when the secret ends; zero: it doesn't.
	SecretEndsAt time.Time
	// AccessToken and URI are for managing the registration; "" where the provider
	// does not offer that.
	AccessToken, URI string

	metadata json.RawMessage
	endSaid  bool // the answer had client_secret_expires_at
}

// Metadata decodes what was registered into v, by exact names: a provider may have
// changed what was asked for (RFC 7591 §3.2.1).
func (r *Registration) Metadata(v any) error { return strictjson.Unmarshal(r.metadata, v, maxDepth) }

// String shows no secret.
func (r Registration) String() string {
	return "oidcclient.Registration{" + r.ClientID + " " + redacted + "}"
}

// Format keeps secrets out of every verb of package fmt.
func (r Registration) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue keeps secrets out of logs.
func (r Registration) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Registrar registers clients at one provider. It is a value: set its fields.
type Registrar struct {
	// Endpoint is the provider's registration_endpoint: https, or http on loopback.
	// Required to register.
	Endpoint string
	// AccessToken is the initial access token, where the provider wants one.
	AccessToken string
	// HTTPClient makes the requests; nil means one of the default transport. No
	// redirect is followed.
	HTTPClient *http.Client
}

// String shows no secret.
func (r Registrar) String() string { return "oidcclient.Registrar{" + r.Endpoint + "}" }

// Format keeps secrets out of every verb of package fmt.
func (r Registrar) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue keeps secrets out of logs.
func (r Registrar) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalJSON keeps secrets out of JSON.
func (r Registrar) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// Register registers a client with these metadata (RFC 7591 §3.1), anything that
// encodes to a JSON object with registered names. The error is an [*Error] of
// StepRegister.
func (r Registrar) Register(ctx context.Context, metadata any) (*Registration, error) {
	if metadata == nil {
		return nil, refuse(StepRegister, "metadata", "there are no metadata")
	}
	return r.send(ctx, http.MethodPost, r.Endpoint, r.AccessToken, metadata, http.StatusCreated)
}

// Read returns a registration as it is now (RFC 7592 §2.1).
func (r Registrar) Read(ctx context.Context, known *Registration) (*Registration, error) {
	return r.manage(ctx, http.MethodGet, known, nil)
}

// Update replaces what is registered (RFC 7592 §2.2): metadata are all that shall be
// there, such as what [Registration.Metadata] said, changed. client_id is added, and
// what the provider alone decides is left out. Keep what is returned: secret and token may be new.
func (r Registrar) Update(ctx context.Context, known *Registration, metadata any) (*Registration, error) {
	text, err := json.Marshal(metadata)
	if err != nil {
		return nil, refuse(StepRegister, "metadata", "metadata can't be encoded")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, refuse(StepRegister, "metadata", "metadata are no JSON object")
	}
	for _, name := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		delete(members, name)
	}
	members["client_id"], _ = json.Marshal(known.ClientID) // a string can always be encoded
	return r.manage(ctx, http.MethodPut, known, members)
}

// Delete ends a registration (RFC 7592 §2.3).
func (r Registrar) Delete(ctx context.Context, known *Registration) error {
	got, err := r.ask(ctx, http.MethodDelete, known.URI, known.AccessToken, nil)
	if err != nil {
		return err
	}
	if got.Status != http.StatusNoContent {
		return registrationError(got)
	}
	return nil
}

func (r Registrar) manage(ctx context.Context, method string, known *Registration, metadata any) (*Registration, error) {
	fresh, err := r.send(ctx, method, known.URI, known.AccessToken, metadata, http.StatusOK)
	if err != nil {
		return nil, err
	}
	if fresh.ClientID != known.ClientID {
		return nil, providerFault(StepRegister, http.StatusOK, "answer is about another client")
	}
	// What isn't mentioned stays (RFC 7592 §3).
	if fresh.ClientSecret == "" {
		fresh.ClientSecret = known.ClientSecret
		if !fresh.endSaid {
			fresh.SecretEndsAt = known.SecretEndsAt
		}
	}
	if fresh.AccessToken == "" {
		fresh.AccessToken = known.AccessToken
	}
	if fresh.URI == "" {
		fresh.URI = known.URI
	}
	return fresh, nil
}

func (r Registrar) send(ctx context.Context, method, target, token string, metadata any, status int) (*Registration, error) {
	got, err := r.ask(ctx, method, target, token, metadata)
	if err != nil {
		return nil, err
	}
	if got.Status != status {
		return nil, registrationError(got)
	}
	if !got.IsJSON() {
		return nil, providerFault(StepRegister, got.Status, "answer is not JSON by its content type")
	}
	object, err := strictjson.ParseObject(got.Body, maxDepth)
	if err != nil {
		return nil, providerFault(StepRegister, got.Status, "answer is not one strict JSON object")
	}
	return readRegistration(object, got)
}

func (r Registrar) ask(ctx context.Context, method, target, token string, metadata any) (*fetch.Answer, error) {
	if target == "" {
		return nil, refuse(StepRegister, "endpoint", "there is no place to register, or the provider gave none to manage this registration (RFC 7592)")
	}
	if _, err := fetch.CheckURL(target); err != nil {
		return nil, refuse(StepRegister, "endpoint", "endpoint "+err.Error())
	}
	var body io.Reader
	if metadata != nil {
		text, err := json.Marshal(metadata)
		if err != nil || len(text) == 0 || text[0] != '{' {
			return nil, refuse(StepRegister, "metadata", "metadata are no JSON object")
		}
		body = bytes.NewReader(text)
	}
	client, err := fetch.NewClient(r.HTTPClient, nil, nil)
	if err != nil {
		return nil, refuse(StepRegister, "endpoint", err.Error())
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, refuse(StepRegister, "endpoint", "endpoint is not a URL")
	}
	req.GetBody = nil // a registration is not made twice
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return roundTrip(client, StepRegister, req)
}

func readRegistration(object strictjson.Object, got *fetch.Answer) (*Registration, error) {
	out := &Registration{metadata: got.Body}
	for name, into := range map[string]*string{
		"client_id": &out.ClientID, "client_secret": &out.ClientSecret,
		"registration_access_token": &out.AccessToken, "registration_client_uri": &out.URI,
	} {
		value, _, err := object.String(name)
		if err != nil || len(value) > maxToken {
			return nil, providerFault(StepRegister, got.Status, "answer has a "+name+" that is no string or too long")
		}
		*into = value
	}
	if out.ClientID == "" || strings.ContainsFunc(out.ClientID, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, providerFault(StepRegister, got.Status, "answer has no client_id")
	}
	if out.URI != "" {
		if u, err := url.Parse(out.URI); err != nil || fetch.CheckEndpoint(out.URI, u) != nil {
			return nil, providerFault(StepRegister, got.Status, "registration_client_uri is no safe URL")
		}
	}
	ends, err := secretEnds(object)
	if err != nil {
		return nil, providerFault(StepRegister, got.Status, "client_secret_expires_at is no date")
	}
	out.SecretEndsAt = ends
	_, out.endSaid = object.Raw("client_secret_expires_at")
	return out, nil
}

// maxSecretEnds is the last second of the year 9999: RFC 3339 has no later time.
const maxSecretEnds = 253402300799

// secretEnds reads client_secret_expires_at, whose 0 means never. Some leave it out
// beside a secret, which RFC 7591 §3.2.1 forbids: then it is taken not to end.
func secretEnds(object strictjson.Object) (time.Time, error) {
	number, there, err := object.Number("client_secret_expires_at")
	if err != nil || !there {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseFloat(number.String(), 64)
	switch {
	case err != nil || seconds < 0:
		return time.Time{}, errors.New("no date")
	case seconds == 0:
		return time.Time{}, nil
	}
	return time.Unix(int64(min(seconds, maxSecretEnds)), 0).UTC(), nil
}

// registrationError reads an error of RFC 7591 §3.2.2.
func registrationError(got *fetch.Answer) *Error {
	e := tokenError(StepRegister, got)
	e.Reason = "provider did not register the client"
	return e
}
