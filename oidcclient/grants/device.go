package grants

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

// A Device is a login of a person who types a code somewhere else (RFC 8628). Show
// UserCode and VerificationURI, and Wait.
type Device struct {
	*Waiting
	// UserCode is what the person types.
	UserCode string
	// VerificationURI is where.
	VerificationURI string
	// VerificationURIComplete has the code in it, for a picture to be
	// photographed; "" when the provider gives none.
	VerificationURIComplete string
}

// String shows where the person goes, and no code.
func (d Device) String() string { return "grants.Device{" + d.VerificationURI + " [redacted]}" }

// Format keeps codes out of every verb of package fmt.
func (d Device) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue keeps codes out of logs.
func (d Device) LogValue() slog.Value { return slog.StringValue(d.String()) }

// DeviceRequest is what a login at a device asks for.
type DeviceRequest struct {
	Request
	// MinACR is the least assurance that is accepted; "" means that of the
	// configuration.
	MinACR string
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// maxShown bounds what a provider gives to be shown to a person, in bytes.
const maxShown = 2048

// BeginDevice begins a login at a device (RFC 8628 §3.1). Without openid among the
// scopes there is no identity, and the login is refused at its end unless the client's
// profile has [oidcclient.IdentifyNobody].
func BeginDevice(ctx context.Context, c *oidcclient.Client, want DeviceRequest) (*Device, error) {
	want.Request = want.ofLogin(c.Defaults())
	form := want.form("")
	form.Del("grant_type")
	text, err := c.Call(ctx, oidcclient.EndpointDevice, form)
	if err != nil {
		return nil, err
	}
	object, err := strictjson.ParseObject(text, maxDepth)
	if err != nil {
		return nil, malformed("answer is not one strict JSON object")
	}
	d := &Device{}
	var code string
	for name, into := range map[string]*string{
		"device_code": &code, "user_code": &d.UserCode, "verification_uri": &d.VerificationURI, "verification_uri_complete": &d.VerificationURIComplete,
	} {
		if *into, _, err = object.String(name); err != nil || len(*into) > maxShown {
			return nil, malformed("answer has a " + name + " that is no string or too long")
		}
	}
	switch {
	case code == "" || !printable(d.UserCode):
		return nil, malformed("answer has no device_code or no user_code (RFC 8628 §3.2)")
	case !safeURL(d.VerificationURI) || d.VerificationURIComplete != "" && !safeURL(d.VerificationURIComplete):
		return nil, malformed("answer has a verification_uri that is no safe URL")
	}
	d.Waiting, err = newWaiting(c, object, want.Clock, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code},
	}, oidcclient.GrantExpect{Scopes: want.Scopes, MinACR: want.MinACR})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// newWaiting reads expires_in and interval, which device and CIBA have in common.
func newWaiting(c *oidcclient.Client, object strictjson.Object, clock func() time.Time, form url.Values, want oidcclient.GrantExpect) (*Waiting, error) {
	lifetime, err := seconds(object, "expires_in")
	if err != nil || lifetime <= 0 {
		return nil, malformed("answer has no expires_in")
	}
	interval, err := seconds(object, "interval")
	if err != nil {
		return nil, malformed("answer has an interval that is no number of seconds")
	}
	if interval == 0 {
		interval = usualInterval
	}
	if clock == nil {
		clock = time.Now
	}
	now := clock()
	return &Waiting{
		ask:       func(ctx context.Context) (*oidcclient.Session, error) { return c.LoginWithGrant(ctx, form, want) },
		expiresAt: now.Add(lifetime), now: clock, woken: make(chan struct{}, 1), interval: interval, next: now.Add(interval),
	}, nil
}

// seconds reads a number of seconds as a token response's is read: digits in a string
// occur. A part of one counts for a whole one; 0 when it is not there.
func seconds(object strictjson.Object, name string) (time.Duration, error) {
	if _, there := object.Raw(name); !there {
		return 0, nil
	}
	if text, _, err := object.String(name); err == nil {
		n, err := strconv.ParseUint(text, 10, 31)
		return time.Duration(n) * time.Second, err
	}
	number, _, _ := object.Number(name) // "" where it is none
	n, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || n < 0 || n >= 1<<31 {
		return 0, errors.New("not a number of seconds")
	}
	return time.Duration(math.Ceil(n)) * time.Second, nil
}

func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// safeURL accepts https, and http on loopback: a person is asked to go there.
func safeURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && addr.IsLoopback())
}
