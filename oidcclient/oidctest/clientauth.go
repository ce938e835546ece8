package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// registration is the client as the provider knows it.
type registration struct {
	id, secret, method string
	private            crypto.Signer // nil when the client brought its own key
	public             crypto.PublicKey
	chain              []*x509.Certificate
}

// register makes the client's registration.
func (p *Provider) register() error {
	c := &registration{id: p.config.ClientID, secret: p.config.ClientSecret, method: p.config.AuthMethod, public: p.config.ClientKey}
	p.client, p.secret = c, []byte(random(32))
	if c.id == "" {
		c.id = p.desc.clientID()
	}
	if c.secret == "" && strings.HasPrefix(c.method, "client_secret_") {
		c.secret = p.desc.clientSecret()
	}
	if p.desc.certificates {
		c.public = nil
	}
	if c.public == nil {
		private, err := generateKey(p.desc.clientKeyAlg)
		if err != nil {
			return err
		}
		c.private, c.public = private, private.Public()
	}
	switch c.public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return errors.New("oidctest: ClientKey is no public key of RSA, ECDSA or Ed25519")
	}
	if !p.desc.certificates {
		return nil
	}
	chain, err := p.pki.issue(clientName, clientOrganization, c.private)
	c.chain, c.id, c.secret = chain, partyPrefix+clientOrganization, ""
	return err
}

// authenticate checks that the client proves itself by its registered method and
// by no other (RFC 6749 §2.3).
func (p *Provider) authenticate(r *http.Request, params map[string]string) *refusal {
	header := r.Header.Values("Authorization")
	_, secret := params["client_secret"]
	_, assertion := params["client_assertion"]
	used := 0
	for _, one := range []bool{len(header) > 0, secret, assertion} {
		if one {
			used++
		}
	}
	if used > 1 || len(header) > 1 {
		return refuse("invalid_client", "more than one authentication")
	}
	if id := params["client_id"]; id != "" && id != p.client.id {
		return refuse("invalid_client", "client_id is unknown")
	}
	switch p.client.method {
	case "client_secret_basic":
		if params["client_id"] != "" && p.desc.noBodyID != nil && p.desc.noBodyID(p) {
			return refuse("invalid_client", "client_id is not supported in the body")
		}
		return p.checkBasic(strings.Join(header, ""))
	case "client_secret_post":
		return wrongUnless(params["client_id"] != "" && p.isSecret(params["client_secret"]))
	case "client_secret_jwt", "private_key_jwt":
		if params["client_assertion_type"] != assertionType {
			return refuse("invalid_client", "client_assertion_type is wrong")
		}
		check := p.checkAssertion
		if p.desc.assertion != nil {
			if params["client_id"] == "" {
				return refuse("invalid_request", "client_id is missing")
			}
			check = func(compact string) *refusal { return p.desc.assertion(p, compact) }
		}
		return check(params["client_assertion"])
	}
	return wrongUnless(used == 0 && params["client_id"] != "")
}

func wrongUnless(ok bool) *refusal {
	if ok {
		return nil
	}
	return refuse("invalid_client", "client authentication failed")
}

func (p *Provider) isSecret(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(secret), []byte(p.client.secret)) == 1
}

// checkBasic reads HTTP Basic; id and secret are form-encoded (RFC 6749 §2.3.1)
// unless the system takes them raw.
func (p *Provider) checkBasic(header string) *refusal {
	scheme, encoded, _ := strings.Cut(header, " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !strings.EqualFold(scheme, "Basic") || err != nil {
		return refuse("invalid_client", "Basic authentication is missing")
	}
	id, secret, _ := strings.Cut(string(raw), ":")
	if !p.desc.rawBasic {
		var idErr, secretErr error
		id, idErr = url.QueryUnescape(id)
		secret, secretErr = url.QueryUnescape(secret)
		if idErr != nil || secretErr != nil {
			return refuse("invalid_client", "Basic credentials are not form-encoded")
		}
	}
	return wrongUnless(id == p.client.id && p.isSecret(secret))
}

