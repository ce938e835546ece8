// Package telemetry makes OpenTelemetry traces and metrics of what rely does. The
// library itself knows nothing of OpenTelemetry: it logs with slog, sends by an
// http.Client and serves by an http.Handler, and this package wraps the three.
//
//	t, err := telemetry.New(telemetry.Config{})
//	logger := slog.New(t.Logs(slog.Default().Handler()))
//	client, err := oidcclient.New(oidcclient.Config{ // …
//		HTTPClient: &http.Client{Transport: t.Transport(nil)},
//		Logger:     logger,
//	})
//	login, err := weblogin.New(weblogin.Config{ // …
//		Logger: logger,
//	})
//	mux.Handle("/", t.Handler(login))
//
// # Spans
//
// Each request that [Telemetry.Handler] serves is a server span ("GET
// /callback/{id}"), and each request to a provider that goes through
// [Telemetry.Transport] a client span ("POST") below it. The library's events are
// events of the span in whose request they happen. A refresh outlives the request
// that began it if it has to; its client span then is longer than its parent. So
// does fetching keys, for all who wait for them: its parent is the span of who came
// first.
//
// # Metrics
//
//	metric                        unit       attributes
//	rely.events                   {event}    rely.event, and those of the event
//	rely.sessions.ended           {session}  rely.client, rely.reason
//	http.client.request.duration  s          http.request.method, server.address, server.port,
//	                                         http.response.status_code, error.type
//	http.server.request.duration  s          http.request.method, http.route, url.scheme,
//	                                         http.response.status_code, error.type
//
// rely.event, which is the name of the span event too, and the attributes, those in
// parentheses of span events only:
//
//	login.started         rely.client (rely.link)
//	login.finished        rely.client
//	login.linked          rely.client
//	login.refused         rely.client, rely.code, rely.check (rely.status)
//	request.refused       rely.client, rely.code, rely.check (rely.status)
//	request.failed        rely.client, rely.code, rely.check (rely.status)
//	session.refreshed     rely.client
//	refresh.refused       rely.client, rely.code, rely.check
//	refresh.failed        rely.client, rely.code, rely.check (rely.status)
//	session.ended         rely.client, rely.reason
//	sessions.ended        rely.client, rely.reason (rely.count)
//	logout.not_reached    rely.client
//	store.failed          rely.operation
//	tokens.not_stored     rely.client
//	cookie.not_renewed
//	session.not_opened
//	provider.found        rely.issuer (rely.client_id)
//	provider.not_found    rely.issuer (rely.client_id)
//	keys.fetched          rely.host (rely.keys)
//	keys.not_fetched      rely.host
//	userinfo.not_renewed  rely.client
//	client.not_completed
//	claims.not_believed
//	claims.not_read
//
// # What is not recorded
//
// No URL, path, query, header, body, address of a browser, or text of an error: the
// spans lack url.full, url.path and client.address of the semantic conventions.
// Only the attributes above are taken from records, in at most 64 bytes, and a
// code that no specification registers is "_OTHER", so that nobody outside chooses
// what is recorded, nor how many series there are.
package telemetry
