package endpoint

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

func TestConnectOffline(t *testing.T) {
	for _, name := range []string{"AZURE_OPENAI_ENDPOINT", "OPENAI_API_KEY", "OPENAI_BASE_URL", "ASSISTANTS_MODEL"} {
		t.Setenv(name, "")
	}
	t.Setenv("OPENAI_API_KEY", "of a service that is gone")
	client, where, err := Connect()
	require.NoError(t, err)
	assert.Contains(t, where, "a stand-in for a model")
	_, err = client.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
	require.NoError(t, err)

	assert.Equal(t, "gpt-4o", Model())
	t.Setenv("ASSISTANTS_MODEL", "my-deployment")
	assert.Equal(t, "my-deployment", Model())
}

// Something is removed although the program was interrupted, and what went wrong before is not forgotten.
func TestRemove(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before, failed, asked := errors.New("before"), errors.New("failed"), ""
	err := before
	Remove(ctx, func(ctx context.Context, id string, _ ...assistants.RequestOption) (*assistants.Deleted, error) {
		asked = id
		return nil, errors.Join(failed, ctx.Err())
	}, "asst_1", &err)
	assert.Equal(t, "asst_1", asked)
	require.ErrorIs(t, err, before)
	require.ErrorIs(t, err, failed)
	require.NotErrorIs(t, err, context.Canceled)
}
