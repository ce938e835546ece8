package grants

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

// A Backchannel is a login of a person who is asked at their own device (OpenID
// Connect CIBA Core), in poll mode or in ping mode.
type Backchannel struct {
	*Waiting
	// asked returns the auth_req_id, and the client_notification_token of ping mode or "".
	// It is a function for the reason for which Waiting's is one.
	asked func() (id, token string)
}

// String shows nothing of the request.
func (b Backchannel) String() string { return "grants.Backchannel{[redacted]}" }

// Format keeps codes and tokens out of every verb of package fmt.
func (b Backchannel) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, b.String()) }

// LogValue keeps codes and tokens out of logs.
func (b Backchannel) LogValue() slog.Value { return slog.StringValue(b.String()) }

// BackchannelRequest says who is to be asked, and what.
type BackchannelRequest struct {
	Request
	// LoginHint, LoginHintToken and IDTokenHint say who: exactly one of them; none means
	// the LoginHint of the client's logins.
	LoginHint, LoginHintToken, IDTokenHint string
	// BindingMessage is shown at both devices, so that the person sees what
	// belongs together; short and plain.
	BindingMessage string
	// UserCode is a secret that the person gave to the application for this, where
	// the provider wants one.
	UserCode string
	// ACRValues are asked for, in order of preference; nil means those of the client's
	// logins.
	ACRValues []string
	// MinACR is the least assurance that is accepted; "" means that of the
	// configuration.
	MinACR string
	// Claims is sent as claims, a JSON object that names single claims (OpenID Connect
	// Core §5.5), to a provider that knows it here; "" means that of the client's logins.
	// What it demands of the ID token is checked, see [oidcclient.BeginOptions].
	Claims string
	// RequestedExpiry is how long the person may take, in whole seconds; 0 leaves
	// that to the provider.
	RequestedExpiry time.Duration
	// Ping asks the provider for a notification at the client's registered
	// endpoint, see [Backchannel.Notified].
	Ping bool
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// fill fills the gaps with what the client's logins ask for.
func (r *BackchannelRequest) fill(each oidcclient.BeginOptions) {
	r.Request = r.ofLogin(each)
	if r.LoginHint == "" && r.LoginHintToken == "" && r.IDTokenHint == "" {
		r.LoginHint = each.LoginHint
	}
	if r.MinACR == "" {
		r.MinACR = each.MinACR
	}
	if r.ACRValues == nil {
		r.ACRValues = each.ACRValues
	}
	if r.Claims == "" {
		r.Claims = each.Claims
	}
}

func (r *BackchannelRequest) backchannelForm() (url.Values, error) {
	form := r.form("")
	form.Del("grant_type")
	hints := 0
	for name, value := range map[string]string{
		"login_hint": r.LoginHint, "login_hint_token": r.LoginHintToken, "id_token_hint": r.IDTokenHint,
	} {
		if value != "" {
			form.Set(name, value)
			hints++
		}
	}
	if hints != 1 {
		return nil, errors.New("grants: exactly one hint says who is to log in (OpenID Connect CIBA Core §7.1)")
	}
	for name, value := range map[string]string{"binding_message": r.BindingMessage, "user_code": r.UserCode, "acr_values": strings.Join(r.ACRValues, " "), "claims": r.Claims} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if r.RequestedExpiry > 0 {
		form.Set("requested_expiry", strconv.FormatInt(int64(r.RequestedExpiry/time.Second), 10))
	}
	return form, nil
}

// BeginBackchannel asks the provider to ask the person (OpenID Connect CIBA Core
// §7.1).
func BeginBackchannel(ctx context.Context, c *oidcclient.Client, want BackchannelRequest) (*Backchannel, error) {
	want.fill(c.Defaults())
	form, err := want.backchannelForm()
	if err != nil {
		return nil, err
	}
	expect := oidcclient.GrantExpect{Scopes: want.Scopes, MinACR: want.MinACR, Claims: want.Claims}
	if err := expect.Check(); err != nil {
		return nil, err
	}
	token := ""
	if want.Ping {
		var random [32]byte
		rand.Read(random[:]) // never fails: crypto/rand ends the program instead
		token = base64.RawURLEncoding.EncodeToString(random[:])
		form.Set("client_notification_token", token)
	}
	text, err := c.Call(ctx, oidcclient.EndpointBackchannel, form)
	if err != nil {
		return nil, err
	}
	object, err := strictjson.ParseObject(text, maxDepth)
	if err != nil {
		return nil, malformed("answer is not one strict JSON object")
	}
	id, _, err := object.String("auth_req_id")
	if err != nil || id == "" || len(id) > maxShown {
		return nil, malformed("answer has no auth_req_id (OpenID Connect CIBA Core §7.3)")
	}
	expect.AuthRequestID = id
	waiting, err := newWaiting(c, object, want.Clock, url.Values{
		"grant_type": {"urn:openid:params:grant-type:ciba"}, "auth_req_id": {id},
	}, expect)
	if err != nil {
		return nil, err
	}
	return &Backchannel{Waiting: waiting, asked: func() (string, string) { return id, token }}, nil
}

// ID names the request at the provider: by it the application finds the login that
// a notification is about.
func (b *Backchannel) ID() string {
	id, _ := b.asked()
	return id
}

// maxNotification bounds a notification, in bytes.
const maxNotification = 16 << 10

// ErrNotification: the notification is not the provider's. Answer 401 and do
// nothing.
var ErrNotification = errors.New("grants: notification does not have this login's token")

// ReadNotification reads which login a notification is about, before its token is
// looked at (OpenID Connect CIBA Core §10.2).
func ReadNotification(r *http.Request) (id string, err error) {
	text, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxNotification))
	if err != nil {
		return "", errors.New("grants: notification is too long, or breaks off")
	}
	object, err := strictjson.ParseObject(text, maxDepth)
	if err != nil {
		return "", errors.New("grants: notification is not one strict JSON object")
	}
	id, _, err = object.String("auth_req_id")
	if err != nil || id == "" {
		return "", errors.New("grants: notification has no auth_req_id")
	}
	return id, nil
}

// Notified takes the provider's notification of ping mode: it is believed if it
// has the token that this login was begun with, and then the provider may be asked
// at once (OpenID Connect CIBA Core §10.2). The error is [ErrNotification].
func (b *Backchannel) Notified(r *http.Request) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	_, own := b.asked()
	if !strings.EqualFold(scheme, "Bearer") || own == "" || subtle.ConstantTimeCompare([]byte(token), []byte(own)) != 1 {
		return ErrNotification
	}
	b.mayAskNow()
	return nil
}
