package clientconfig

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/rely-go/rely/oidcclient"
)

// Registered has the members that a provider is told when it registers the client (RFC
// 7591 §2, OpenID Connect Dynamic Client Registration §2): with dynamic_registration they
// are sent. Of a client that is registered already they say what is, and change nothing
// but what is said of grant_types, response_types and require_signed_request_object.
type Registered struct {
	// GrantTypes are what the client uses. A list without authorization_code and implicit
	// says that it has nobody log in by a browser, and needs no redirect_uris.
	GrantTypes []string `json:"grant_types,omitempty"`

	// ResponseTypes has to name the one that is used, if people log in by a browser.
	ResponseTypes []string `json:"response_types,omitempty"`

	ApplicationType     string   `json:"application_type,omitempty"`      // web or native
	SubjectType         string   `json:"subject_type,omitempty"`          // public or pairwise
	SectorIdentifierURI string   `json:"sector_identifier_uri,omitempty"` // for pairwise subjects
	RequireAuthTime     bool     `json:"require_auth_time,omitempty"`     // auth_time in each ID token
	ClientName          string   `json:"client_name,omitempty"`           // for people
	ClientURI           string   `json:"client_uri,omitempty"`            // its home page
	LogoURI             string   `json:"logo_uri,omitempty"`              // a picture
	PolicyURI           string   `json:"policy_uri,omitempty"`            // what is done with data
	TOSURI              string   `json:"tos_uri,omitempty"`               // terms of service
	Contacts            []string `json:"contacts,omitempty"`              // who is responsible
	JWKSURI             string   `json:"jwks_uri,omitempty"`              // of the keys that are served here, instead of the keys themselves
	RequestURIs         []string `json:"request_uris,omitempty"`          // where the requests are served; absent: where request uri serves them
	SoftwareID          string   `json:"software_id,omitempty"`           // names the program
	SoftwareVersion     string   `json:"software_version,omitempty"`      // and its version
	SoftwareStatement   string   `json:"software_statement,omitempty"`    // what somebody has signed about it

	// Whether sid comes with logouts (OpenID Connect Back-Channel and Front-Channel
	// Logout §2.2, §3).
	BackchannelLogoutSessionRequired  bool `json:"backchannel_logout_session_required,omitempty"`
	FrontchannelLogoutSessionRequired bool `json:"frontchannel_logout_session_required,omitempty"`

	RequireSignedRequestObject bool     `json:"require_signed_request_object,omitempty"` // RFC 9101 §10.5; refused where none is sent
	AuthorizationDetailsTypes  []string `json:"authorization_details_types,omitempty"`   // RFC 9396 §10
	TLSClientAuthSubjectDN     string   `json:"tls_client_auth_subject_dn,omitempty"`    // RFC 8705 §2.1.2: one of these five
	TLSClientAuthSANDNS        string   `json:"tls_client_auth_san_dns,omitempty"`       // a dNSName
	TLSClientAuthSANURI        string   `json:"tls_client_auth_san_uri,omitempty"`       // a uniformResourceIdentifier
	TLSClientAuthSANIP         string   `json:"tls_client_auth_san_ip,omitempty"`        // an iPAddress
	TLSClientAuthSANEmail      string   `json:"tls_client_auth_san_email,omitempty"`     // an rfc822Name
}

// members returns those that are there, by their registered names.
func (r *Registered) members() (map[string]any, *Error) {
	text, err := json.Marshal(r)
	said := map[string]any{}
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		return nil, &Error{Reason: "can't be registered", Err: err}
	}
	return said, nil
}

// sameWords compares what has no order.
func sameWords(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// needsBrowser reports whether people log in to the client by a browser.
func (m *Client) needsBrowser() bool {
	if m.GrantTypes == nil {
		return m.BackchannelTokenDeliveryMode == ""
	}
	return slices.Contains(m.GrantTypes, "authorization_code") || slices.Contains(m.GrantTypes, "implicit")
}

// chooseRedirect leaves, of several redirect URIs, the one that is the client's place
// here.
func (m *Client) chooseRedirect(name string) {
	if len(m.RedirectURIs) < 2 {
		return
	}
	ours := slices.DeleteFunc(slices.Clone(m.RedirectURIs), func(uri string) bool { return !strings.HasSuffix(uri, callbackPlace+name) })
	if len(ours) == 1 {
		m.RedirectURIs = ours
	}
}

// callbackPlace is what stands before a client's name in its redirect URI.
const callbackPlace = "/callback/"

// registration says what is registered beside what follows from the configuration.
func (m *Client) registration(c *oidcclient.Config, _ string) *Error {
	used := strings.Fields(c.ResponseType)
	if len(used) == 0 {
		used = []string{"code"}
	}
	if m.ResponseTypes != nil && m.needsBrowser() && !slices.ContainsFunc(m.ResponseTypes, func(one string) bool { return sameWords(strings.Fields(one), used) }) && c.FAPI == oidcclient.FAPINone {
		return &Error{Member: "response_types", Reason: "do not name the response_type that is used"}
	}
	said, err := m.Registered.members()
	if err != nil {
		return err
	}
	if !m.DynamicRegistration {
		if m.InitialAccessToken != "" {
			return &Error{Member: "initial_access_token", Reason: "is only for dynamic_registration"}
		}
		return nil
	}
	c.Register = &oidcclient.RegistrationRequest{AccessToken: m.InitialAccessToken, Metadata: said}
	for name, value := range map[string]string{
		"backchannel_logout_uri": m.BackchannelLogoutURI, "frontchannel_logout_uri": m.FrontchannelLogoutURI, "initiate_login_uri": m.InitiateLoginURI,
		"backchannel_token_delivery_mode": m.BackchannelTokenDeliveryMode, "backchannel_client_notification_endpoint": m.BackchannelClientNotificationEndpoint,
	} {
		if value != "" {
			c.Register.Metadata[name] = value
		}
	}
	if m.TLSClientCertificateBoundAccessTokens {
		c.Register.Metadata["tls_client_certificate_bound_access_tokens"] = true
	}
	if m.Request == "uri" && m.RequestURIs == nil {
		if len(m.RedirectURIs) != 1 || !strings.Contains(m.RedirectURIs[0], callbackPlace) {
			return &Error{Member: "request", Reason: "is uri, and redirect_uris do not say under which URL the application serves its requests"}
		}
		// The address of each request begins with this one; no list could name them all.
		c.Register.Metadata["request_uris"] = []string{strings.Replace(m.RedirectURIs[0], callbackPlace, "/request/", 1) + "/"}
	}
	if m.DefaultMaxAge != nil {
		c.Register.Metadata["default_max_age"] = *m.DefaultMaxAge
	}
	if len(m.DefaultACRValues) > 0 {
		c.Register.Metadata["default_acr_values"] = m.DefaultACRValues
	}
	return nil
}
