package clientconfig

import (
	"slices"
	"strings"

	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

// registered are the provider metadata of IANA's registry for OAuth, and those of
// OpenID Connect: a document that a provider published can be pasted as it is,
// and a mistyped name is still found.
const registered = `
issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint scopes_supported
response_types_supported response_modes_supported grant_types_supported
token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported
service_documentation ui_locales_supported op_policy_uri op_tos_uri revocation_endpoint
revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
introspection_endpoint introspection_endpoint_auth_methods_supported
introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported
signed_metadata device_authorization_endpoint tls_client_certificate_bound_access_tokens
mtls_endpoint_aliases nfv_token_signing_alg_values_supported userinfo_endpoint acr_values_supported
subject_types_supported id_token_signing_alg_values_supported id_token_encryption_alg_values_supported
id_token_encryption_enc_values_supported userinfo_signing_alg_values_supported
userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
request_object_encryption_enc_values_supported display_values_supported claim_types_supported
claims_supported claims_locales_supported claims_parameter_supported request_parameter_supported
request_uri_parameter_supported require_request_uri_registration require_signed_request_object
pushed_authorization_request_endpoint require_pushed_authorization_requests
introspection_signing_alg_values_supported introspection_encryption_alg_values_supported
introspection_encryption_enc_values_supported authorization_response_iss_parameter_supported
check_session_iframe end_session_endpoint frontchannel_logout_supported
frontchannel_logout_session_supported backchannel_logout_supported backchannel_logout_session_supported
backchannel_token_delivery_modes_supported backchannel_authentication_endpoint
backchannel_authentication_request_signing_alg_values_supported backchannel_user_code_parameter_supported
authorization_details_types_supported dpop_signing_alg_values_supported client_registration_types_supported
authorization_signing_alg_values_supported authorization_encryption_alg_values_supported
authorization_encryption_enc_values_supported prompt_values_supported protected_resources
`

// metadata reads the provider's metadata that were given by hand.
func (m *Client) metadata(c *oidcclient.Config, _ string) *Error {
	if m.ProviderMetadata == nil {
		return nil
	}
	object, err := strictjson.ParseObject(m.ProviderMetadata, maxDepth)
	if err != nil {
		return &Error{Member: "provider_metadata", Reason: err.Error(), Err: err}
	}
	known := strings.Fields(registered)
	for name := range object.Names() {
		if !slices.Contains(known, name) {
			return &Error{Member: "provider_metadata." + name, Reason: "is not a known member"}
		}
	}
	c.Provider = &oidcclient.ProviderMetadata{}
	if err := object.Decode(c.Provider); err != nil {
		return &Error{Member: "provider_metadata", Reason: err.Error(), Err: err}
	}
	return nil
}
