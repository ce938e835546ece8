package oidcclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/rely-go/rely/internal/fetch"
	"github.com/rely-go/rely/internal/strictjson"
)

// issuerRelation is what an OpenID provider is to a resource (OpenID Connect
// Discovery §2).
const issuerRelation = "http://openid.net/specs/connect/1.0/issuer"

// FindIssuer asks the host of an account ("acct:anna@example.com", or
// "anna@example.com") or of a URL which issuer logs it in (OpenID Connect Discovery
// §2, RFC 7033). client makes the one request, without following a redirect; nil
// means one of the default transport. What is returned is only a claim of that
// host: give it to [New] as Issuer, whose metadata then have to name it. An account at
// a loopback address is asked for in plain http too, where https is not spoken there.
// The error is an [*Error] of StepDiscover.
func FindIssuer(ctx context.Context, client *http.Client, account string) (issuer string, err error) {
	resource, host, err := webfingerResource(account)
	if err != nil {
		return "", err
	}
	bounded, err := fetch.NewClient(client, nil, nil)
	if err != nil {
		return "", refuse(StepDiscover, "webfinger", err.Error())
	}
	target := url.URL{Scheme: "https", Host: host, Path: "/.well-known/webfinger", RawQuery: url.Values{
		"resource": {resource}, "rel": {issuerRelation},
	}.Encode()}
	plain := fetch.IsLoopback(target.Hostname()) && !strings.HasPrefix(account, "https://")
	if plain && strings.HasPrefix(account, "http://") {
		target.Scheme = "http"
	}
	got, err := askWebFinger(ctx, bounded, &target)
	var e *Error
	if plain && target.Scheme == "https" && errors.As(err, &e) && e.Fault == FaultOutage && e.Status == 0 {
		target.Scheme = "http" // an address has none, and nobody else is on this machine
		got, err = askWebFinger(ctx, bounded, &target)
	}
	if err != nil {
		return "", err
	}
	object, err := readObject(StepDiscover, got)
	if err != nil {
		return "", err
	}
	return issuerOf(object, &target)
}

func askWebFinger(ctx context.Context, client *http.Client, target *url.URL) (*fetch.Answer, error) {
	req, err := fetch.Get(ctx, target.String(), "application/jrd+json, application/json")
	if err != nil {
		return nil, refuse(StepDiscover, "webfinger", "account names no host")
	}
	return roundTrip(client, StepDiscover, req)
}

// webfingerResource normalises an identifier (OpenID Connect Discovery §2.1.2).
func webfingerResource(account string) (resource, host string, err error) {
	bad := refuse(StepDiscover, "webfinger", "account is neither an address nor a URL")
	if strings.ContainsAny(account, " \t\r\n") || len(account) > 1024 {
		return "", "", bad
	}
	address, isAccount := strings.CutPrefix(account, "acct:")
	if isAccount || strings.Contains(account, "@") && !strings.Contains(account, "/") {
		user, host, _ := strings.Cut(reverseAt(address), "@")
		if user == "" || host == "" || strings.ContainsAny(host, "/?#@") {
			return "", "", bad
		}
		return "acct:" + address, host, nil
	}
	if !strings.Contains(account, "://") {
		account = "https://" + account
	}
	u, parseError := fetch.CheckURL(account)
	if parseError != nil {
		return "", "", bad
	}
	return account, u.Host, nil
}

// reverseAt keeps the last @ of an address, and hides the others.
func reverseAt(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return address
	}
	return strings.ReplaceAll(address[:i], "@", "%40") + address[i:]
}

// issuerOf reads the first link to an issuer (RFC 7033 §4.4).
func issuerOf(object strictjson.Object, asked *url.URL) (string, error) {
	links, _, err := object.List("links")
	if err != nil {
		return "", providerFault(StepDiscover, http.StatusOK, "links are no list")
	}
	for _, text := range links {
		link, err := strictjson.ParseObject([]byte(text), maxDepth)
		if err != nil {
			return "", providerFault(StepDiscover, http.StatusOK, "links have something that is no link")
		}
		relation, _, _ := link.String("rel")
		if relation != issuerRelation {
			continue
		}
		href, _, err := link.String("href")
		if err != nil || fetch.CheckEndpoint(href, asked) != nil || strings.Contains(href, "?") {
			return "", providerFault(StepDiscover, http.StatusOK, "issuer is no safe URL")
		}
		return href, nil
	}
	return "", &Error{Step: StepDiscover, Fault: FaultAnswer, Check: "webfinger", Reason: "host names no issuer for this account"}
}
