package telemetry_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/profiles"
	"github.com/rely-go/rely/oidcclient/telemetry"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

func Example() {
	spans := tracetest.NewInMemoryExporter() // an application sends them to its collector
	t, err := telemetry.New(telemetry.Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
	})
	if err != nil {
		log.Fatal(err)
	}
	logger := slog.New(t.Logs(nil)) // or slog.Default().Handler(), to have the log too
	client, err := oidcclient.New(oidcclient.Config{
		Profile:      profiles.OpenID(),
		Issuer:       "https://op.example",
		ClientID:     "my-client",
		ClientSecret: "my-secret",
		RedirectURI:  "https://app.example/callback/acme",
		HTTPClient:   &http.Client{Transport: t.Transport(nil)},
		Logger:       logger,
	})
	if err != nil {
		log.Fatal(err)
	}
	login, err := weblogin.New(weblogin.Config{
		Clients: map[string]*oidcclient.Client{"acme": client},
		BaseURL: "https://app.example",
		Logger:  logger,
	})
	if err != nil {
		log.Fatal(err)
	}

	// A callback that this browser has no login for.
	callback := httptest.NewRequest(http.MethodGet, "/callback/acme?state=guessed&code=stolen", nil)
	t.Handler(login).ServeHTTP(httptest.NewRecorder(), callback)

	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name)
		for _, event := range span.Events {
			fmt.Println(" ", event.Name)
			for _, a := range event.Attributes {
				fmt.Printf("    %s=%s\n", a.Key, a.Value.String())
			}
		}
	}
	// Output:
	// GET /callback/{id}
	//   login.refused
	//     rely.client=acme
	//     rely.code=login_refused
	//     rely.check=state
	//     rely.status=400
}
