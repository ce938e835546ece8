package conformance

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
)

// An rp is a relying party and the provider that plays a module to it.
type rp struct {
	*testing.T
	variant
	op *OP
	// config is of the client, which is made when it is first needed: change it
	// before.
	config oidcclient.Config
	// begin is what a login asks for.
	begin oidcclient.BeginOptions

	// oauth says that nobody is identified: the suite's "plain_oauth".
	oauth bool
	// ping says that people who are asked at their own device are not polled for.
	ping bool

	made     *oidcclient.Client
	prepared []func(*rp)
}

func newRP(t *testing.T, v variant) *rp {
	t.Helper()
	return meeting(t, v, New(false))
}

// meeting is a relying party with this provider.
func meeting(t *testing.T, v variant, op *OP) *rp {
	t.Helper()
	r := &rp{T: t, variant: v}
	r.meet(op)
	return r
}

// prepare does something to the relying party, and to those that again makes of it.
func (r *rp) prepare(f func(*rp)) {
	r.Helper()
	r.prepared = append(r.prepared, f)
	f(r)
}

// meet gives the relying party a provider in the place of the one before.
func (r *rp) meet(op *OP) {
	r.Cleanup(op.Close)
	r.op, r.made = op, nil
	op.Alg = "ES256" // RSA takes ten times as long
	r.config = oidcclient.Config{
		Profile: profiles.OpenID(), Issuer: op.Issuer, ClientID: op.Client.ID, ClientSecret: op.Client.Secret,
		RedirectURI: op.Client.RedirectURI, ResponseType: r.responseType, ResponseMode: r.responseMode,
		Scopes: []string{"openid", "profile", "email"}, UserInfo: r.hasUserInfo(),
		Algorithm: op.Alg, HTTPClient: op.HTTPClient(), Clock: func() time.Time { return op.Now },
	}
}

// client returns the client of config.
func (r *rp) client() *oidcclient.Client {
	r.Helper()
	if r.made == nil {
		var err error
		r.made, err = oidcclient.New(r.config)
		require.NoError(r, err)
	}
	return r.made
}

// login logs in, with userinfo where there is an access token for it.
func (r *rp) login() (*oidcclient.Session, error) {
	r.Helper()
	auth, pending, err := r.client().Begin(r.Context(), r.begin)
	if err != nil {
		return nil, err
	}
	return r.client().Complete(r.Context(), pending, r.browse(auth))
}

// browse takes an authorization request to the provider and returns what a browser
// would bring back.
func (r *rp) browse(auth *oidcclient.Authorization) url.Values {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), auth.Method, auth.URL, strings.NewReader(auth.Form.Encode()))
	require.NoError(r, err)
	if auth.Method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r.brought(req)
}

