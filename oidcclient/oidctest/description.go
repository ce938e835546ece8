package oidctest

import (
	"fmt"
	"net/http"
	"time"
)

// description is one system as data: what it publishes, demands and answers.
// The engine in the other files knows no system by name.
type description struct {
	name, title string

	algs        []string             // ID token algorithms, the usual one first
	authMethods []string             // client authentication, the usual one first
	scope       string               // what a login usually asks for
	acrs        []string             // values of acr_values, the weakest first; nil: any
	rawBasic    bool                 // Basic credentials are not form-encoded
	noBodyID    func(*Provider) bool // Basic forbids client_id in the body

	clientID     func() string // makes the client's id
	clientSecret func() string // and its secret
	clientKeyAlg string        // what the client signs with

	keys          func(alg string) []keySpec
	certificates  bool // keys have certificates, and JWTs carry x5c
	userInfoApart bool // userinfo has an origin of its own
	proofs        bool // tokens are bound to the key of a proof (RFC 9449)
	agreements    bool // keys of ECDH-ES are published, beside keys

	persons   func() []Person
	issuer    func(*Provider) string
	endpoints []endpoint
	metadata  func(*Provider) map[string]any
	missing   http.HandlerFunc // unknown paths; nil: 404

	authorize authorizeRules
	token     tokenRules
	userInfo  userInfoRules

	// header makes the JOSE header, and claims the payload of ID tokens.
	header func(*Provider, signingKey) map[string]any
	claims func(*Provider, *grant, time.Time) map[string]any
	// subject is what the client sees as the person's identifier.
	subject func(*Provider, Person) string
	// assertion checks a client assertion; nil: OpenID Connect Core §9.
	assertion func(*Provider, string) *refusal

	headerOrder, claimOrder, answerOrder []string // as the published samples
}

// endpoint is one path of a system. "{community}" stands for the tenant.
type endpoint struct {
	step    Step
	path    string
	methods []string
	serve   func(*Provider, http.ResponseWriter, *http.Request)
	apart   bool // on the second listener
}

// requestMode says whether request objects (OpenID Connect Core §6) are taken.
type requestMode uint8

const (
	requestNever requestMode = iota
	requestMay
	requestMust
)

// authorizeRules is what the authorization endpoint demands.
type authorizeRules struct {
	demanded      []string // parameters that must not be absent
	scopes        []string // scopes that must not be absent
	defaultScope  string   // taken when scope is absent; "" with openid not demanded: none
	request       requestMode
	modes         []string // response_mode
	status        int      // of the redirection
	issuer        bool     // RFC 9207
	onPage        bool     // refusals are shown, never sent to the client
	signOn        bool     // browsers are remembered
	openRedirect  bool     // redirect URIs need no registration
	check         func(p *Provider, params map[string]string, inQuery bool) *refusal
	requestObject func(p *Provider, outer map[string]string) (map[string]string, *refusal)
}

// refreshRule is what becomes of refresh tokens.
type refreshRule uint8

const (
	refreshNever  refreshRule = iota
	refreshRotate             // each is spent once; a second use ends the login
	refreshKeep               // the first stays; no answer repeats it
)

// tokenRules is what the token endpoint demands and answers.
type tokenRules struct {
	grants      []string
	tokenType   string
	idLifetime  time.Duration
	lifetime    func(*grant) time.Duration // of access tokens, expires_in
	refreshFor  time.Duration
	refresh     refreshRule
	redirectURI bool // a refresh request repeats redirect_uri
	omitFirst   func(*Provider, *grant) bool
	opaque      func() string                           // makes access tokens
	newRefresh  func(*Provider, *grant) (string, error) // nil: like access tokens
	extra       func(*Provider, *grant, map[string]any)
	scopeMember bool                                      // scope is answered
	texts       map[string]string                         // error_description by error
	badClient   int                                       // status of invalid_client
	shape       func(*Provider, *refusal) (int, []member) // nil: RFC 6749 §5.2
}

// userInfoRules is what the userinfo endpoint answers.
type userInfoRules struct {
	signed      bool
	contentType string
	claims      func(*Provider, *grant, time.Time) map[string]any
}

// member is one name and value of an answer whose order matters.
type member struct {
	name  string
	value any
}

// refusal is the provider saying no.
type refusal struct {
	status int
	code   string // RFC 6749 §5.2 and §4.1.2.1
	text   string
}

func refuse(code, text string) *refusal {
	return &refusal{http.StatusBadRequest, code, text}
}

func describe(s System) (*description, error) {
	switch s {
	case Generic:
		return generic(), nil
	case IShare:
		return ishare(), nil
	case BankID:
		return bankID(), nil
	case BlockID:
		return blockID(), nil
	case Faces:
		return faces(), nil
	}
	return nil, fmt.Errorf("oidctest: unknown System(%d)", uint8(s))
}