// checkAssertion checks a client assertion (RFC 7523 §3, OpenID Connect Core §9).
func (p *Provider) checkAssertion(compact string) *refusal {
	t, err := parseJWT(compact)
	if err != nil {
		return refuse("invalid_client", err.Error())
	}
	signed := p.client.method == "client_secret_jwt" && t.verify([]byte(p.client.secret)) || p.client.method != "client_secret_jwt" && p.clientSigned(t)
	if !signed || t.header["crit"] != nil {
		return refuse("invalid_client", "assertion is not signed by the client")
	}
	if text(t.claims, "iss") != p.client.id || text(t.claims, "sub") != p.client.id {
		return refuse("invalid_client", "assertion is not of the client")
	}
	if !slices.Contains([]string{p.Issuer(), p.endpointURL(StepToken)}, audience(t.claims)) {
		return refuse("invalid_client", "assertion is not for this provider")
	}
	now := p.now().Unix()
	exp, ok := seconds(t.claims, "exp")
	if !ok || exp <= now || exp > now+600 {
		return refuse("invalid_client", "assertion expires in the past or too late")
	}
	for _, name := range []string{"iat", "nbf"} {
		if n, ok := seconds(t.claims, name); t.claims[name] != nil && (!ok || n > now) {
			return refuse("invalid_client", "assertion is of the future")
		}
	}
	jti := text(t.claims, "jti")
	if jti == "" || p.seenBefore(jti, 10*time.Minute) {
		return refuse("invalid_client", "assertion has no new jti")
	}
	return nil
}

// audience returns the one audience of a JWT, a string or a list of one; ""
// when there are more.
func audience(claims map[string]any) string {
	if list, ok := claims["aud"].([]any); ok && len(list) == 1 {
		s, _ := list[0].(string)
		return s
	}
	return text(claims, "aud")
}

// Client returns what the relying party has to be configured with.
func (p *Provider) Client() Client {
	c := Client{
		System: p.config.System, Profile: p.desc.name, Issuer: p.Issuer(),
		ClientID: p.client.id, ClientSecret: p.client.secret, AuthMethod: p.client.method,
		RedirectURIs: p.redirectURIs(), Scope: p.desc.scope, SigningAlg: p.config.SigningAlg, ACRValues: slices.Clone(p.desc.acrs),
		Discovery: p.endpointURL(StepDiscovery), AuthorizationEndpoint: p.endpointURL(StepAuthorize),
		TokenEndpoint: p.endpointURL(StepToken), UserInfoEndpoint: p.endpointURL(StepUserInfo),
		JWKSURI: p.endpointURL(StepKeys), EndSessionEndpoint: p.endpointURL(StepLogout), PushedEndpoint: p.endpointURL(StepPush),
		PrivateKey: p.client.private, ProviderJWKS: p.JWKS(),
	}
	if p.client.private != nil {
		c.PrivateKeyPEM = privatePEM(p.client.private)
	}
	if der, err := x509.MarshalPKIXPublicKey(p.signer().private.Public()); err == nil {
		c.ProviderKeyPEM = encodePEM("PUBLIC KEY", der)
	}
	if p.desc.certificates {
		c.Certificates = slices.Clone(p.client.chain)
		for _, cert := range p.client.chain {
			c.CertificateChainPEM = append(c.CertificateChainPEM, encodePEM("CERTIFICATE", cert.Raw)...)
		}
		c.TrustAnchorsPEM = encodePEM("CERTIFICATE", p.pki.root.Raw)
		c.ProviderCertificatePEM = encodePEM("CERTIFICATE", p.signer().chain[0].Raw)
		c.ProviderJWKS = nil // keys come with the certificates
	}
	if p.endpointURL(StepTenant) != "" {
		c.DNS, c.Community = strings.TrimPrefix(p.base, "http://"), p.community()
	}
	return c
}

func (p *Provider) redirectURIs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.config.RedirectURIs)
}

// SetRedirectURIs registers other redirect URIs, for a relying party whose
// address is known only after the provider's.
func (p *Provider) SetRedirectURIs(uris ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config.RedirectURIs = slices.Clone(uris)
}

func privatePEM(key crypto.Signer) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil // not for keys that generateKey makes
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