// brought sends a browser's request and reads the parameters with which the answer
// sends it on.
func (r *rp) brought(req *http.Request) url.Values {
	r.Helper()
	browser := *r.op.HTTPClient()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := browser.Do(req)
	require.NoError(r, err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	require.NoError(r, err)
	if answer.StatusCode == http.StatusOK {
		return hidden(string(page))
	}
	to, err := answer.Location()
	require.NoError(r, err, "status %d", answer.StatusCode)
	if text := to.EscapedFragment(); text != "" {
		values, err := url.ParseQuery(text)
		require.NoError(r, err)
		return values
	}
	return to.Query()
}

// hidden returns the fields of a form that posts itself.
func hidden(page string) url.Values {
	values := url.Values{}
	for _, field := range regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		values.Add(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return values
}

// asked returns the parameters of the authorization request.
func (r *rp) asked() url.Values {
	r.Helper()
	calls := r.op.Calls(Authorize)
	require.NotEmpty(r, calls)
	return calls[len(calls)-1].Query
}

// accepted demands that a login succeeded, to the last call that it is made of.
func (r *rp) accepted(s *oidcclient.Session, err error) *oidcclient.Session {
	r.Helper()
	require.NoError(r, err)
	assert.Equal(r, r.op.Issuer, s.Issuer())
	assert.Equal(r, map[bool]string{false: "user-subject-1234531"}[r.oauth], s.Subject())
	assert.Equal(r, !r.oauth, s.Identified())
	if r.has("code") {
		assert.NotEmpty(r, r.op.Calls(Token))
	}
	assert.Equal(r, r.config.UserInfo, len(r.op.Calls(UserInfo)) > 0, "userinfo is asked for")
	assert.Equal(r, r.config.UserInfo, s.HasUserInfo())
	return s
}

// refused demands the error of the check, at the step, and that none of the
// endpoints was called.
func (r *rp) refused(err error, step oidcclient.Step, check string, uncalled ...Step) *oidcclient.Error {
	r.Helper()
	var refused *oidcclient.Error
	require.ErrorAs(r, err, &refused)
	assert.Equal(r, step, refused.Step, "%v", err)
	assert.Equal(r, check, refused.Check, "%v", err)
	r.uncalled(uncalled...)
	return refused
}

// uncalled demands that the endpoints were not called.
func (r *rp) uncalled(steps ...Step) {
	r.Helper()
	for _, step := range steps {
		assert.Empty(r, r.op.Calls(step), "%s was called", step)
	}
}

// refusesIDTokens logs in once for each place where this variant has an ID token:
// spoil is done to the one of that place alone, which then has to be refused for
// check, with no call after it.
func (r *rp) refusesIDTokens(check string, spoil func(*JWT)) {
	r.Helper()
	if r.has("id_token") {
		r.Run("in front", func(t *testing.T) { r.refusesFront(t, check, spoil) })
	}
	if r.has("code") {
		r.Run("for the code", func(t *testing.T) {
			r := r.again(t)
			r.op.ChangeJWT(spoil, CodeToken)
			_, err := r.login()
			r.refused(err, oidcclient.StepIdentity, check, UserInfo, Accounts)
			assert.Len(r, r.op.Calls(Token), 1)
		})
	}
}

// first is the step at which the first ID token of a login is judged, and what is not
// called once that is refused.
func (r *rp) first() (oidcclient.Step, []Step) {
	if r.has("id_token") {
		return oidcclient.StepCallback, []Step{Token, UserInfo}
	}
	return oidcclient.StepIdentity, []Step{UserInfo}
}

// refusesFront demands that a spoiled ID token of the authorization response is
// refused for check, before anything is done with the code or an access token.
func (r *rp) refusesFront(t *testing.T, check string, spoil func(*JWT)) {
	t.Helper()
	r = r.again(t)
	r.op.ChangeJWT(spoil, FrontToken)
	_, err := r.login()
	r.refused(err, oidcclient.StepCallback, check, Token, UserInfo, Accounts)
}

// notConfigurable demands that a change makes a configuration that New refuses for
// its field.
func (r *rp) notConfigurable(field string, change func()) {
	r.Helper()
	change()
	_, err := oidcclient.New(r.config)
	var wrong *oidcclient.ConfigError
	require.ErrorAs(r, err, &wrong)
	assert.Equal(r, field, wrong.Field)
}

// again returns another relying party and provider with what was changed of this
// one's configuration and keys.
func (r *rp) again(t *testing.T) *rp {
	t.Helper()
	fresh := meeting(t, r.variant, New(r.op.Secure()))
	fresh.oauth = r.oauth
	for _, f := range r.prepared {
		fresh.prepare(f)
	}
	own, reference := fresh.config, fresh.begin.Reference
	fresh.config, fresh.begin = r.config, r.begin
	fresh.config.Issuer, fresh.config.HTTPClient, fresh.config.Clock = own.Issuer, own.HTTPClient, own.Clock
	if fresh.begin.Reference = reference; reference != nil {
		fresh.config.Register = own.Register
	}
	fresh.op.Alg, fresh.op.Keys = r.op.Alg, r.op.Keys
	return fresh
}
