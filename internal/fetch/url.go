package fetch

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// CheckURL accepts absolute https URLs, and http where the host is loopback.
func CheckURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("is not an absolute URL")
	case u.User != nil:
		return nil, errors.New("holds a user name or password")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return nil, errors.New("has a fragment")
	case strings.IndexFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }) >= 0:
		// net/http makes ASCII of it, so that another host would be judged than is asked.
		return nil, errors.New("has a host that is not in ASCII: an internationalized name is written with xn--")
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("is not https")
}

// CheckEndpoint accepts a URL that somebody else named. One who is public can't send
// us to addresses inside our own network. nil is one who is inside.
func CheckEndpoint(raw string, by *url.URL) error {
	u, err := CheckURL(raw)
	if err != nil {
		return err
	}
	if by == nil || IsLoopback(by.Hostname()) {
		return nil
	}
	if host := u.Hostname(); isAddress(host) && host != by.Hostname() {
		return errors.New("is an address inside a network")
	}
	return nil
}

// IsLoopback reports whether a host is this machine.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// isAddress reports whether a host is an IP address in any form that a resolver
// takes for one (127.1, 2130706433, 0x7f000001), or a name for this machine
// (RFC 6761 §6.3).
func isAddress(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	return err == nil || last != "" && strings.Trim(last, "0123456789") == ""
}
