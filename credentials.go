package assistants

import (
	"context"
	"errors"
	"strings"

	"github.com/assistants-go/assistants/internal/transport"
)

// A credential is what requests are authorized with.
type credential struct {
	ask transport.Credential
	key transport.Secret // if it is always the same
}

func staticCredential(header keyHeader, key transport.Secret) credential {
	value := header.value(key.Reveal())
	return credential{
		ask: func(context.Context) (string, string, transport.Secret, error) {
			return string(header), value, key, nil
		},
		key: key,
	}
}

func tokenCredential(source func(context.Context) (string, error)) credential {
	return credential{ask: func(ctx context.Context) (string, string, transport.Secret, error) {
		token, err := source(ctx)
		if err == nil && checkKey(token) != nil {
			err = errors.New("the token source returned what is no token") // which is not shown: it may be one after all
		}
		return string(bearer), bearer.value(token), transport.NewSecret(token), err
	}}
}

// keyHeader says where a key is written.
type keyHeader string

const (
	bearer keyHeader = "Authorization"
	apiKey keyHeader = "Api-Key"
)

func (k keyHeader) value(key string) string {
	if k == bearer {
		return "Bearer " + key
	}
	return key
}

// checkKey accepts what can be a header's value. Its errors do not show the key.
func checkKey(key string) error {
	if key == "" {
		return errors.New("the key is empty")
	}
	for _, r := range key {
		if r <= ' ' || r >= 0x7f {
			return errors.New("the key has a space, a line break or another character that no key has")
		}
	}
	return nil
}

// withSecretsOfHeader adds the value of a header, and what is secret in it by itself.
func withSecretsOfHeader(secrets transport.Secrets, name string, value transport.Secret) transport.Secrets {
	secrets = secrets.With(value)
	for _, part := range credentialParts(name, value.Reveal()) {
		secrets = secrets.With(transport.NewSecret(part))
	}
	return secrets
}

// credentialParts are what of a header's value is secret by itself: the values of cookies, or what follows a scheme.
func credentialParts(header, value string) (parts []string) {
	if !strings.EqualFold(header, "Cookie") {
		_, part, _ := strings.Cut(value, " ")
		return []string{part}
	}
	for cookie := range strings.SplitSeq(value, ";") {
		_, part, _ := strings.Cut(cookie, "=")
		parts = append(parts, part)
	}
	return parts
}

// authorizes reports whether the caller set the header that the client's credentials would be in.
func (c *callConfig) authorizes() bool {
	_, hasBearer := c.header[string(bearer)]
	_, hasKey := c.header[string(apiKey)]
	return hasBearer || hasKey
}

// identifies reports whether the caller set any header that is a credential, such as that of a gateway.
func (c *callConfig) identifies() bool {
	for name := range c.header {
		if isCredential(name) {
			return true
		}
	}
	return false
}

// isCredential goes by the words in a header's name, since nobody can list all names.
func isCredential(header string) bool {
	if strings.EqualFold(header, "Idempotency-Key") {
		return false
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(header), func(r rune) bool { return r == '-' || r == '_' }) {
		switch word {
		case "auth", "authorization", "key", "apikey", "token", "secret", "cookie", "password", "credential", "signature":
			return true
		}
	}
	return false
}
