package assistants

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/assistants-go/assistants/internal/transport"
)

const defaultBaseURL = "https://api.openai.com/v1"

// An endpoint is an address and what its kind implies.
type endpoint struct {
	base      *url.URL
	query     url.Values // on every request
	beta      Beta
	keyEnv    string    // variable with the key if none is given; "" where the environment has none to offer
	keyHeader keyHeader // where that key is written

	takesAPIKeyHeader bool // and not only bearer tokens
	azureOpenAI       bool
}

func openAIEndpoint(base string) (*endpoint, error) {
	u, err := parseBase(base)
	if err != nil {
		return nil, err
	}
	return &endpoint{
		base:              u,
		beta:              BetaV2,
		keyEnv:            "OPENAI_API_KEY",
		keyHeader:         bearer,
		takesAPIKeyHeader: u.Hostname() != "api.openai.com",
	}, nil
}

func azureEndpoint(address, apiVersion string) (*endpoint, error) {
	address = orEnv(address, "AZURE_OPENAI_ENDPOINT")
	apiVersion = orEnv(apiVersion, "OPENAI_API_VERSION")
	if address == "" {
		return nil, errors.New("no endpoint: give one, or set AZURE_OPENAI_ENDPOINT")
	}
	if apiVersion == "" {
		return nil, errors.New("no API version: give one, or set OPENAI_API_VERSION")
	}
	u, err := parseBase(address)
	if err != nil {
		return nil, err
	}
	e := &endpoint{
		beta:              BetaV2,
		keyEnv:            "AZURE_OPENAI_API_KEY",
		keyHeader:         apiKey,
		takesAPIKeyHeader: true,
		azureOpenAI:       true,
	}
	resource, isV1 := strings.CutSuffix(u.Path, "/openai/v1") // both are shown as the endpoint in the portal
	if isV1 && apiVersion != "v1" {
		return nil, fmt.Errorf("the endpoint ends with /openai/v1, the API version is %q", apiVersion)
	}
	u.Path = strings.TrimSuffix(resource, "/openai")
	if apiVersion == "v1" {
		e.base = u.JoinPath("openai", "v1")
	} else {
		e.base = u.JoinPath("openai")
		e.query = url.Values{"api-version": {apiVersion}}
	}
	return e, nil
}

func foundryEndpoint(project string) (*endpoint, error) {
	u, err := parseBase(project)
	if err != nil {
		return nil, err
	}
	return &endpoint{
		base:      u,
		query:     url.Values{"api-version": {"v1"}},
		beta:      BetaNone,
		keyHeader: bearer,
	}, nil
}

func inProcessEndpoint() *endpoint {
	u, _ := url.Parse(transport.InProcessURL + "/v1")
	return &endpoint{base: u, beta: BetaV2, keyHeader: bearer, takesAPIKeyHeader: true}
}

// retired reports whether the API was switched off at this address on 26 August 2026.
func (e *endpoint) retired() bool {
	host := strings.ToLower(e.base.Hostname())
	return host == "api.openai.com" ||
		strings.HasSuffix(host, ".openai.azure.com") ||
		e.azureOpenAI && strings.HasSuffix(host, ".cognitiveservices.azure.com")
}

// parseBase accepts what requests can be appended to. Its errors do not repeat the URL, which may hold a password.
func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return nil, errors.New("this is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the URL begins neither with http:// nor with https://")
	case u.Hostname() == "":
		return nil, errors.New("the URL has no host")
	case u.User != nil:
		return nil, errors.New("the URL holds credentials; give them as an option")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the URL has a query or a fragment, which requests cannot be appended to")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

func orEnv(value, name string) string {
	if value = strings.TrimSpace(value); value != "" {
		return value
	}
	return strings.TrimSpace(os.Getenv(name))
}
