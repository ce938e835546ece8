package oidcclient

import (
	"context"

	"github.com/rely-go/rely/assertion"
	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/jwx"
)

// checkRequestEncryption judges what is known of it before the provider is.
func (c *Config) checkRequestEncryption() *ConfigError {
	e := c.RequestEncryption
	if e == nil {
		return nil
	}
	if !c.carriage(&ProviderMetadata{}).signed() {
		return wrong("RequestEncryption", "is only for request objects")
	}
	err := jwx.CheckEncryption(e.Algorithm, e.Encoding)
	if err == nil && e.Key != nil {
		err = jwx.CheckRecipient(e.Algorithm, e.Key)
	}
	if err != nil {
		return &ConfigError{Field: "RequestEncryption", Reason: err.Error(), Err: err}
	}
	return nil
}

// toPublishedKey reports whether the key that requests are encrypted to has to be
// fetched.
func (c *Config) toPublishedKey() bool {
	return c.RequestEncryption != nil && c.RequestEncryption.Key == nil
}

// newRecipients makes the source of keys that requests are encrypted to: the one that
// tokens are verified with, where there is one.
func (c *Client) newRecipients(p *provider) (*idtoken.RemoteKeys, *ConfigError) {
	if !c.cfg.toPublishedKey() || p.remote != nil {
		return p.remote, nil
	}
	return c.remoteKeys(p.JWKSURI)
}

// requestEncryption returns how a request is encrypted, nil where it is not: to the key
// of the configuration, or to the one that the provider publishes.
func (c *Client) requestEncryption(ctx context.Context, found *provider) (*assertion.Encryption, error) {
	if !c.cfg.toPublishedKey() {
		return c.cfg.RequestEncryption, nil
	}
	e := *c.cfg.RequestEncryption
	var err error
	if e.Key, e.KeyID, err = found.recipients.EncryptionKey(ctx, e.Algorithm, e.KeyID); err != nil {
		refused := notBelieved(ctx, StepBegin, err)
		if refused.Fault == FaultAnswer {
			refused.Fault, refused.Check = FaultProvider, "request_encryption"
		}
		return nil, refused
	}
	return &e, nil
}
