// Package clientconfig reads an application's providers from a JSON file.
//
//	{
//	  "base_url": "https://app.example",
//	  "clients": {
//	    "acme": {
//	      "profile": "oidc",
//	      "issuer": "https://op.example",
//	      "client_id": "…",
//	      "client_secret": "…",
//	      "redirect_uris": ["https://app.example/callback/acme"],
//	      "scope": "openid email"
//	    }
//	  }
//	}
//
// Members have the names of the registries: client metadata as in RFC 7591 §2 and
// OpenID Connect Dynamic Client Registration §2, provider metadata as in RFC 8414
// §2. What has no registered name is documented at [Client]. A member that is not
// known, twice there or of a wrong type is an error that names it.
package clientconfig
