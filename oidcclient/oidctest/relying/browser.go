package relying

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/rely-go/rely/oidcclient"
)

// Browse takes an authorization request through a provider that approves by
// itself, as a browser would, and returns the parameters that it would bring back
// to redirectURI: by a redirect, or by a form that posts itself.
func Browse(ctx context.Context, redirectURI string, auth *oidcclient.Authorization) (url.Values, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	var back url.Values
	browser := &http.Client{Jar: jar, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if strings.HasPrefix(next.URL.String(), redirectURI) {
			back = next.URL.Query()
			return http.ErrUseLastResponse
		}
		if len(via) > 10 {
			return errors.New("relying: redirected too often")
		}
		return nil
	}}
	defer browser.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, auth.Method, auth.URL, strings.NewReader(auth.Form.Encode()))
	if err != nil {
		return nil, err
	}
	if auth.Method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if back != nil {
		return back, nil
	}
	page, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK && strings.Contains(html.UnescapeString(string(page)), `action="`+redirectURI+`"`) {
		return hiddenFields(string(page)), nil
	}
	return nil, fmt.Errorf("relying: provider did not send the browser back: status %d", resp.StatusCode)
}

// hiddenFields reads the form of a page that posts itself.
func hiddenFields(page string) url.Values {
	fields := url.Values{}
	input := regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	for _, match := range input.FindAllStringSubmatch(page, -1) {
		fields.Add(html.UnescapeString(match[1]), html.UnescapeString(match[2]))
	}
	return fields
}
