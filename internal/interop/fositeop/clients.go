package main

import (
	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/storage"
	"golang.org/x/crypto/bcrypt"
)

// client may ask for each response mode.
type client struct {
	*fosite.DefaultOpenIDConnectClient
}

func (client) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{
		fosite.ResponseModeDefault, fosite.ResponseModeQuery, fosite.ResponseModeFragment, fosite.ResponseModeFormPost,
	}
}

// newStore knows one client for each way to authenticate.
func newStore(rp string, keys *jose.JSONWebKeySet) (*storage.MemoryStore, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		return nil, err
	}
	store := storage.NewMemoryStore()
	for id, method := range map[string]string{
		"basic": "client_secret_basic", "post": "client_secret_post", "keyjwt": "private_key_jwt", "public": "none",
	} {
		c := &fosite.DefaultOpenIDConnectClient{
			DefaultClient: &fosite.DefaultClient{
				ID: id, Secret: hash, Public: method == "none", RedirectURIs: []string{rp + "/callback"},
				GrantTypes:    []string{"authorization_code", "refresh_token", "implicit", "client_credentials"},
				ResponseTypes: []string{"code", "code id_token", "id_token", "id_token token"},
				Scopes:        []string{"openid", "profile", "email", "offline_access"},
			},
			TokenEndpointAuthMethod: method, JSONWebKeys: keys, RequestObjectSigningAlgorithm: "RS256",
		}
		if method == "private_key_jwt" {
			c.TokenEndpointAuthSigningAlgorithm = "RS256"
		}
		store.Clients[id] = client{c}
	}
	return store, nil
}
