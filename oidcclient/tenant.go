package oidcclient

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

// A Tenant is a customer's place at a hosted provider, from which issuer and
// endpoints follow ([DiscoverTenant]).
type Tenant struct {
	// DNS is the tenant's host name, with a port where it has one. Loopback
	// hosts are asked by http, all others by https.
	DNS string
	// Community is the name of the tenant's community of users.
	Community string
}

// base returns the URL of the tenant's host.
func (t Tenant) base() string {
	host, _, found := strings.Cut(t.DNS, ":")
	if !found {
		host = t.DNS
	}
	if fetch.IsLoopback(host) {
		return "http://" + t.DNS
	}
	return "https://" + t.DNS
}

// check refuses what is no host name or no name.
func (t Tenant) check() *ConfigError {
	u, err := url.Parse("https://" + t.DNS)
	if t.DNS == "" || err != nil || u.Host != t.DNS {
		return &ConfigError{Field: "Tenant.DNS", Reason: "is not a host name"}
	}
	if t.Community == "" || url.PathEscape(t.Community) != t.Community {
		return &ConfigError{Field: "Tenant.Community", Reason: "is empty or can't stand in a path"}
	}
	return nil
}

// issuer returns the issuer of the tenant's community.
func (d TenantDirectory) issuer(t Tenant) string {
	return t.base() + strings.ReplaceAll(d.IssuerPath, "{community}", t.Community)
}

// lookup asks the tenant's host for the community and the service directory
// and returns the endpoints. Neither answer is authenticated by more than TLS,
// so they may only name the community that was configured, and places on the
// tenant's own host or under the profile's domains.
func (d TenantDirectory) lookup(ctx context.Context, client *http.Client, t Tenant) (ProviderMetadata, error) {
	question, err := json.Marshal(map[string]string{"dns": t.DNS, "communityName": t.Community})
	if err != nil {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "tenant can't be encoded")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base()+d.CommunityPath, bytes.NewReader(question))
	if err != nil {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "tenant's host is no host name")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	answered, err := objectFrom(client, req)
	if err != nil {
		return ProviderMetadata{}, err
	}
	if name, err := communityName(answered); err != nil || name != t.Community {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "tenant's host does not know the community")
	}
	req, err = fetch.Get(ctx, t.base()+d.DirectoryPath, "application/json")
	if err != nil {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "tenant's host is no host name")
	}
	directory, err := objectFrom(client, req)
	if err != nil {
		return ProviderMetadata{}, err
	}
	service, _, err := directory.String(d.Service)
	if err != nil || !d.allowed(service, t) {
		return ProviderMetadata{}, providerFault(StepDiscover, 0, "service directory names a place that is not the tenant's")
	}
	service = strings.TrimSuffix(service, "/")
	path := func(p string) string { return service + strings.ReplaceAll(p, "{community}", t.Community) }
	return ProviderMetadata{
		Issuer:                d.issuer(t),
		AuthorizationEndpoint: path(d.AuthorizePath),
		TokenEndpoint:         path(d.TokenPath),
	}, nil
}

// allowed reports whether a service may be where the directory says.
func (d TenantDirectory) allowed(service string, t Tenant) bool {
	u, err := fetch.CheckURL(service)
	if err != nil || u.RawQuery != "" || u.ForceQuery {
		return false
	}
	if strings.EqualFold(u.Host, t.DNS) {
		return u.Scheme+"://"+u.Host == t.base() || u.Scheme == "https"
	}
	if u.Scheme != "https" || u.Port() != "" {
		return false
	}
	for _, suffix := range d.Suffixes {
		if strings.HasSuffix(strings.ToLower(u.Hostname()), "."+suffix) && strings.HasSuffix(strings.ToLower(t.DNS), "."+suffix) {
			return true
		}
	}
	return false
}

func communityName(answered strictjson.Object) (string, error) {
	community, ok, err := answered.Object("community")
	if err != nil || !ok {
		return "", err
	}
	name, _, err := community.String("name")
	return name, err
}

// objectFrom sends a request of the discovery step and reads a JSON object.
func objectFrom(client *http.Client, req *http.Request) (strictjson.Object, error) {
	got, err := roundTrip(client, StepDiscover, req)
	if err != nil {
		return strictjson.Object{}, err
	}
	return readObject(StepDiscover, got)
}
